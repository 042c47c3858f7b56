import { defineConfig } from "vitest/config";

/** Real servers share the machine with whatever else runs there: what fails once and passes at once again was told, and is no verdict. */
const ONCE_MORE = 1;

/** What is waited for comes when it comes: by default it would have a second, and a busy machine is no bug. */
const PATIENCE_MS = 20_000;

/** Those that put something else in a module's place need modules of their own. */
const MOCKING = "**/*.mocked.test.ts";

/**
 * Integration tests that judge no time, make no load and have addresses of their own: two of them at once do not disturb each other, and most
 * are one process that computes beside idle cores. Any other file has the machine to itself.
 */
const TOGETHER = [
  "check-zone",
  "mutants",
  "{chart,cli,conformance,fuzz,kube,transfer}/*",
  "dns/{dig,kdig,settings}",
  "dnssec/{answer-mutants,mutants,validators,zone-tools}",
  "observability/rules",
  "providers/!(large-zone|route53-large-zone)",
  "proxy/{discovery,embedded,embedded-tls,envoy-bootstrap,envoy-decisions,front-http2*,front-tls,grpc-server,haproxy-decisions,open-upstream}",
].map((path) => `test/integration/${path}.test.ts`);

const integration = {
  expect: { poll: { timeout: PATIENCE_MS } },
  testTimeout: 180_000,
  hookTimeout: 120_000,
  retry: ONCE_MORE,
};

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
          exclude: [MOCKING],
          // Modules hold no state, so files can share them: loading them for each of three hundred files is a third of all the time.
          isolate: false,
          testTimeout: 60_000,
        },
      },
      { test: { name: "unit-mocked", include: [MOCKING], exclude: ["node_modules/**"], testTimeout: 60_000 } },
      { test: { ...integration, name: "integration-together", include: TOGETHER } },
      {
        test: {
          ...integration,
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          exclude: TOGETHER,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
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
