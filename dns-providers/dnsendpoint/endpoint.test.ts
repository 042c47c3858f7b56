import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RecordSet, type SetPolicy, sameRecordSet } from "../record-set.ts";
import { fromEndpoint, toEndpoint } from "./endpoint.ts";

const NAME = "shop.example.org";
const plain: RecordSet = { name: NAME, type: "A", ttl: 30, values: ["192.0.2.2", "192.0.2.1"] };
const routed = (by: SetPolicy, more: Partial<RecordSet> = {}): RecordSet => ({ ...plain, routing: { id: "eu", by }, ...more });
const properties = (...pairs: readonly (readonly [string, string])[]) => ({
  setIdentifier: "eu",
  providerSpecific: pairs.map(([name, value]) => ({ name, value })),
});

describe("an endpoint", () => {
  test("of a plain set has its values in one order, so that nothing is written for another", () => {
    expect(toEndpoint(plain, false)).toEqual({ dnsName: NAME, recordType: "A", targets: ["192.0.2.1", "192.0.2.2"], recordTTL: 30 });
  });

  test("of a CNAME has no trailing dot, which ExternalDNS before 0.22 takes for a mistake", () => {
    const alias: RecordSet = { name: NAME, type: "CNAME", ttl: 5, values: ["elsewhere.example.net."] };
    expect(toEndpoint(alias, false).targets).toEqual(["elsewhere.example.net"]);
    expect(fromEndpoint(toEndpoint(alias, false))).toEqual(alias);
  });

  const cases: readonly { readonly name: string; readonly set: RecordSet; readonly endpoint: object }[] = [
    { name: "weights", set: routed({ kind: "Weighted", weight: 70 }), endpoint: properties(["aws/weight", "70"]) },
    { name: "regions", set: routed({ kind: "Latency", region: "eu-west-1" }), endpoint: properties(["aws/region", "eu-west-1"]) },
    { name: "a primary", set: routed({ kind: "Failover", role: "Primary" }), endpoint: properties(["aws/failover", "PRIMARY"]) },
    { name: "a secondary", set: routed({ kind: "Failover", role: "Secondary" }), endpoint: properties(["aws/failover", "SECONDARY"]) },
    { name: "one of several values", set: routed({ kind: "MultiValue" }), endpoint: properties(["aws/multi-value-answer", ""]) },
    { name: "a continent", set: routed({ kind: "Geo", continent: "EU" }), endpoint: properties(["aws/geolocation-continent-code", "EU"]) },
    { name: "a country", set: routed({ kind: "Geo", country: "CH" }), endpoint: properties(["aws/geolocation-country-code", "CH"]) },
    { name: "everybody else", set: routed({ kind: "Geo" }), endpoint: properties(["aws/geolocation-country-code", "*"]) },
    {
      name: "a subdivision",
      set: routed({ kind: "Geo", subdivision: "US-CA" }),
      endpoint: properties(["aws/geolocation-country-code", "US"], ["aws/geolocation-subdivision-code", "CA"]),
    },
    {
      name: "a point",
      set: routed({ kind: "GeoProximity", latitude: 53.35, longitude: -6.2, bias: -5 }),
      endpoint: properties(["aws/geoproximity-coordinates", "53.35,-6.20"], ["aws/geoproximity-bias", "-5"]),
    },
    {
      name: "an alias within the zone",
      set: { name: NAME, type: "AAAA", ttl: 0, values: [], alias: { target: "near.example.org", followsHealth: true } },
      endpoint: {
        targets: ["near.example.org"],
        providerSpecific: [
          { name: "alias", value: "true" },
          { name: "aws/evaluate-target-health", value: "true" },
        ],
      },
    },
    {
      name: "an alias of a load balancer",
      set: {
        name: NAME,
        type: "A",
        ttl: 0,
        values: [],
        alias: { target: "lb.eu-west-1.elb.amazonaws.com", zone: "Z32O12XQLNTSW2", followsHealth: false },
      },
      endpoint: {
        providerSpecific: [
          { name: "alias", value: "true" },
          { name: "aws/evaluate-target-health", value: "false" },
          { name: "aws/target-hosted-zone", value: "Z32O12XQLNTSW2" },
        ],
      },
    },
    {
      name: "a check that is somebody's",
      set: { ...plain, healthCheck: { type: "TCP", address: "health check 8f3c", port: 0, interval: 30, threshold: 1 } },
      endpoint: { providerSpecific: [{ name: "aws/health-check-id", value: "8f3c" }] },
    },
  ];
  test.each(cases)("tells Route 53 $name, and is read back as the same", ({ set, endpoint }) => {
    expect(toEndpoint(set, true)).toMatchObject(endpoint);
    expect(fromEndpoint(toEndpoint(set, true))).toSatisfy((read: RecordSet) => sameRecordSet(read, set));
  });

  const refused: readonly { readonly name: string; readonly set: RecordSet; readonly hasPolicies: boolean }[] = [
    { name: "a type that ExternalDNS does not manage", set: { ...plain, type: "TXT", values: ['"x"'] }, hasPolicies: true },
    { name: "routing at a provider of any kind", set: routed({ kind: "Weighted", weight: 1 }), hasPolicies: false },
    { name: "subnets", set: routed({ kind: "Subnets", subnets: ["192.0.2.0/24"] }), hasPolicies: true },
    {
      name: "a check that somebody would have to make: without it the set is answered when nobody is there",
      set: { ...plain, healthCheck: { type: "TCP", address: "192.0.2.1", port: 443, interval: 30, threshold: 3 } },
      hasPolicies: true,
    },
  ];
  test.each(refused)("is not made of $name", ({ set, hasPolicies }) => {
    expect(() => toEndpoint(set, hasPolicies)).toThrow(RangeError);
  });

  test("of anybody is read or left out, whatever it is", () => {
    expect(fromEndpoint({ dnsName: "Shop.Example.org.", recordType: "A" })).toEqual({ name: NAME, type: "A", ttl: 0, values: [] });
    expect(fromEndpoint({ recordType: "A", targets: ["192.0.2.1"] })).toBeUndefined();
    fc.assert(fc.property(fc.anything(), (thing) => void fromEndpoint(thing)));
  });
});
