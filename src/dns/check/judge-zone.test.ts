/** Each fault is planted in what was seen of a sound zone, and told by its step and no other. */
import { describe, expect, test } from "vitest";
import {
  HOST,
  hostReply,
  NAMESERVERS,
  NODATA,
  NXDOMAIN,
  nsRecords,
  REFUSED,
  record,
  referral,
  reply,
  SOUND,
  soa,
  subnetReply,
  TIMEOUT,
  withBroken,
  withDetail,
  withDetails,
  withParent,
  withServer,
  ZONE,
} from "../../../test/support/zone-observations.ts";
import { Rcode, Type } from "../wire/codes.ts";
import { judgeZone } from "./judge-zone.ts";
import type { Observations } from "./observations.ts";
import type { Step, StepName, StepStatus } from "./step.ts";

const stepOf = (seen: Observations, name: StepName): Step => judgeZone(seen).find((step) => step.name === name)!;
const blamed = (seen: Observations): Readonly<Record<string, StepStatus>> =>
  Object.fromEntries(judgeZone(seen).flatMap(({ name, status }) => (status === "failed" || status === "warning" ? [[name, status]] : [])));
const { expectation: EXPECTED, ...UNCONFIGURED } = SOUND;
const expecting = (change: Partial<NonNullable<Observations["expectation"]>>, seen = SOUND): Observations => ({
  ...seen,
  expectation: { ...EXPECTED!, ...change },
});
const expectingHost = (change: Partial<NonNullable<Observations["expectation"]>["hosts"][number]>): Observations =>
  expecting({ hosts: [{ ...EXPECTED!.hosts[0]!, ...change }] });

test("a sound zone: every step is ok and has one fact at least", () => {
  const steps = judgeZone(SOUND);
  expect(steps.map(({ name, status }) => `${name} ${status}`)).toEqual(
    ["parent", "nameservers", "glue", "answers", "serials", "dnssec", "client-subnet", "ttls", "hosts"].map((name) => `${name} ok`),
  );
  for (const { facts, remedy } of steps) {
    expect(facts.length).toBeGreaterThan(0);
    expect(remedy).toBeUndefined();
  }
});

test("without objects, what needs them is skipped with the option that brings them", () => {
  const seen: Observations = UNCONFIGURED;
  expect(blamed(seen)).toEqual({});
  expect(stepOf(seen, "hosts")).toMatchObject({ status: "skipped", remedy: expect.stringContaining("--config DIR") });
  expect(stepOf(seen, "nameservers")).toMatchObject({
    status: "ok",
    facts: [expect.stringContaining("the parent and the zone"), "no DNSZone was compared"],
  });
});

interface Case {
  readonly name: string;
  readonly seen: Observations;
  /** The steps that are not ok, and how bad they are. */
  readonly blames: Readonly<Partial<Record<StepName, StepStatus>>>;
  readonly says: RegExp;
  /** In the remedy. */
  readonly advises: RegExp;
}

