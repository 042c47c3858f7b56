import { expect, test } from "vitest";
import type { PlannedChange, ZonePlan } from "../../dns-providers/zone-plan.ts";
import { judgeDrift } from "./zone-drift.ts";

const plan = (more: Partial<ZonePlan> = {}): ZonePlan => ({
  ...{ zone: "example-org", domain: "example.org", provider: "RFC2136", owner: "prod-eu", policy: "Sync", fence: null },
  ...{ changes: [], conflicts: [], held: [], kept: [] },
  ...more,
});
const change = (action: PlannedChange["action"], name: string): PlannedChange => ({ action, name, type: "A" });

test("a zone that is as it should be", () => {
  expect(judgeDrift(plan(), undefined)).toEqual({ status: "ok", facts: ["RFC2136 has what the objects ask for"] });
  expect(judgeDrift(plan({ kept: [{ name: "old.example.org", type: "A" }] }), undefined).facts[0]).toContain("1 record set of ours");
});

test("what differs may be a failover, and is a warning", () => {
  const changes = [change("Create", "a.example.org"), change("Replace", "b.example.org"), change("Delete", "c.example.org")];
  expect(judgeDrift(plan({ changes }), undefined)).toEqual({
    status: "warning",
    facts: [
      "a.example.org A is not as the objects ask for: it is missing",
      "b.example.org A is not as the objects ask for: it is another",
      "c.example.org A is not as the objects ask for: nobody asks for it",
    ],
    remedy: expect.stringContaining("globalroute plan"),
  });
  const many = Array.from({ length: 9 }, (_, i) => change("Create", `n${i}.example.org`));
  expect(judgeDrift(plan({ changes: many }), undefined).facts.at(-1)).toBe("and 4 more");
});

test("what is not ours, or cannot be read, fails", () => {
  const conflicts = [{ name: "www.example.org", type: "A", reason: "OwnedByAnother", owner: "prod-us" }] as const;
  expect(judgeDrift(plan({ conflicts }), undefined)).toMatchObject({
    status: "failed",
    facts: ["www.example.org A is not ours: OwnedByAnother prod-us"],
  });
  const failure = {
    zone: "example-org",
    provider: "RFC2136",
    code: "unreachable",
    message: "rfc2136 192.0.2.53:53: no answer in time. Look.",
  };
  expect(judgeDrift(undefined, failure)).toMatchObject({ status: "failed", facts: [failure.message] });
});
