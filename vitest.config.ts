import { defineConfig } from "vitest/config";

export default defineConfig({
  // `handgrad/…` is src/… within the repository, as for tsc and esbuild.
  resolve: { tsconfigPaths: true },
  test: {
    include: ["test/**/*.test.ts"],
    // What compares clocks needs a quiet machine: `npm run test:timing`.
    exclude: process.env.HANDGRAD_TIMING ? [] : ["test/**/*.timing.test.ts"],
    setupFiles: ["test/setup.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
