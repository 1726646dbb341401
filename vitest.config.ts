import { defineConfig } from "vitest/config";

export default defineConfig({
  // `handgrad/…` is src/… within the repository, as for tsc and esbuild.
  resolve: { tsconfigPaths: true },
  test: {
    include: ["test/**/*.test.ts"],
    // What compares clocks needs a quiet machine: `npm run test:timing`.
    exclude: process.env.HANDGRAD_TIMING ? [] : ["test/**/*.timing.test.ts"],
    setupFiles: ["test/setup.ts"],
    // Where there is no GPU, the one whose bits the tests were written on. HANDGRAD_SOFTWARE=lavapipe tries the other.
    env: { HANDGRAD_SOFTWARE: process.env.HANDGRAD_SOFTWARE ?? "swiftshader" },
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
