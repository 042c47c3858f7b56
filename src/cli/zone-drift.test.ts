import { expect, test } from "vitest";
import type { PlannedChange, ZonePlan } from "../../dns-providers/zone-plan.ts";
import { CommandError } from "./io.ts";
import { delegationIn, judgeDrift, servedDrift, worst } from "./zone-drift.ts";

const plan = (more: Partial<ZonePlan> = {}): ZonePlan => ({
  ...{ zone: "example-org", domain: "example.org", provider: "RFC2136", owner: "prod-eu", policy: "Sync", fence: null },
  ...{ changes: [], conflicts: [], held: [], kept: [] },
  ...more,
});
const change = (action: PlannedChange["action"], name: string): PlannedChange => ({ action, name, type: "A" });

test("a zone that is as it should be", () => {
  expect(judgeDrift(plan(), undefined, "Folder")).toEqual({ status: "ok", facts: ["RFC2136 has what the objects ask for"] });
  expect(judgeDrift(plan({ kept: [{ name: "old.example.org", type: "A" }] }), undefined, "Folder").facts[0]).toContain(
    "1 record set of ours",
  );
});

test("what differs may be a failover, and is a warning", () => {
  const changes = [change("Create", "a.example.org"), change("Replace", "b.example.org"), change("Delete", "c.example.org")];
  expect(judgeDrift(plan({ changes }), undefined, "Folder")).toEqual({
    status: "warning",
    facts: [
      "a.example.org A is not as the objects ask for: it is missing",
      "b.example.org A is not as the objects ask for: it is another",
      "c.example.org A is not as the objects ask for: nobody asks for it",
    ],
    remedy: expect.stringContaining("globalroute plan"),
  });
  const many = Array.from({ length: 9 }, (_, i) => change("Create", `n${i}.example.org`));
  expect(judgeDrift(plan({ changes: many }), undefined, "Folder").facts.at(-1)).toBe("and 4 more");
});

test("what is not ours, or cannot be read, fails", () => {
  const conflicts = [{ name: "www.example.org", type: "A", reason: "OwnedByAnother", owner: "prod-us" }] as const;
  expect(judgeDrift(plan({ conflicts }), undefined, "Server")).toMatchObject({
    status: "failed",
    facts: ["www.example.org A is not ours: OwnedByAnother prod-us"],
  });
  const failure = {
    zone: "example-org",
    provider: "RFC2136",
    code: "unreachable",
    message: "rfc2136 192.0.2.53:53: no answer in time. Look.",
  };
  expect(judgeDrift(undefined, failure, "Folder")).toMatchObject({ status: "failed", facts: [failure.message] });
});

test("a running server's view: asked for one zone, and what differs is told as that", async () => {
  const asked: string[] = [];
  const client = (answer: () => unknown) => ({
    get: async (path: string) => {
      asked.push(path);
      return answer() as never;
    },
  });
  const zones = [plan({ changes: [change("Replace", "a.example.org")] })];
  expect(
    await servedDrift(
      "example.org",
      client(() => ({ zones, failures: [], notes: [] })),
    ),
  ).toEqual({
    status: "warning",
    facts: ["a.example.org A is not as the server publishes it: it is another"],
    remedy: expect.stringContaining("within a minute"),
  });
  expect(
    await servedDrift(
      "example.org",
      client(() => ({ zones: [plan()], failures: [], notes: [] })),
    ),
  ).toEqual({
    status: "ok",
    facts: ["RFC2136 has what the server publishes"],
  });
  expect(asked[0]).toBe("/v1/plan?zone=example.org");
  const refuse = (): never => {
    throw new CommandError(1, "There is no DNSZone example.org that is kept elsewhere.");
  };
  await expect(servedDrift("example.org", client(refuse))).rejects.toMatchObject({ exitCode: 2 });
});

test("of the zone above only this zone's delegation counts, with what it waits for", () => {
  const parent = plan({
    changes: [{ ...change("Create", "ns1.apps.example.org"), resource: "DNSZone/apps" }, change("Delete", "old.example.org")],
    conflicts: [{ name: "geo.example.org", type: "NS", reason: "Foreign", resource: "DNSZone/geo" }],
    waiting: [
      { child: "apps.example.org", why: "ns1 is silent" },
      { child: "geo.example.org", why: "ns2 is silent" },
    ],
  });
  expect(judgeDrift(delegationIn(parent, "apps", "apps.example.org"), undefined, "Folder")).toMatchObject({
    status: "warning",
    facts: [
      "ns1.apps.example.org A is not as the objects ask for: it is missing",
      "the delegation of apps.example.org is not as the objects ask for, and waits: ns1 is silent",
    ],
  });
});

test("a zone and its delegation are as bad as the worse of them", () => {
  const [good, bad] = [
    judgeDrift(plan(), undefined, "Folder"),
    judgeDrift(plan({ changes: [change("Create", "a.example.org")] }), undefined, "Folder"),
  ];
  expect(worst([good, bad])).toEqual({ ...bad, facts: [...bad.facts, ...good.facts] });
  expect(worst([good])).toEqual(good);
});
