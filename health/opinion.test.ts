import { describe, expect, test } from "vitest";
import { type EndpointHealth, isInferred, type ProbeReason, type ProbeResult } from "../src/model/health.ts";
import { ms } from "../src/model/units.ts";
import type { Surroundings } from "./distrust.ts";
import { NO_VIEW, observe, opine, presumedView, type View } from "./opinion.ts";

const limits = { rise: 2, fall: 2 };
const HOLD = 3000;
const calm: Surroundings = { clusters: 5, live: 5, silent: 1, unheard: 0, references: "none" };
const cutOff: Surroundings = { clusters: 5, live: 5, silent: 5, unheard: 0, references: "none" };

/** Probes once a second that last 100 ms, from 1000 on. */
const viewAfter = (reasons: readonly ProbeReason[], start: View = NO_VIEW): View =>
  reasons.reduce((view, reason, i) => {
    const result: ProbeResult = { ok: reason === "ok", reason, latency: ms(100) };
    const startedAt = 1000 * (i + 1);
    return observe(view, result, { startedAt, endedAt: startedAt + 100, at: startedAt + 100 }, limits);
  }, start);

const votes: readonly {
  name: string;
  reasons: readonly ProbeReason[];
  around: Surroundings;
  now?: number;
  vote: string;
  proven?: boolean;
}[] = [
  { name: "nothing seen", reasons: [], around: calm, vote: "abstain" },
  { name: "a success", reasons: ["ok"], around: calm, vote: "healthy" },
  { name: "one failure of two", reasons: ["ok", "ok", "refused"], around: calm, vote: "healthy" },
  {
    name: "two refusals, even if everything else is silent",
    reasons: ["ok", "refused", "refused"],
    around: cutOff,
    vote: "unhealthy",
    proven: true,
  },
  { name: "silence of this cluster alone", reasons: ["ok", "timeout", "timeout"], around: calm, vote: "unhealthy", proven: false },
  { name: "silence of all", reasons: ["ok", "timeout", "timeout"], around: cutOff, vote: "abstain" },
  {
    name: "silence of all, after the hold",
    reasons: ["ok", "timeout", "timeout"],
    around: cutOff,
    now: 3100 + HOLD,
    vote: "unhealthy",
    proven: false,
  },
  { name: "silence, then a refusal: proof", reasons: ["ok", "timeout", "refused"], around: cutOff, vote: "unhealthy", proven: true },
  { name: "a refusal, then silence: no proof of the present", reasons: ["ok", "refused", "timeout"], around: cutOff, vote: "abstain" },
  {
    name: "silence not believed, then an answer: it is coming back",
    reasons: ["ok", "timeout", "timeout", "ok"],
    around: calm,
    vote: "abstain",
  },
  { name: "and is back", reasons: ["ok", "timeout", "timeout", "ok", "ok"], around: calm, vote: "healthy" },
];
test.each(votes)("$name: $vote", (c) => {
  const view = viewAfter(c.reasons);
  const result = opine(view, c.around, HOLD, c.now ?? 3100);
  expect(result.opinion).toBe(c.vote);
  if (c.proven !== undefined) expect(result.view.proven).toBe(c.proven);
  expect(result.held !== undefined).toBe(c.vote === "abstain" && view.silentSince !== undefined);
});

describe("belief", () => {
  const believed = opine(viewAfter(["ok", "timeout", "timeout"]), calm, HOLD, 3100).view;

  test("once believed it stays, through doubt and the first success, until `rise` of them", () => {
    expect(opine(believed, cutOff, HOLD, 4000).opinion).toBe("unhealthy");
    expect(opine(viewAfter(["ok"], believed), cutOff, HOLD, 4000).opinion).toBe("unhealthy");
    expect(opine(viewAfter(["ok", "ok"], believed), cutOff, HOLD, 4000).opinion).toBe("healthy");
  });

  test("and must be earned again by the next outage", () => {
    expect(opine(viewAfter(["ok", "ok", "timeout", "timeout"], believed), cutOff, HOLD, 5000).opinion).toBe("abstain");
  });

  test("the silence counts from its first probe; any answer, be it a refusal, ends it", () => {
    expect(viewAfter(["ok", "timeout", "timeout", "unreachable"]).silentSince).toBe(2000);
    for (const reason of ["ok", "refused", "status", "tls"] as const) {
      expect(isInferred(reason)).toBe(false);
      expect(viewAfter(["timeout", reason]).silentSince).toBeUndefined();
    }
  });
});

test("a presumed outage is believed, and votes once the endpoint has been looked at", () => {
  const known: EndpointHealth = {
    health: "Unhealthy",
    since: 5,
    reason: "refused",
    proven: true,
    votes: 1,
    firstSign: 4,
    nextChange: 6,
  };
  const view = presumedView(known, limits);
  expect(opine(view, calm, HOLD, 0).opinion).toBe("abstain");
  expect(opine(viewAfter(["ok"], view), cutOff, HOLD, 1100)).toMatchObject({
    opinion: "unhealthy",
    view: { proven: true, failure: "refused" },
  });
});
