import { expect, test } from "vitest";
import type { RecordSet } from "./record-set.ts";
import { setInWords } from "./set-in-words.ts";

const SET = { ttl: 30, values: ["192.0.2.2", "192.0.2.1"] };
const by = (policy: NonNullable<RecordSet["routing"]>["by"]): Pick<RecordSet, "routing"> => ({ routing: { id: "x", by: policy } });

const cases: readonly { readonly says: string; readonly of: Omit<RecordSet, "name" | "type"> }[] = [
  { says: "192.0.2.1 192.0.2.2, TTL 30 s", of: SET },
  {
    says: "alias of lb.example.net in zone Z1 and its health",
    of: { ttl: 0, values: [], alias: { target: "lb.example.net", zone: "Z1", followsHealth: true } },
  },
  { says: "192.0.2.1 192.0.2.2, TTL 30 s, weight 10", of: { ...SET, ...by({ kind: "Weighted", weight: 10 }) } },
  {
    says: "192.0.2.1 192.0.2.2, TTL 30 s, for clients near eu-west-1 by latency",
    of: { ...SET, ...by({ kind: "Latency", region: "eu-west-1" }) },
  },
  { says: "192.0.2.1 192.0.2.2, TTL 30 s, for everybody else", of: { ...SET, ...by({ kind: "Geo" }) } },
  {
    says: "192.0.2.1 192.0.2.2, TTL 30 s, for clients in country US, subdivision US-CA",
    of: { ...SET, ...by({ kind: "Geo", country: "US", subdivision: "US-CA" }) },
  },
  {
    says: "192.0.2.1 192.0.2.2, TTL 30 s, for clients nearest to 53.35, -6.26 with bias 10",
    of: { ...SET, ...by({ kind: "GeoProximity", latitude: 53.35, longitude: -6.26, bias: 10 }) },
  },
  { says: "192.0.2.1 192.0.2.2, TTL 30 s, second choice", of: { ...SET, ...by({ kind: "Failover", role: "Secondary" }) } },
  { says: "192.0.2.1 192.0.2.2, TTL 30 s, one of several", of: { ...SET, ...by({ kind: "MultiValue" }) } },
  {
    says: "192.0.2.1 192.0.2.2, TTL 30 s, for clients in 198.51.100.0/24 2001:db8::/48",
    of: { ...SET, ...by({ kind: "Subnets", subnets: ["198.51.100.0/24", "2001:db8::/48"] }) },
  },
  {
    says: "192.0.2.1 192.0.2.2, TTL 30 s, health check HTTPS [2001:db8::1]:443/healthz (host shop.example.org) every 10 s, 3 in a row",
    of: {
      ...SET,
      healthCheck: {
        ...{ type: "HTTPS", address: "2001:db8::1", port: 443, host: "shop.example.org", path: "/healthz" },
        ...{ interval: 10, threshold: 3 },
      },
    },
  },
];
test.each(cases)("$says", ({ says, of }) => expect(setInWords(of)).toBe(says));
