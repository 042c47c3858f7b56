/** Tests must be able to fail: one fault at a time is planted in a copy of the core, and the tests that guard it must notice. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "../support/source-tree.ts";

interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly text: string;
  readonly becomes: string;
  /** Test files that must notice. */
  readonly tests: readonly string[];
}

const routing = (name: string): string => `src/routing/${name}.test.ts`;

const MUTANTS: readonly Mutant[] = [
  {
    name: "scopes are one bit too long",
    file: "src/geo/partition.ts",
    text: "scopeOfLeaf[~at] = inherited === UNDECIDED ? depth : inherited;",
    becomes: "scopeOfLeaf[~at] = (inherited === UNDECIDED ? depth : inherited) + 1;",
    tests: [routing("scope")],
  },
  {
    name: "scopes are one bit too short",
    file: "src/routing/choose.ts",
    text: "const scope = Math.min(leafScope, sourceLength);",
    becomes: "const scope = Math.max(0, Math.min(leafScope, sourceLength) - 1);",
    tests: [routing("scope")],
  },
  {
    name: "a short prefix gets the plan of its first address",
    file: "src/routing/choose.ts",
    text: "const cls = node < 0 ? partition.classOfPlace[place]! : classOfShortPrefix(partition, node);",
    becomes: "const cls = partition.classOfPlace[node < 0 ? place : place]! + 0 * classOfShortPrefix(partition, 0);",
    tests: [routing("scope")],
  },
  {
    name: "the farthest comes first",
    file: "src/routing/plan.ts",
    text: "a.value - b.value || a.position - b.position",
    becomes: "b.value - a.value || a.position - b.position",
    tests: [routing("plan")],
  },
  {
    name: "tolerance is measured from the nearest of all",
    file: "src/routing/plan.ts",
    text: "const limit = ranked[start]!.value + policy.tolerance;",
    becomes: "const limit = ranked[0]!.value + policy.tolerance;",
    tests: [routing("plan")],
  },
  {
    name: "bias works the other way round",
    file: "src/routing/plan.ts",
    text: "bias >= 0 ?",
    becomes: "bias < 0 ?",
    tests: [routing("plan")],
  },
  {
    name: "standbys come before weighted backends",
    file: "src/routing/plan.ts",
    text: "[...orderTiers(policy, place, weighted, measure), ...(standby.length > 0 ? [standby] : [])]",
    becomes: "[...(standby.length > 0 ? [standby] : []), ...orderTiers(policy, place, weighted, measure)]",
    tests: [routing("plan")],
  },
  {
    name: "the first Require rule is skipped",
    file: "src/routing/plan.ts",
    text: 'matching.filter(({ rule }) => rule.mode === "Require")',
    becomes: 'matching.filter(({ rule }) => rule.mode === "Require").slice(1)',
    tests: [routing("require")],
  },
  {
    name: "of several Require rules one is enough",
    file: "src/routing/plan.ts",
    text: "required.every(({ rule }) => rule.to.includes(policy.members[position]!.cluster))",
    becomes: "required.length === 0 || required.some(({ rule }) => rule.to.includes(policy.members[position]!.cluster))",
    tests: [routing("require")],
  },
  {
    name: "a rule is not applied to an unknown place",
    file: "src/routing/plan.ts",
    text: 'match === "unknown" && rule.unknownPlace === "Apply"',
    becomes: 'match === "unknown" && rule.unknownPlace === "Skip"',
    tests: [routing("require")],
  },
  {
    name: "fail-open prefers the unhealthy to the unknown",
    file: "src/routing/choose.ts",
    text: "if (chooseStanding(table, route, family, Standing.Unknown, out)) return;\n  if (chooseStanding(table, route, family, Standing.Unhealthy, out)) return;",
    becomes:
      "if (chooseStanding(table, route, family, Standing.Unhealthy, out)) return;\n  if (chooseStanding(table, route, family, Standing.Unknown, out)) return;",
    tests: [routing("choose")],
  },
  {
    name: "a hold reaches for cordoned clusters while others can be had",
    file: "src/routing/choose.ts",
    text: "chooseHeld(table, route, family, Standing.Draining, out)",
    becomes: "chooseHeld(table, route, family, Standing.Excluded, out)",
    tests: [routing("choose")],
  },
  {
    name: "sticky slots of all routes move in step",
    file: "src/routing/choose.ts",
    text: "mix32(out.clientHash ^ hot.routeSeed[route]!)",
    becomes: "mix32(out.clientHash)",
    tests: [routing("choose")],
  },
  {
    name: "a ramping member gives away what it should keep",
    file: "src/routing/choose.ts",
    text: "rank < Math.round((owned * keep) / FULL)",
    becomes: "rank >= Math.round((owned * keep) / FULL)",
    tests: [routing("choose")],
  },
  {
    name: "a lone ramping member gives away what it should keep",
    file: "src/routing/choose.ts",
    text: "(keep === FULL || share < keep)",
    becomes: "(keep === FULL || share >= keep)",
    tests: [routing("choose")],
  },
  {
    name: "a ramp of IPv6 moves IPv4 clients",
    file: "src/routing/choose.ts",
    text: "const keep = state.keep[backend * 2 + family]!;",
    becomes: "const keep = Math.min(state.keep[backend * 2]!, state.keep[backend * 2 + 1]!);",
    tests: [routing("choose")],
  },
  {
    name: "every tier trickles",
    file: "src/routing/choose.ts",
    text: "trickle = 0; // only the first serving tier proves its backup",
    becomes: "",
    tests: [routing("choose")],
  },
  {
    name: "spread names backends that are down",
    file: "src/routing/choose.ts",
    text: "if (backend === choice.backend || state.standing[row] !== choice.mode) continue;",
    becomes: "if (backend === choice.backend) continue;",
    tests: [routing("choose")],
  },
  {
    name: "an answer outlives the earliest change",
    file: "src/routing/choose.ts",
    text: "Math.min(state.worsensAt[row]!, state.returnsAt[route]!)",
    becomes: "Math.max(state.worsensAt[row]!, state.returnsAt[route]!)",
    tests: [routing("choose")],
  },
  {
    name: "seats are not counted when slots are filled",
    file: "src/routing/slots.ts",
    text: "if (left[m] === 0) continue;",
    becomes: "",
    tests: [routing("slots")],
  },
  {
    name: "equal claims to a seat go by position",
    file: "src/routing/slots.ts",
    text: "(quotient === bestQuotient && hash < members[best]!.hash)",
    becomes: "(quotient === bestQuotient && false)",
    tests: [routing("slots")],
  },
  {
    name: "all weights 0 leaves only standbys",
    file: "src/routing/policy.ts",
    text: "weighted.has(backend.priority) ? weights[i]! : 1",
    becomes: "weights[i]!",
    tests: [routing("policy")],
  },
  {
    name: "one success forgives all failures",
    file: "health/judge.ts",
    text: "return run >= rise ? { ...before, run, failures: 0, doubtedSince: 0 }",
    becomes: "return run >= 1 ? { ...before, run, failures: 0, doubtedSince: 0 }",
    tests: ["health/judge.test.ts"],
  },
  {
    name: "failback does not wait",
    file: "health/failback.ts",
    text: 'until !== "approval" && now >= until',
    becomes: 'until !== "approval" && now <= until',
    tests: [routing("evaluate-route")],
  },
  {
    name: "the withdrawal budget is one too large",
    file: "src/routing/guard.ts",
    text: "if (budget > 0) {",
    becomes: "if (budget >= 0) {",
    tests: [routing("guard"), routing("outages")],
  },
  {
    name: "the budget holds on when everything fails",
    file: "src/routing/guard.ts",
    text: "if (free(claim) || total) continue;",
    becomes: "if (free(claim)) continue;",
    tests: [routing("outages")],
  },
  {
    name: "one dead address proves the silence of the others",
    file: "src/routing/evaluate-route.ts",
    text: "silent.length === 0",
    becomes: "silent.length < unit.addresses.length",
    tests: [routing("outages")],
  },
  {
    name: "a freeze lets probes through",
    file: "src/routing/evaluate-route.ts",
    text: "held || isFrozen(input, unit)",
    becomes: "held",
    tests: [routing("evaluate-route")],
  },
  {
    name: "a drain is stronger than ForceUp",
    file: "src/routing/evaluate-route.ts",
    text: "  if (orders.forcedUp.has(unit.backend.name)) return Standing.Usable;\n  if (orders.draining.has(unit.backend.name)) return Standing.Draining;",
    becomes:
      "  if (orders.draining.has(unit.backend.name)) return Standing.Draining;\n  if (orders.forcedUp.has(unit.backend.name)) return Standing.Usable;",
    tests: [routing("evaluate-route")],
  },
  {
    name: "vanished inputs are counted against the new ones",
    file: "src/routing/input-collapse.ts",
    text: "vanished > COLLAPSE_SHARE * size",
    becomes: "vanished > COLLAPSE_SHARE * countAll(next[kind])",
    tests: [routing("input-collapse")],
  },
];

