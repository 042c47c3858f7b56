import { expect, test } from "vitest";
import { zone } from "../../test/support/dns-world.ts";
import { checkDelegation, delegationParent } from "./check-delegation.ts";
import type { Findings } from "./findings.ts";
import type { Zone, ZoneProvider } from "./inventory.ts";

const PROVIDER: ZoneProvider = { type: "Route53", visibility: "Public", adoptFrom: [], policy: "Sync" };
const kept = (name: string, domain: string): Zone => zone(name, domain, [], { nameservers: [], provider: PROVIDER });
const child = (parent: string): Zone => zone("apps", "apps.example.org", [], { delegation: { parent, adopt: false } });

const cases = [
  {
    name: "a zone that is not there",
    parent: "exampl-org",
    others: [kept("example-org", "example.org")],
    says: "there is no DNSZone exampl-org",
    remedy: "Did you mean example-org?",
  },
  {
    name: "the zone itself",
    parent: "apps",
    others: [],
    says: "DNSZone apps names the zone itself",
    remedy: "Name the DNSZone of a domain above apps.example.org.",
  },
  {
    name: "a zone elsewhere",
    parent: "net",
    others: [kept("net", "example.net")],
    says: "DNSZone net has example.net, and apps.example.org does not lie in it",
    remedy: "above",
  },
  { name: "half a label", parent: "half", others: [kept("half", "s.example.org")], says: "does not lie in it", remedy: "above" },
  { name: "a zone below", parent: "inner", others: [kept("inner", "a.apps.example.org")], says: "does not lie in it", remedy: "above" },
  {
    ...{ name: "not the nearest one", parent: "org", others: [kept("org", "org"), kept("example-org", "example.org")] },
    ...{ says: "DNSZone example-org (example.org) lies between org and apps.example.org", remedy: "Name example-org" },
  },
  {
    ...{ name: "a zone that is answered here", parent: "example-org", others: [zone("example-org", "example.org")] },
    ...{
      says: "is answered here, so its delegations are among its records",
      remedy: "Add NS records of apps.example.org to the records of DNSZone example-org",
    },
  },
] as const;

test.each(cases)("$name is told, with the remedy, and the zone is served all the same", ({ parent, others, says, remedy }) => {
  const zones = [...others, child(parent)];
  const told: string[] = [];
  const findings: Findings = {
    ...{ problems: [], failed: () => false, error: () => expect.unreachable(), fault: () => expect.unreachable() },
    warn: (path, code, message, way) => void told.push(`${path.join(".")} ${code} ${message} ${way}`),
  };
  checkDelegation(zones.at(-1)!, new Map(zones.map((one) => [one.domain, one])), findings);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/^spec\.delegation\.parent zone-delegation /);
  expect(told[0]).toContain(says);
  expect(told[0]).toContain(remedy);
});

test("the zone right above, however many labels away, keeps the delegation", () => {
  const [org, example] = [kept("org", "org"), kept("example-org", "example.org")];
  expect(delegationParent(child("example-org"), [org, example])).toEqual({ parent: example });
  expect(delegationParent(child("org"), [org])).toEqual({ parent: org });
  expect(delegationParent(org, [org, example])).toBeUndefined();
});
