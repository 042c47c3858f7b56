import fc from "fast-check";
import { expect, test } from "vitest";
import { kindNames } from "./kinds.ts";
import { readStatus } from "./read-status.ts";
import type { GlobalRouteStatus } from "./status.ts";

const condition = (type: string, status: "True" | "False" = "True") => ({
  type,
  status,
  reason: "Accepted",
  message: "",
  lastTransitionTime: "2026-11-21T18:00:00Z",
  observedGeneration: 3,
});

const written: GlobalRouteStatus = {
  conditions: [condition("Accepted"), condition("Ready")],
  observedGeneration: 3,
  writerEpoch: 7,
  summary: { hosts: "shop.example.org", serving: "eu-west", health: "1/2" },
  backends: [
    { name: "eu", cluster: "eu-west", addresses: ["192.0.2.1"], health: "Healthy", since: "2026-11-21T18:00:00Z", reason: "ok" },
    {
      name: "us",
      cluster: "us-east",
      source: "Ingress web/shop",
      addresses: [],
      health: "Unhealthy",
      reason: "timeout",
      failback: { phase: "Out", level: 2, since: "2026-11-21T18:00:00Z" },
    },
  ],
  policySource: "eu-west/web/Ingress/shop",
  lastFailover: { from: "us-east", to: "eu-west", at: "2026-11-21T18:00:00Z", reason: "timeout" },
  failbackPending: ["us"],
  rollout: { generation: 3, step: 1, name: "canary", since: "2026-11-21T18:00:00Z", phase: "Progressing" },
};

test("what was written is read again", () => {
  expect(readStatus("GlobalRoute", JSON.parse(JSON.stringify(written)))).toEqual(written);
});

test("after a rollback: what a newer version wrote is read as far as it is understood", () => {
  const newer = {
    ...written,
    fromTheFuture: { a: 1 },
    conditions: [...written.conditions, { ...condition("Polished"), severity: "Info" }],
    backends: [
      { ...written.backends?.[0], score: 4 },
      { ...written.backends?.[1], failback: { phase: "Hesitating", level: 2, since: "2026-11-21T18:00:00Z" } },
      { name: "ap", cluster: "tokyo", addresses: [], health: "Degraded" },
    ],
    rollout: { ...written.rollout, phase: "Baking" },
  };
  const { failback: _, ...us } = written.backends?.[1] ?? {};
  const { rollout: __, ...rest } = written;
  expect(readStatus("GlobalRoute", newer)).toEqual({
    ...rest,
    conditions: [...written.conditions, condition("Polished")],
    // A backend of a health that is not known says nothing that could be relied on.
    backends: [written.backends?.[0], us],
  });
});

test.each(kindNames)("%s: an empty status waits for the controller, and none is none", (kind) => {
  expect(readStatus(kind, {})?.conditions.map(({ reason }) => reason)).toContain("Pending");
  expect(readStatus(kind, undefined)).toBeUndefined();
  expect(readStatus(kind, "x")).toBeUndefined();
});

test("whatever stands there, reading ends, throws nothing, and what it gives reads as itself", () => {
  const part = fc.oneof(fc.jsonValue(), fc.constant(written.backends), fc.constant(written.conditions), fc.constant(written.rollout));
  const wild = fc.record(
    { conditions: part, backends: part, rollout: part, summary: part, observedGeneration: part, lastFailover: part },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(wild, (raw) => {
      const read = readStatus("GlobalRoute", raw);
      expect(readStatus("GlobalRoute", read)).toEqual(read);
    }),
  );
});