const cases: readonly Case[] = [
  {
    name: "no resolver finds the parent",
    seen: { ...SOUND, parent: { trouble: "no resolver tells which zone holds org", servers: [], leftOut: 0 } },
    blames: { parent: "failed", dnssec: "warning" },
    says: /no resolver tells/,
    advises: /--resolver ADDRESS.*--parent ADDRESS/,
  },
  {
    name: "the parent does not delegate the zone",
    seen: withParent(NXDOMAIN),
    blames: { parent: "failed" },
    says: /a\.org \(192\.0\.2\.1\) of the parent zone org does not delegate example\.org \(NXDOMAIN\)/,
    advises:
      /add `example\.org\. NS ns1\.example\.org\.` and `example\.org\. NS ns2\.example\.org\.`, with glue \(A, AAAA\) for ns1\.example\.org and ns2/,
  },
  {
    name: "the parent's server is none",
    seen: withParent(REFUSED),
    blames: { parent: "failed" },
    says: /does not know the zone above example\.org \(REFUSED\)/,
    advises: /--parent/,
  },
  {
    name: "the parent's server is silent",
    seen: withParent(TIMEOUT, TIMEOUT),
    blames: { parent: "failed", dnssec: "warning" },
    says: /a\.org \(192\.0\.2\.1\) of the parent zone org did not answer within 2 s/,
    advises: /--resolver/,
  },
  {
    name: "the parent lacks a name server",
    seen: withParent(referral(["ns1.example.org"])),
    blames: { nameservers: "failed" },
    says: /ns2\.example\.org is in DNSZone example-org, and the parent does not name it/,
    advises: /Add `example\.org\. NS ns2\.example\.org\.` at the parent zone org/,
  },
  {
    name: "the parent has one more",
    seen: withParent(referral(["ns1.example.org", "ns2.example.org", "old.example.net"])),
    blames: { nameservers: "failed" },
    says: /the parent names old\.example\.net, which is not in DNSZone example-org/,
    advises: /Remove `example\.org\. NS old\.example\.net\.`/,
  },
  {
    name: "the servers have another DNSZone",
    seen: withDetails({ ns: reply({ answers: nsRecords(["ns1.example.org", "ns3.example.org"]) }) }),
    blames: { nameservers: "failed" },
    says: /the servers answer NS ns1\.example\.org and ns3\.example\.org, and DNSZone example-org names ns1\.example\.org and ns2/,
    advises: /spec\.provider\.embedded\.nameservers/,
  },
  {
    name: "one server has other NS",
    seen: withDetail({ ns: reply({ answers: nsRecords(["ns2.example.org"]) }) }),
    blames: { nameservers: "failed" },
    says: /ns2\.example\.org \(192\.0\.2\.54\) answers other NS/,
    advises: /same version/,
  },
  {
    name: "a name server that is an alias",
    seen: { ...SOUND, nameservers: SOUND.nameservers.map((one, i) => (i === 0 ? { ...one, isAlias: true } : one)) },
    blames: { nameservers: "failed" },
    says: /ns1\.example\.org is an alias/,
    advises: /A or AAAA/,
  },
  {
    name: "missing glue",
    seen: withParent(referral(undefined, NAMESERVERS.slice(0, 1))),
    blames: { glue: "failed" },
    says: /ns2\.example\.org has no glue at the parent/,
    advises: /`ns2\.example\.org\. A 192\.0\.2\.54`/,
  },
  {
    name: "stale glue",
    seen: withParent(referral(undefined, [NAMESERVERS[0]!, { name: "ns2.example.org", address: "192.0.2.99" }])),
    blames: { glue: "failed" },
    says: /the glue of ns2\.example\.org at the parent is 192\.0\.2\.99, and the zone says 192\.0\.2\.54/,
    advises: /Change the glue .* to `ns2\.example\.org\. A 192\.0\.2\.54`/,
  },
  {
    name: "glue of one family alone",
    seen: withDetails({
      addresses: SOUND.servers[0]!.detail!.addresses.map((one, i) =>
        i === 0 ? { ...one, replies: [one.replies[0]!, reply({ answers: [record(one.name, Type.AAAA, "2001:db8::53")] })] } : one,
      ),
    }),
    blames: { glue: "warning" },
    says: /the glue of ns1\.example\.org at the parent lacks 2001:db8::53/,
    advises: /`ns1\.example\.org\. AAAA 2001:db8::53`/,
  },
  {
    name: "a name server without address in the zone",
    seen: withDetails({
      addresses: SOUND.servers[0]!.detail!.addresses.map((one, i) => (i === 0 ? { ...one, replies: [NXDOMAIN, NXDOMAIN] } : one)),
    }),
    blames: { glue: "failed" },
    says: /ns1\.example\.org has no address in the zone/,
    advises: /`ns1\.example\.org\. A 192\.0\.2\.53` to the zone: spec\.provider\.embedded\.records/,
  },
  {
    name: "a dead server",
    seen: withBroken(TIMEOUT),
    blames: { answers: "failed" },
    says: /ns2\.example\.org \(192\.0\.2\.54\) did not answer within 2 s \(UDP and TCP\)/,
    advises: /open UDP and TCP port 53/,
  },
  {
    name: "a server without TCP",
    seen: withServer({ soa: { udp: soa(7), tcp: { failure: "nothing-listens" } } }),
    blames: { answers: "failed" },
    says: /ns2\.example\.org \(192\.0\.2\.54\) refused the connection: nothing listens there \(TCP\)/,
    advises: /TCP on port 53/,
  },
  {
    name: "a server that is not to be reached from here",
    seen: withBroken({ failure: "no-route" }),
    blames: { answers: "warning" },
    says: /no route/,
    advises: /IPv6/,
  },
  {
    name: "a lame server that refuses",
    seen: withBroken(REFUSED),
    blames: { answers: "failed" },
    says: /is lame: it does not serve example\.org \(REFUSED by UDP and TCP\)/,
    advises: /remove `example\.org\. NS ns2\.example\.org\.`/,
  },
  {
    name: "a lame server that answers without authority",
    seen: withBroken(reply({ authoritative: false })),
    blames: { answers: "failed" },
    says: /is lame.*no authority \(AA\)/,
    advises: /Let it serve/,
  },
  {
    name: "a server whose copy has expired",
    seen: withBroken(reply({ rcode: Rcode.SERVFAIL })),
    blames: { answers: "failed" },
    says: /SERVFAIL/,
    advises: /expired/,
  },
  {
    name: "a name without any address",
    seen: { ...SOUND, nameservers: [...SOUND.nameservers, { name: "ns.example.net", addresses: [], from: "resolver", isAlias: false }] },
    blames: { answers: "failed" },
    says: /ns\.example\.net has no address/,
    advises: /--resolver/,
  },
  {
    name: "a secondary that does not follow",
    seen: withServer({ soa: { udp: soa(4), tcp: soa(4) }, soaLater: soa(4) }),
    blames: { serials: "failed" },
    says: /ns2\.example\.org \(192\.0\.2\.54\) has serial 4, 3 behind 7/,
    advises: /NOTIFY and transfer/,
  },
  {
    name: "a secondary that was late",
    seen: withServer({ soa: { udp: soa(6), tcp: soa(6) }, soaLater: soa(8) }),
    blames: { serials: "warning" },
    says: /differed for a moment: 7 at ns1.* and 6 at ns2/,
    advises: /Nothing/,
  },
  {
    name: "a serial that wrapped is ahead",
    seen: withServer(
      { soa: { udp: soa(1), tcp: soa(1) } },
      withServer({ soa: { udp: soa(4_294_967_295), tcp: soa(4_294_967_295) } }, SOUND, 0),
    ),
    blames: { serials: "failed" },
    says: /ns1\.example\.org.* has serial 4294967295, 2 behind 1/,
    advises: /--config/,
  },
  {
    name: "serials of GlobalRoute servers and of copies",
    seen: expecting({ serialsApart: "Perhaps" }, withServer({ soa: { udp: soa(4), tcp: soa(4) } })),
    blames: { serials: "warning" },
    says: /serials are 7 at ns1.* and 4 at ns2/,
    advises: /spec\.provider\.embedded\.transfer/,
  },
  {
    name: "one server ignores client subnets",
    seen: withDetail({ subnets: [subnetReply(undefined)] }),
    blames: { "client-subnet": "failed" },
    says: /ns1\.example\.org \(192\.0\.2\.53\) answers by the client's network.*, and ns2\.example\.org \(192\.0\.2\.54\) ignores it/,
    advises: /GlobalRoute servers/,
  },
  {
    name: "one server answers for everybody",
    seen: withDetail({ subnets: [subnetReply(0)] }),
    blames: { "client-subnet": "failed" },
    says: /ns2\.example\.org \(192\.0\.2\.54\) answers for everybody/,
    advises: /geo data/,
  },
  {
    name: "different scopes",
    seen: withDetail({ subnets: [subnetReply(20)] }),
    blames: { "client-subnet": "warning" },
    says: /shop\.example\.org for 198\.51\.100\.0\/24 with different scopes/,
    advises: /geo database/,
  },
  {
    name: "no server knows client subnets, and answers depend on them",
    seen: withDetails({ subnets: [subnetReply(undefined)] }),
    blames: { "client-subnet": "warning" },
    says: /ignore EDNS Client Subnet, and the answers depend on the client/,
    advises: /resolver's address/,
  },
  {
    name: "one server ignores client subnets, and no host is known",
    seen: {
      ...UNCONFIGURED,
      servers: withDetail({ subnets: [subnetReply(undefined)] }, withDetails({ subnets: [subnetReply(0)] })).servers,
    },
    blames: { "client-subnet": "warning" },
    says: /ns2\.example\.org \(192\.0\.2\.54\) ignores EDNS Client Subnet, and ns1/,
    advises: /--config DIR/,
  },
  {
    name: "one server ignores client subnets, and the others had no reason to tailor yet",
    seen: withDetail({ subnets: [subnetReply(undefined)] }, withDetails({ subnets: [subnetReply(0)] })),
    blames: { "client-subnet": "failed" },
    says: /ns1\.example\.org \(192\.0\.2\.53\) knows EDNS Client Subnet, and ns2.* ignores it/,
    advises: /GlobalRoute servers/,
  },
  {
    name: "a server that chokes on client subnets",
    seen: withDetail({ subnets: [{ ...subnetReply(0), reply: reply({ rcode: Rcode.FORMERR }) }] }),
    blames: { "client-subnet": "failed" },
    says: /answers FORMERR when a query has a client subnet/,
    advises: /RFC 6891/,
  },
  {
    name: "a server that answers about another subnet",
    seen: withDetail({ subnets: [subnetReply(8, 16)] }),
    blames: { "client-subnet": "failed" },
    says: /another client subnet than it was asked about/,
    advises: /RFC 7871/,
  },
  {
    name: "NS that nobody can cache",
    seen: withDetails({ ns: reply({ answers: nsRecords(undefined, 0) }) }),
    blames: { ttls: "warning" },
    says: /NS: TTL 3600 s \(1 h\) at the parent and 0 s in the zone/,
    advises: /between an hour and two days/,
  },
  {
    name: "negative answers that are kept for a day",
    seen: withServer({ soa: { udp: soa(7, 86_400, 86_400), tcp: soa(7, 86_400, 86_400) } }, SOUND, 0),
    blames: { ttls: "warning" },
    says: /resolvers keep "no such name" for 86400 s \(1 d\)/,
    advises: /spec\.provider\.embedded\.soa\.minimum/,
  },
  {
    name: "a host with a TTL beyond its route's",
    seen: withDetail({ hosts: [hostReply("192.0.2.10", 3600)] }),
    blames: { ttls: "warning" },
    says: /shop\.example\.org is answered with TTL 3600 s \(1 h\): clients stay for so long after a failover, and route default\/shop allows 60 s/,
    advises: /remove other records/,
  },
  {
    name: "a host that is missing",
    seen: withDetail({ hosts: [{ ...hostReply(), reply: NXDOMAIN }] }),
    blames: { hosts: "failed" },
    says: /shop\.example\.org A is NXDOMAIN \(at ns2\.example\.org \(192\.0\.2\.54\)\)/,
    advises: /route default\/shop/,
  },
  {
    name: "a host without addresses, at every server",
    seen: withDetails({ hosts: [{ ...hostReply(), reply: NODATA }] }),
    blames: { hosts: "failed" },
    says: /has no A records \(NODATA\) \(at ns1\.example\.org \(192\.0\.2\.53\) and ns2\.example\.org \(192\.0\.2\.54\)\)/,
    advises: /globalroute explain shop\.example\.org/,
  },
  {
    name: "a host that cannot be answered",
    seen: withDetails({ hosts: [{ ...hostReply(), reply: reply({ rcode: Rcode.SERVFAIL }) }] }),
    blames: { hosts: "failed" },
    says: /SERVFAIL: nothing may be answered/,
    advises: /explain/,
  },
  {
    name: "a host with somebody else's address",
    seen: withDetails({ hosts: [hostReply("192.0.2.99")] }),
    blames: { hosts: "failed" },
    says: /is answered with 192\.0\.2\.99, which no backend of route default\/shop has/,
    advises: /backend of route default\/shop/,
  },
  {
    name: "a zone without hosts",
    seen: expecting({ hosts: [], allHosts: 0 }),
    blames: { hosts: "warning" },
    says: /no route has a host in example\.org/,
    advises: /GlobalRoute/,
  },
];

