import { describe, expect, test } from "vitest";
import { type DelegationFacts, judgeDelegation, NO_ANSWER, NOBODY_THERE } from "./delegation.ts";

const serial = { values: [7] };
const names = { values: ["ns1.example.net", "ns2.example.net"] };
const nameserver = (name: string, address: string, answer: DelegationFacts["serial"] = serial) => ({
  name,
  addresses: { values: [address] },
  serials: [{ address, serial: answer }],
});
const sound: DelegationFacts = {
  zone: "example.org",
  server: "127.0.0.1:5300",
  delegated: { values: ["ns2.example.net", "ns1.example.net"] },
  served: names,
  serial,
  nameservers: [nameserver("ns1.example.net", "192.0.2.1"), nameserver("ns2.example.net", "192.0.2.2")],
};

test("a sound delegation: all ok, in any order of names", () => {
  expect(judgeDelegation(sound).map(({ ok }) => ok)).toEqual([true, true, true, true]);
});

describe("what is wrong is said with its remedy", () => {
  const cases: readonly { name: string; facts: Partial<DelegationFacts>; fails: readonly RegExp[] }[] = [
    {
      name: "our server has no such zone",
      facts: { serial: { failure: "refused" }, served: { failure: "refused" } },
      fails: [/127\.0\.0\.1:5300 has no SOA.*DNSZone/],
    },
    {
      name: "our server is not there",
      facts: { serial: { failure: NOBODY_THERE }, served: { failure: NOBODY_THERE } },
      fails: [/cannot be asked at 127\.0\.0\.1:5300 \(nothing listens there\)\. Start it, or name .* --nameserver/],
    },
    {
      name: "our server is silent",
      facts: { serial: { failure: NO_ANSWER }, served: { failure: NO_ANSWER } },
      fails: [/cannot be asked at 127\.0\.0\.1:5300 \(no answer\)/],
    },
    {
      name: "nobody delegates it",
      facts: { delegated: { failure: "no such name" }, nameservers: [] },
      fails: [/no NS of example\.org \(no such name\).*NS ns1\.example\.net, ns2\.example\.net/],
    },
    {
      name: "the parent lacks a nameserver",
      facts: { delegated: { values: ["ns1.example.net"] } },
      fails: [/ns2\.example\.net is in the DNSZone but not in the delegation/],
    },
    {
      name: "the parent has one more",
      facts: { delegated: { values: [...names.values, "old.example.net"] } },
      fails: [/old\.example\.net is in the delegation but not in the DNSZone/],
    },
    {
      name: "a nameserver without address",
      facts: { nameservers: [{ name: "ns1.example.org", addresses: { failure: "no such name" }, serials: [] }] },
      fails: [/ns1\.example\.org has no address.*glue/],
    },
    {
      name: "a lame nameserver",
      facts: { nameservers: [nameserver("ns1.example.net", "192.0.2.1", { failure: "refused" })] },
      fails: [/ns1\.example\.net \(192\.0\.2\.1\) does not answer.*refused/],
    },
    {
      name: "another server of that name",
      facts: { nameservers: [nameserver("ns1.example.net", "192.0.2.1", { values: [6] })] },
      fails: [/serial 6, our server with 7/],
    },
  ];
  test.each(cases)("$name", ({ facts, fails }) => {
    const bad = judgeDelegation({ ...sound, ...facts }).filter(({ ok }) => !ok);
    expect(bad).toHaveLength(fails.length);
    for (const [i, pattern] of fails.entries()) expect(bad[i]!.text).toMatch(pattern);
  });
});