let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "globalroute-mutants-"));
  for (const path of ["src/model", "src/geo", "src/routing", "health", "test/support", "package.json", "tsconfig.json"]) {
    cpSync(join(repository, path), join(copy, path), { recursive: true });
  }
  symlinkSync(join(repository, "node_modules"), join(copy, "node_modules"));
  writeFileSync(join(copy, "vitest.config.ts"), 'export default { test: { setupFiles: ["./first-failure.ts"] } };\n');
  // The smallest counterexample is for people; here the first one will do.
  writeFileSync(join(copy, "first-failure.ts"), 'import fc from "fast-check";\nfc.configureGlobal({ endOnFailure: true });\n');
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Runs test files in the copy. @returns whether all passed, and what was printed */
function runTests(files: readonly string[]): Promise<{ readonly passed: boolean; readonly output: string }> {
  const args = [join(repository, "node_modules/vitest/vitest.mjs"), "run", "--root", copy, "--bail", "1", "--reporter", "dot", ...files];
  const { promise, resolve } = Promise.withResolvers<{ passed: boolean; output: string }>();
  execFile(process.execPath, args, { cwd: copy, env: { ...process.env, NO_COLOR: "1" }, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
    resolve({ passed: error === null, output: stdout + stderr });
  });
  return promise;
}

test("without a fault all of these tests pass in the copy", async () => {
  const { passed, output } = await runTests([...new Set(MUTANTS.flatMap((mutant) => mutant.tests))]);
  expect(passed, output).toBe(true);
});

describe("a fault is noticed", () => {
  test.each(MUTANTS)("$name", async ({ file, text, becomes, tests }) => {
    const path = join(copy, file);
    const original = readFileSync(path, "utf8");
    const parts = original.split(text);
    expect(parts, `${file} must hold this text once, so that it can be mutated: ${text}`).toHaveLength(2);
    try {
      writeFileSync(path, parts.join(becomes));
      const { passed, output } = await runTests(tests);
      expect(passed, `${tests.join(", ")} did not notice`).toBe(false);
      // Noticed by an assertion, not by a file that no longer loads.
      expect(output).toMatch(/AssertionError|Property failed/);
    } finally {
      writeFileSync(path, original);
    }
  });
});