describe("a fault", () => {
  test.each(cases)("$name", ({ seen, blames, says, advises }) => {
    expect(blamed(seen)).toEqual(blames);
    const [name] = Object.keys(blames) as readonly StepName[];
    const step = stepOf(seen, name!);
    expect(step.facts.join("\n")).toMatch(says);
    expect(step.remedy).toMatch(advises);
  });
});

const sound: readonly { readonly name: string; readonly seen: Observations; readonly step: StepName; readonly says: RegExp }[] = [
  {
    name: "serials of GlobalRoute servers, which count them apart",
    seen: expecting({ serialsApart: "Only" }, withServer({ soa: { udp: soa(4), tcp: soa(4) } })),
    ...{ step: "serials", says: /count theirs apart/ },
  },
  {
    name: "every client gets the same answer",
    seen: { ...expectingHost({ varies: false }), servers: withDetails({ subnets: [subnetReply(undefined)] }).servers },
    ...{ step: "client-subnet", says: /every client gets the same answer/ },
  },
  {
    name: "a host whose backends are host names",
    seen: { ...expectingHost({ hasHostNames: true, addresses: [] }), servers: withDetails({ hosts: [hostReply("192.0.2.77")] }).servers },
    ...{ step: "hosts", says: /1 of 1 hosts is answered/ },
  },
  {
    name: "a sample of the hosts, which is said",
    seen: expecting({ allHosts: 40 }),
    ...{ step: "hosts", says: /\(1 of 40 were asked\)/ },
  },
  {
    name: "name servers outside the zone need no glue",
    seen: {
      ...expecting({ nameservers: ["ns1.example.net", "ns2.example.net"] }),
      parent: withParent(referral(["ns1.example.net", "ns2.example.net"], [])).parent,
      servers: withDetails({ ns: reply({ answers: nsRecords(["ns1.example.net", "ns2.example.net"]) }) }).servers,
    },
    ...{ step: "glue", says: /none is needed/ },
  },
];

