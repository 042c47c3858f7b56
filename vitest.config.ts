import { defineConfig } from "vitest/config";

/** Real servers share the machine with whatever else runs there: what fails once and passes at once again was told, and is no verdict. */
const ONCE_MORE = 1;

export default defineConfig({
  test: {
    maxWorkers: "100%", // by default one core is left idle, which is half of a small machine
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "src/**/*.test.ts",
            "health/**/*.test.ts",
            "dns-providers/**/*.test.ts",
            "controller/**/*.test.ts",
            "bench/**/*.test.ts",
            "test/*.test.ts",
            "test/support/**/*.test.ts",
            "test/fuzz/**/*.test.ts",
          ],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          retry: ONCE_MORE,
        },
      },
      {
        // By `npm run test:e2e`: addresses that only its namespace has.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          retry: ONCE_MORE,
        },
      },
    ],
  },
});
