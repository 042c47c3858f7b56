import { expect, test } from "vitest";
import { type Accepted, conditionOf, judgeServing, toConditions } from "./conditions.ts";

const ACCEPTED: Accepted = { status: "True", reason: "Accepted", message: "Accepted." };
const REFUSED: Accepted = { status: "False", reason: "HostTaken", message: "shop.example.org is web/other's. Choose another host." };
const ALL = { reported: 2, of: 2, waitingFor: [] };
const NOW = Date.UTC(2026, 10, 21, 12);

const statuses = (...args: Parameters<typeof judgeServing>) => {
  const { accepted, programmed, ready, stalled } = judgeServing(...args);
  return [accepted, programmed, ready, ...stalled].map(({ type, status, reason }) => `${type}=${status}/${reason}`);
};

test("the time of a transition stays until the status changes", () => {
  const first = toConditions([{ type: "Ready", status: "False", reason: "Pending", message: "a" }], undefined, 1, NOW);
  expect(first[0]!.lastTransitionTime).toBe("2026-11-21T12:00:00Z");
  const second = toConditions([{ type: "Ready", status: "False", reason: "NotAccepted", message: "b" }], first, 2, NOW + 60_000);
  expect(second[0]).toMatchObject({
    reason: "NotAccepted",
    message: "b",
    observedGeneration: 2,
    lastTransitionTime: "2026-11-21T12:00:00Z",
  });
  const third = toConditions([{ type: "Ready", status: "True", reason: "Ready", message: "" }], second, 2, NOW + 60_000);
  expect(third[0]!.lastTransitionTime).toBe("2026-11-21T12:01:00Z");
});

test("a message that no schema takes is cut", () => {
  const [condition] = toConditions([{ type: "Ready", status: "False", reason: "X", message: "m".repeat(5000) }], undefined, 1, NOW);
  expect(condition!.message).toHaveLength(4096);
});

test.each([
  {
    name: "all replicas serve it",
    programmed: ALL,
    accepted: ACCEPTED,
    expected: ["Accepted=True/Accepted", "Programmed=True/Programmed", "Ready=True/Ready"],
  },
  {
    name: "one replica is behind",
    programmed: { reported: 1, of: 2, waitingFor: ["globalroute-b"] },
    accepted: ACCEPTED,
    expected: ["Accepted=True/Accepted", "Programmed=False/Pending", "Ready=False/Pending"],
  },
  {
    name: "no replica is known",
    programmed: { reported: 0, of: 0, waitingFor: [] },
    accepted: ACCEPTED,
    expected: ["Accepted=True/Accepted", "Programmed=Unknown/NoReplica", "Ready=Unknown/NoReplica"],
  },
  {
    name: "a person must mend it: who waits fails at once",
    programmed: ALL,
    accepted: REFUSED,
    expected: ["Accepted=False/HostTaken", "Programmed=False/NotAccepted", "Ready=False/HostTaken", "Stalled=True/HostTaken"],
  },
])("$name", ({ programmed, accepted, expected }) => {
  expect(statuses(accepted, programmed, undefined, 1)).toEqual(expected);
});

test("a generation that every replica had stays programmed when another replica starts; a new generation does not", () => {
  const before = toConditions([judgeServing(ACCEPTED, ALL, undefined, 3).programmed], undefined, 3, NOW);
  const late = { reported: 2, of: 3, waitingFor: ["globalroute-c"] };
  expect(judgeServing(ACCEPTED, late, before, 3).ready.status).toBe("True");
  expect(judgeServing(ACCEPTED, late, before, 4).programmed).toMatchObject({
    status: "False",
    message: "Waiting for globalroute-c to serve this generation.",
  });
  expect(conditionOf(before, "Programmed")?.message).not.toMatch(/\d of \d/); // replicas come and go: their number is no transition
});

test("a policy that a provider cannot follow is not programmed, and a person must act", () => {
  const lost = "hosts: RFC2136 cannot follow order; instead every client gets …";
  const judged = judgeServing(ACCEPTED, ALL, undefined, 3, lost);
  expect(judged).toMatchObject({
    accepted: { status: "True" },
    programmed: { status: "False", reason: "PolicyNotExpressible", message: lost },
    ready: { status: "False", reason: "PolicyNotExpressible", message: lost },
    stalled: [{ type: "Stalled", status: "True", reason: "PolicyNotExpressible" }],
  });
  const refused = { status: "False", reason: "Invalid", message: "x" } as const;
  expect(judgeServing(refused, ALL, undefined, 3, lost).programmed.reason).toBe("NotAccepted");
});

test("what a proxy has not taken is not programmed, in its words, and a person must act; what is not accepted comes first", () => {
  const judged = judgeServing(ACCEPTED, ALL, undefined, 3, undefined, "edge-1: no such file");
  expect(judged).toMatchObject({
    programmed: {
      status: "False",
      reason: "ProxyRejected",
      message: expect.stringMatching(/goes on with what it had: edge-1: no such file$/),
    },
    ready: { status: "False", reason: "ProxyRejected" },
    stalled: [{ type: "Stalled", reason: "ProxyRejected" }],
  });
  const refused = { status: "False", reason: "Invalid", message: "x" } as const;
  expect(judgeServing(refused, ALL, undefined, 3, undefined, "no").programmed.reason).toBe("NotAccepted");
});