test.each(sound)("no fault: $name", ({ seen, step, says }) => {
  expect(blamed(seen)).toEqual({});
  expect(stepOf(seen, step).facts.join("\n")).toMatch(says);
});

describe("a zone that is kept elsewhere", () => {
  const kept: Observations = {
    ...expecting({ nameservers: [], keptElsewhere: { type: "RFC2136", primary: { host: "192.0.2.53", port: 53 } } }),
    primary: { name: "", server: { address: "192.0.2.53", port: 53 }, soa: soa(7), ns: reply({ answers: nsRecords() }) },
  };
  test("its primary is an authority", () => expect(stepOf(kept, "primary")).toMatchObject({ status: "ok" }));

  const faults: readonly {
    readonly name: string;
    readonly primary: Observations["primary"];
    readonly status: StepStatus;
    readonly says: RegExp;
  }[] = [
    { name: "has no address", primary: { unresolved: "resolvers find none" }, status: "failed", says: /192\.0\.2\.53 has no address/ },
    { name: "is silent", primary: { ...primaryOf(kept), soa: TIMEOUT }, status: "failed", says: /did not answer within 2 s \(TCP\)/ },
    {
      name: "does not serve it",
      primary: { ...primaryOf(kept), soa: REFUSED },
      status: "failed",
      says: /does not serve example\.org \(REFUSED\)/,
    },
    {
      name: "is not where the world is sent",
      primary: { ...primaryOf(kept), ns: reply({ answers: nsRecords(["ns1.example.net"]) }) },
      status: "failed",
      says: /does not name ns1\.example\.org and ns2\.example\.org/,
    },
    {
      name: "is behind others",
      primary: { ...primaryOf(kept), soa: soa(5) },
      status: "warning",
      says: /has serial 7, 2 ahead of 192\.0\.2\.53/,
    },
  ];
  test.each(faults)("its primary $name", ({ primary, status, says }) => {
    const step = stepOf({ ...kept, ...(primary === undefined ? {} : { primary }) }, "primary");
    expect(step.status).toBe(status);
    expect(step.facts[0]).toMatch(says);
    expect(step.remedy).toMatch(/RFC2136|rfc2136|primary/);
  });

  function primaryOf({ primary }: Observations) {
    if (primary === undefined || "unresolved" in primary) throw new Error("no primary");
    return primary;
  }
});

test("a fault at hundreds of hosts is told a dozen times", () => {
  const hosts = Array.from({ length: 100 }, (_, i) => ({ ...EXPECTED!.hosts[0]!, host: `h${i}.example.org`, name: `h${i}.example.org` }));
  const seen = withDetails(
    { hosts: hosts.map(({ host }) => ({ host, type: "A", reply: NXDOMAIN }) as const) },
    expecting({ hosts, allHosts: 100 }),
  );
  const { facts, remedy } = stepOf(seen, "hosts");
  expect(facts).toHaveLength(13);
  expect(facts.at(-1)).toBe("and 88 more");
  expect(remedy?.length).toBeLessThan(1000);
});

test("names compare without regard to case", () => {
  expect(HOST).toContain(ZONE);
  const shouted = nsRecords(["NS1.Example.ORG", "ns2.example.org"]).map((one) => ({ ...one, name: "EXAMPLE.org" }));
  expect(blamed(withDetails({ ns: reply({ answers: shouted }) }))).toEqual({});
});
