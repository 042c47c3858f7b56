/** What is remembered makes no difference: plans over edited zones are those of {@link planChanges}, which remembers nothing. */
import { describe, expect, test } from "vitest";
import { desired } from "../test/support/providers/provider-suite.ts";
import { seededRandom } from "../test/support/random.ts";
import { applyChanges, type DesiredSet } from "./change.ts";
import { helperName } from "./helper-sets.ts";
import { formatOwnership } from "./ownership.ts";
import { type PlanInput, planChanges } from "./planner.ts";
import type { RecordSet, SetRouting } from "./record-set.ts";
import { createZonePlanner } from "./zone-planner.ts";

const SCOPE = { domain: "example.org", owner: "us" };
const HELPERS = ["near-0-aa", "backend-0-aa", "backend-1-bb"].map((label) => helperName(label, SCOPE));
const HOSTS = [
  "example.org",
  "shop.example.org",
  "a-shop.example.org",
  "*.example.org",
  "_wildcard.example.org",
  "x._globalroute.example.org",
];
const NAMES = [...HOSTS, ...HELPERS, ...["b", "c", "d"].map((label) => `${label}.example.org`)];
const TYPES = ["A", "AAAA", "CNAME", "TXT", "LUA"] as const;

/** A zone, and what it should have, edited by dice. */
function worldOf(seed: number) {
  const random = seededRandom(seed);
  const roll = (below: number): number => Math.floor(random() * below);
  const one = <T>(of: readonly T[]): T => of[roll(of.length)]!;
  const routing = (): { readonly routing?: SetRouting } =>
    roll(4) > 0 ? {} : { routing: { id: `i${roll(2)}`, by: roll(3) > 0 ? { kind: "Weighted", weight: roll(2) } : { kind: "MultiValue" } } };
  const content = (): Pick<RecordSet, "ttl" | "values" | "routing" | "alias"> =>
    roll(4) === 0
      ? { ttl: 0, values: [], alias: { target: one(HELPERS), followsHealth: roll(2) === 0 }, ...routing() }
      : { ttl: 5 + roll(2), values: Array.from({ length: 1 + roll(2) }, (_, i) => `v${roll(3)}${i}`), ...routing() };
  const claim = (name: string): RecordSet => {
    const text = `"heritage=external-dns,external-dns/owner=${one(["default", "other"])},external-dns/resource=x"`;
    return { name: one([name, `a-${name}`, `cname-${name}`]), type: "TXT", ttl: 30, values: [text] };
  };
  const there = (): RecordSet => {
    const name = one(NAMES);
    const kind = roll(6);
    if (kind === 0) return claim(name);
    if (kind < 4)
      return formatOwnership(name, { owner: one(["us", "us", "us", "them"]), resource: "r", types: TYPES.filter(() => roll(2) === 0) });
    return { name, type: one(TYPES), ...content() };
  };
  const wish = (): DesiredSet => ({
    ...desired(one(NAMES), ["v"], one(["A", "AAAA", "CNAME", "LUA"])),
    ...content(),
    resource: one(["r", "s"]),
  });
  return { roll, one, there, wish };
}

/** Enough that some may go at once. */
const OURS = Array.from({ length: 12 }, (_, i) => desired(`n${i}.example.org`, ["v00"]));
const owned = (name: string): RecordSet => formatOwnership(name, { owner: "us", resource: "r", types: ["A"] });

const keyOf = ({ name, type, routing }: RecordSet): string => `${name} ${type} ${routing?.id ?? ""}`;
const put = <T extends RecordSet>(sets: readonly T[], set: T): readonly T[] => [...sets.filter((one) => keyOf(one) !== keyOf(set)), set];

describe("a planner that remembers", () => {
  test.each([0, 1, 2, 3])("plans what one plans that does not: stories of the %i-th forty, forty edits each", (part) => {
    let changes = 0;
    for (let seed = 40 * part; seed < 40 * (part + 1); seed++) {
      const { roll, one, there, wish } = worldOf(seed);
      const planner = createZonePlanner();
      let input: PlanInput = { ...SCOPE, desired: OURS, actual: [...OURS, ...OURS.map(({ name }) => owned(name))], policy: "Sync" };
      for (let step = 0; step < 40; step++) {
        const { actual, desired: wished } = input;
        const without = <T>(sets: readonly T[]): readonly T[] => sets.filter(() => roll(8) > 0);
        const edits: readonly (() => Partial<PlanInput>)[] = [
          () => ({ actual: put(actual, there()) }),
          () => ({ actual: put(put(actual, there()), there()) }),
          () => ({ actual: without(actual) }),
          () => ({ actual: actual.toReversed() }),
          () => ({ actual: structuredClone(actual) }), // listed anew
          () => ({ desired: put(wished, wish()) }),
          () => ({ desired: put(put(wished, wish()), wish()) }),
          () => ({ desired: without(wished) }),
          () => ({ desired: wished.map((set) => ({ ...set, ttl: set.alias === undefined && roll(3) === 0 ? set.ttl + 1 : set.ttl })) }),
          () => ({ policy: one(["Sync", "Sync", "UpsertOnly"]) }),
          () => ({ isRemovalConfirmed: roll(2) === 0 }),
          () => ({ adoptFrom: one([[], ["default"], ["default", "other"]]) }),
          () => ({ contested: new Set(roll(3) > 0 ? [] : [one(HOSTS), one(HOSTS)]) }),
          () => ({
            actual: applyChanges(
              actual,
              planChanges(input).groups.flatMap((group) => group.changes),
            ),
          }),
        ];
        input = { ...input, ...one(edits)() };
        const plan = planChanges(input);
        expect(planner(input), `seed ${seed}, step ${step}`).toEqual(plan);
        changes += plan.groups.length;
      }
    }
    expect(changes).toBeGreaterThan(2000); // the stories are not about nothing
  });

  test("goes on after an input that is refused", () => {
    const planner = createZonePlanner();
    const input: PlanInput = { ...SCOPE, desired: [desired("b.example.org", ["192.0.2.1"])], actual: [], policy: "Sync" };
    planner(input);
    const empty = { ...input, desired: [desired("b.example.org", []), desired("c.example.org", ["192.0.2.1"])] };
    expect(() => planner(empty)).toThrow("b.example.org A would be empty");
    expect(() => planner(empty)).toThrow("b.example.org A would be empty");
    const next = { ...input, desired: [desired("c.example.org", ["192.0.2.2"])] };
    expect(planner(next)).toEqual(planChanges(next));
  });
});
