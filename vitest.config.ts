import { defineConfig } from "vitest/config";

export default defineConfig({
  // `handgrad/…` is src/… within the repository, as for tsc and esbuild.
  resolve: { tsconfigPaths: true },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
