import { defineConfig } from "vitest/config";

/*
 * What takes minutes, and says little about most changes: `npm run test:slow`. `npm test` runs all other files, and .ci/run both.
 * On two cores that is six minutes and twelve.
 */
const slow = [
  // Whole runs of the program, killed and resumed, and those of the article.
  "test/cli/program.test.ts",
  "test/examples/article.test.ts",
  // Every variant of each kernel, where others run the device's own; every op again in Chromium, and as it is published.
  "test/kernels/variants.test.ts",
  "test/kernels/tuning.test.ts",
  "test/browser/chromium.test.ts",
  "test/scripts/dist.test.ts",
  // A thousand steps, hundreds of thousands of numbers, hundreds of draws.
  "test/autograd/memory.test.ts",
  "test/kernels/long-sums.test.ts",
  "test/rl/estimate/coverage.test.ts",
  // Every network of every part, through ONNX Runtime.
  "test/model/onnx.test.ts",
  // The page's later screens. judging.test.ts opens it, judges and comes back.
  "test/web/care.test.ts",
  "test/web/first-minute.test.ts",
  "test/web/learning.test.ts",
  "test/web/own.test.ts",
  "test/web/own-classes.test.ts",
  "test/web/trouble.test.ts",
];
// What compares clocks needs a quiet machine: `npm run test:timing`.
const timing = process.env.HANDGRAD_TIMING ? [] : ["test/**/*.timing.test.ts"];

export default defineConfig({
  // `handgrad/…` is src/… within the repository, as for tsc and esbuild.
  resolve: { tsconfigPaths: true },
  test: {
    projects: [
      { extends: true, test: { name: "quick", include: ["test/**/*.test.ts"], exclude: [...timing, ...slow] } },
      { extends: true, test: { name: "slow", include: slow } },
    ],
    setupFiles: ["test/setup.ts"],
    // Where there is no GPU, the one whose bits the tests were written on. HANDGRAD_SOFTWARE=lavapipe tries the other.
    env: { HANDGRAD_SOFTWARE: process.env.HANDGRAD_SOFTWARE ?? "swiftshader" },
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
