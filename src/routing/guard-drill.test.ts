import { expect, test } from "vitest";
import { WITHDRAWAL_WINDOW } from "./guard.ts";
import { type DrillClaim, guardDrill } from "./guard-drill.ts";

const NOW = 1_000_000;
const fine = (name: string, more: Partial<DrillClaim> = {}): DrillClaim => ({
  ...{ backend: `${name}/4`, name, published: true, wanted: true, cause: "inferred", drilled: false },
  ...more,
});
const drilled = (name: string, more: Partial<DrillClaim> = {}): DrillClaim => fine(name, { drilled: true, ...more });
const ordered = (name: string): DrillClaim => fine(name, { wanted: false, published: false, cause: "operator" });

const cases: readonly {
  readonly name: string;
  readonly claims: readonly DrillClaim[];
  readonly history?: readonly { readonly backend: string; readonly at: number }[];
  /** Of the drilled ones, in their order. */
  readonly verdicts: readonly (string | undefined)[];
}[] = [
  { name: "while all is well it may", claims: [drilled("a"), fine("b"), fine("c")], verdicts: [undefined] },
  { name: "of two, one", claims: [drilled("a"), fine("b")], verdicts: [undefined] },
  { name: "never the last one", claims: [drilled("a")], verdicts: ["nothing else is left"] },
  { name: "never all", claims: [drilled("a"), drilled("b")], verdicts: ["nothing else is left", "nothing else is left"] },
  { name: "it yields to a failure", claims: [drilled("a"), fine("b", { wanted: false }), fine("c")], verdicts: ["b is not in service"] },
  {
    name: "and to one that the budget holds in service",
    claims: [drilled("a"), fine("b", { wanted: false, published: true }), fine("c")],
    verdicts: ["b is not in service"],
  },
  {
    name: "one that comes up is none yet",
    claims: [drilled("a"), fine("b", { published: false }), fine("c")],
    verdicts: ["b is not in service"],
  },
  {
    name: "what fails itself is no drill's",
    claims: [drilled("a", { wanted: false }), fine("b")],
    verdicts: ["a is out of service already"],
  },
  {
    name: "what operators took out counts: of three two may be out",
    claims: [drilled("a"), ordered("b"), fine("c")],
    verdicts: [undefined],
  },
  { name: "of two one", claims: [drilled("a"), ordered("b")], verdicts: ["nothing else is left"] },
  {
    name: "of five two",
    claims: [drilled("a"), ordered("b"), ordered("c"), fine("d"), fine("e")],
    verdicts: ["the withdrawal budget is spent"],
  },
  {
    name: "what went by inference a moment ago counts, although it is back",
    claims: [drilled("a"), fine("b")],
    history: [{ backend: "b/4", at: NOW - WITHDRAWAL_WINDOW + 1 }],
    verdicts: ["the withdrawal budget is spent"],
  },
  {
    name: "a minute later it does not",
    claims: [drilled("a"), fine("b")],
    history: [{ backend: "b/4", at: NOW - WITHDRAWAL_WINDOW }],
    verdicts: [undefined],
  },
  {
    name: "two drills share the budget, and the one that is under way goes first",
    claims: [drilled("a"), drilled("b", { published: false }), fine("c"), fine("d")],
    verdicts: [undefined, undefined],
  },
  {
    name: "beyond it the newcomer is refused",
    claims: [drilled("a"), drilled("b", { published: false }), fine("c")],
    history: [{ backend: "c/4", at: NOW - 1 }],
    verdicts: ["the withdrawal budget is spent", undefined],
  },
];
test.each(cases)("$name", ({ claims, history, verdicts }) => {
  const guarded = guardDrill(claims, history ?? [], 34, NOW);
  const asked = claims.filter((claim) => claim.drilled);
  expect(guarded.size).toBe(asked.length);
  expect(asked.map(({ backend }) => guarded.get(backend))).toEqual(verdicts);
});
