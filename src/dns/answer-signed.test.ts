/**
 * Signed answers, as a validator sees them: an independent one checks each RRset. Every query is put to a thread that cannot sign, in place as
 * the fast transport does, and handed on to one that can when that defers it.
 */
import { describe, expect, test } from "vitest";
import { ROUTES, route, SERIAL } from "../../test/support/dns-world.ts";
import { bogusBecause } from "../../test/support/oracle/dnssec.ts";
import { signedWorld } from "../../test/support/signed-world.ts";
import { parseIp } from "../model/ip.ts";
import { Standing } from "../routing/table.ts";
import { answer, newAnswerContext, useTables } from "./answer.ts";
import { type AnswerContext, DEFER } from "./answer-context.ts";
import { newQueryCounters, readDecisions, readQueries, Transport } from "./counters.ts";
import { lowerCased } from "./dnssec/canonical.ts";
import { LANE_KNOWN, LANE_RANDOM } from "./slow/lane.ts";
import { RENEWAL } from "./slow/rrset-signature.ts";
import { newSignatureCache } from "./slow/signature-cache.ts";
import { createSlowSigner } from "./slow/slow-signer.ts";
import { newSource, setSource } from "./source.ts";
import { Flag, Rcode, Type, typeName } from "./wire/codes.ts";
import { type DecodedMessage, type DecodedRecord, decodeMessage } from "./wire/decode-message.ts";
import { encodeQuery, type QueryInput } from "./wire/encode-query.ts";
import { encodeName } from "./wire/name.ts";

const START = 1_800_000_000;
const WEST = "198.51.100.0";
const everywhere = ["192.0.2.1", "2001:db8::e1"];
const both = (cluster: string, addresses: readonly string[]) => ({ name: cluster, cluster, addresses, weight: 100, priority: 0, bias: 0 });
const rotated = Array.from({ length: 5 }, (_, i) => `192.0.2.${50 - i}`);
const MORE = [
  ...ROUTES,
  route("mixed", ["mixed.example.org"], [both("east", everywhere), both("west", ["203.0.113.9"])]),
  route("rotated", ["rotated.example.org"], [both("east", rotated), both("west", ["203.0.113.9"])], { answers: 2 }),
];

class Threads {
  now = START;
  random = 0.5;
  readonly world;
  readonly counters = newQueryCounters();
  readonly hot: AnswerContext;
  readonly slow: AnswerContext;
  readonly signer;

  /** @param pinned how many RRsets are signed beforehand */
  constructor(pinned = Number.POSITIVE_INFINITY) {
    this.world = signedWorld(START, pinned, MORE);
    const recent = newSignatureCache(64);
    const ports = { now: () => this.now * 1000, random: () => this.random };
    this.signer = createSlowSigner(recent, ports.now);
    const { tables, secrets } = this.world;
    this.signer.use(tables.zones.domains.map((domain, zone) => ({ key: secrets.zoneKeys[zone]!, apex: lowerCased(encodeName(domain)!) })));
    this.hot = newAnswerContext(ports, this.counters, undefined, { recent, signer: undefined });
    this.slow = newAnswerContext(ports, this.counters, undefined, { recent, signer: this.signer });
    useTables(this.hot, tables);
    useTables(this.slow, tables);
  }

  /** @returns the answer, and the lane in which its query had to wait */
  send(query: Uint8Array, from: string, transport: Transport): { readonly bytes: Uint8Array; readonly deferred: number | undefined } {
    const source = newSource(transport);
    setSource(source, from);
    const buffer = new Uint8Array(0xffff).fill(0xaa);
    buffer.set(query);
    const length = answer(buffer, query.length, source, buffer, this.hot);
    if (length !== DEFER) return { bytes: buffer.slice(0, length), deferred: undefined };
    expect(buffer.slice(0, query.length)).toEqual(query); // handed on whole
    const out = new Uint8Array(0xffff);
    return { bytes: out.slice(0, answer(buffer, query.length, source, out, this.slow)), deferred: this.hot.lane };
  }
}

type Question = Partial<QueryInput> & { readonly name: string; readonly client?: string; readonly tcp?: boolean };

interface Asked extends DecodedMessage {
  readonly deferred: number | undefined;
  /** `section name TYPE data`, RRSIG records left out: each is checked, and that each RRset has one. */
  readonly records: readonly string[];
}

function ask(threads: Threads, { client, tcp = false, ...question }: Question): Asked {
  const ip = client === undefined ? undefined : parseIp(client)!;
  const edns = {
    dnssecOk: true,
    ...(ip === undefined ? {} : { clientSubnet: { family: ip.family, address: ip.bytes, source: ip.family === 4 ? 24 : 48 } }),
    ...question.edns,
  };
  const query = encodeQuery({ id: 4711, type: Type.A, ...question, edns });
  const { bytes, deferred } = threads.send(query, "192.0.2.200", tcp ? Transport.TCP : Transport.UDP);
  const message = decodeMessage(bytes);
  if (message === undefined) throw new Error("the reply is malformed");
  const sections = { answer: message.answers, authority: message.authorities, additional: message.additionals };
  const records = Object.entries(sections).flatMap(([section, all]) => {
    if (edns.dnssecOk && message.rcode !== Rcode.SERVFAIL && message.rcode !== Rcode.REFUSED) validate(threads, section, all);
    return all.filter(({ type }) => type !== Type.RRSIG || question.type === Type.RRSIG).map((one) => `${section} ${show(one)}`);
  });
  return { ...message, deferred, records };
}

const show = ({ name, type, data }: DecodedRecord): string => `${name.toLowerCase()} ${typeName(type)} ${data}`;

/** Each RRset of a section has one signature, which is secure: but for NS of a delegation, and glue. */
function validate({ world, now }: Threads, section: string, records: readonly DecodedRecord[]): void {
  const sets = new Map<string, DecodedRecord[]>();
  for (const one of records) {
    const type = one.type === Type.RRSIG ? (one.rdata[0]! << 8) | one.rdata[1]! : one.type;
    const key = `${one.name.toLowerCase()} ${type}`;
    sets.set(key, [...(sets.get(key) ?? []), one]);
  }
  for (const [key, set] of sets) {
    const signatures = set.filter(({ type }) => type === Type.RRSIG);
    const data = set.filter(({ type }) => type !== Type.RRSIG);
    const isDelegation = section !== "answer" && data[0]?.type === Type.NS;
    if (isDelegation || section === "additional" || data.length === 0) continue;
    expect(signatures, key).toHaveLength(1);
    const [{ name, type, ttl }, rrsig] = [data[0]!, signatures[0]!];
    expect([...new Set([...data, rrsig].map((one) => one.ttl))], key).toEqual([ttl]); // RFC 4034 §3
    const signer = ["inner.example.org", "example.org"].find(
      (domain) => name.toLowerCase().endsWith(domain) && rrsig.data.includes(` ${domain}. `),
    )!;
    const rrset = { owner: encodeName(name)!, type, ttl, rdata: data.map(({ rdata }) => rdata) };
    expect(bogusBecause(rrset, rrsig.rdata, world.dnskey.get(signer)!, signer, now), key).toBeUndefined();
    expect(bogusBecause(rrset, rrsig.rdata, world.dnskey.get(signer)!, signer, now + 2 * ttl), `${key}, after two TTLs`).toBeUndefined();
  }
}

const soa = (domain: string) => `authority ${domain} SOA ns1.${domain}. hostmaster.${domain}. ${SERIAL} 3600 600 1209600 30`;
const SOA = soa("example.org");
const nsec = (name: string, ...types: readonly string[]) => `authority ${name} NSEC \\000.${name}. ${types.join(" ")}`;

describe("RFC 4035 §3.1: what a query with DO gets", () => {
  const cases: readonly { name: string; ask: Question; rcode?: number; aa?: boolean; deferred?: number; records: readonly unknown[] }[] = [
    { name: "a route", ask: { name: "shop.example.org" }, records: ["answer shop.example.org A 192.0.2.1"] },
    { name: "a route, IPv6", ask: { name: "shop.example.org", type: Type.AAAA }, records: ["answer shop.example.org AAAA 2001:db8::e1"] },
    { name: "0x20", ask: { name: "sHoP.eXaMpLe.OrG" }, records: ["answer shop.example.org A 192.0.2.1"] },
    {
      name: "another client's answer",
      ask: { name: "shop.example.org", client: WEST },
      records: ["answer shop.example.org A 203.0.113.1"],
    },
    { name: "the apex as a route", ask: { name: "example.org" }, records: ["answer example.org A 192.0.2.1"] },
    {
      name: "an HTTPS record",
      ask: { name: "web.example.org", type: Type.HTTPS, client: WEST },
      records: ["answer web.example.org HTTPS 1 . alpn=h2,http/1.1 ipv4hint=203.0.113.1 ipv6hint=2001:db8::31"],
    },
    {
      name: "all rotations",
      ask: { name: "rotated.example.org" },
      records: [expect.stringMatching(/A 192\.0\.2\.\d+/), expect.stringMatching(/A 192\.0\.2\.\d+/)],
    },
    {
      name: "addresses of several backends: signed when asked for",
      ask: { name: "most.example.org", tcp: true },
      deferred: LANE_KNOWN,
      records: expect.objectContaining({ length: 32 }),
    },
    { name: "a static RRset", ask: { name: "example.org", type: Type.CAA }, records: ['answer example.org CAA 0 issue "ca.example.net"'] },
    {
      name: "DNSKEY",
      ask: { name: "example.org", type: Type.DNSKEY },
      records: [expect.stringMatching(/^answer example.org DNSKEY 257 3 13 /)],
    },
    { name: "CDS", ask: { name: "example.org", type: Type.CDS }, records: [expect.stringMatching(/^answer example.org CDS \d+ 13 2 /)] },
    {
      name: "CDNSKEY",
      ask: { name: "example.org", type: Type.CDNSKEY },
      records: [expect.stringMatching(/^answer example.org CDNSKEY 257 3 13 /)],
    },
    { name: "an alias", ask: { name: "www.example.org" }, records: ["answer www.example.org CNAME shop.example.org."] },
    {
      name: "ANY (RFC 8482 §4.2)",
      ask: { name: "shop.example.org", type: Type.ANY },
      deferred: LANE_KNOWN,
      records: ['answer shop.example.org HINFO "RFC8482" ""'],
    },
    {
      name: "NSEC by its type",
      ask: { name: "v4only.example.org", type: Type.NSEC },
      records: [nsec("v4only.example.org", "A", "RRSIG", "NSEC").replace("authority", "answer")],
    },
    {
      name: "RRSIG by its type: one of them",
      ask: { name: "shop.example.org", type: Type.RRSIG },
      records: [expect.stringMatching(/^answer shop.example.org RRSIG NSEC 13 3 30 /)],
    },
    {
      name: "a host of a wildcard, signed as a name of its own",
      ask: { name: "one.apps.example.org" },
      deferred: LANE_RANDOM,
      records: ["answer one.apps.example.org A 192.0.2.1"],
    },
    {
      name: "the wildcard's own name",
      ask: { name: "*.apps.example.org" },
      deferred: LANE_KNOWN,
      records: ["answer *.apps.example.org A 192.0.2.1"],
    },
    {
      name: "a static RRset of a wildcard",
      ask: { name: "x.y.wild.example.org", type: Type.TXT },
      deferred: LANE_RANDOM,
      records: ['answer x.y.wild.example.org TXT "from the wildcard"'],
    },
    {
      name: "the same of the wildcard itself",
      ask: { name: "*.wild.example.org", type: Type.TXT },
      records: ['answer *.wild.example.org TXT "from the wildcard"'],
    },
    {
      name: "an alias of a wildcard",
      ask: { name: "x.alias.example.org" },
      deferred: LANE_RANDOM,
      records: ["answer x.alias.example.org CNAME shop.example.org."],
    },
    {
      name: "NODATA",
      ask: { name: "shop.example.org", type: Type.MX },
      records: [SOA, nsec("shop.example.org", "A", "TXT", "AAAA", "RRSIG", "NSEC")],
    },
    {
      name: "NODATA of a family that a route does not offer",
      ask: { name: "v4only.example.org", type: Type.AAAA },
      records: [SOA, nsec("v4only.example.org", "A", "RRSIG", "NSEC")],
    },
    {
      name: "NODATA of a family that another client would get",
      ask: { name: "mixed.example.org", type: Type.AAAA, client: WEST },
      records: [SOA, nsec("mixed.example.org", "A", "RRSIG", "NSEC")],
    },
    {
      name: "the same name for any other type",
      ask: { name: "mixed.example.org", type: Type.TXT, client: WEST },
      records: [SOA, nsec("mixed.example.org", "A", "AAAA", "RRSIG", "NSEC")],
    },
    { name: "an empty non-terminal", ask: { name: "ent.wild.example.org" }, records: [SOA, nsec("ent.wild.example.org", "RRSIG", "NSEC")] },
    {
      name: "HTTPS that a route has not",
      ask: { name: "plain.example.org", type: Type.HTTPS },
      records: [SOA, nsec("plain.example.org", "A", "AAAA", "RRSIG", "NSEC")],
    },
    {
      name: "NODATA of a name that a wildcard makes",
      ask: { name: "X.wild.example.org" },
      deferred: LANE_RANDOM,
      records: [SOA, nsec("x.wild.example.org", "TXT", "RRSIG", "NSEC")],
    },
    {
      name: "a name that does not exist (RFC 9824 §3.1)",
      ask: { name: "No.example.org" },
      deferred: LANE_RANDOM,
      records: [SOA, nsec("no.example.org", "RRSIG", "NSEC", "NXNAME")],
    },
    {
      name: "the same for a client that understands NXDOMAIN (§5.1)",
      ask: { name: "no.example.org", edns: { compactOk: true } },
      rcode: Rcode.NXDOMAIN,
      deferred: LANE_RANDOM,
      records: [SOA, nsec("no.example.org", "RRSIG", "NSEC", "NXNAME")],
    },
    {
      name: "its NSEC record by type",
      ask: { name: "no.example.org", type: Type.NSEC },
      deferred: LANE_RANDOM,
      records: [nsec("no.example.org", "RRSIG", "NSEC", "NXNAME").replace("authority", "answer")],
    },
    {
      name: "the same of a name that a wildcard makes",
      ask: { name: "x.wild.example.org", type: Type.NSEC },
      deferred: LANE_RANDOM,
      records: [nsec("x.wild.example.org", "TXT", "RRSIG", "NSEC").replace("authority", "answer")],
    },
    {
      name: "a referral to a child that is not signed",
      ask: { name: "www.child.example.org" },
      aa: false,
      records: [
        "authority child.example.org NS ns.child.example.org.",
        "authority child.example.org NS ns.example.net.",
        nsec("child.example.org", "NS", "RRSIG", "NSEC"),
        "additional ns.child.example.org A 192.0.2.54",
        "additional ns.child.example.org AAAA 2001:db8::54",
      ],
    },
    {
      name: "a referral to one that is",
      ask: { name: "www.secure.example.org" },
      aa: false,
      records: ["authority secure.example.org NS ns.example.net.", expect.stringMatching(/^authority secure.example.org DS \d+ 13 2 /)],
    },
    {
      name: "DS of a child",
      ask: { name: "secure.example.org", type: Type.DS },
      records: [expect.stringMatching(/^answer secure.example.org DS /)],
    },
    {
      name: "DS that a child has not",
      ask: { name: "child.example.org", type: Type.DS },
      records: [SOA, nsec("child.example.org", "NS", "RRSIG", "NSEC")],
    },
    {
      name: "DS of a zone of ours, from the one around it",
      ask: { name: "inner.example.org", type: Type.DS },
      records: [expect.stringMatching(/^answer inner.example.org DS /)],
    },
    { name: "the inner zone's own names", ask: { name: "www.inner.example.org" }, records: ["answer www.inner.example.org A 192.0.2.1"] },
    {
      name: "NODATA there",
      ask: { name: "inner.example.org", type: Type.TXT },
      records: [soa("inner.example.org"), nsec("inner.example.org", "NS", "SOA", "RRSIG", "NSEC", "DNSKEY", "CDS", "CDNSKEY")],
    },
    { name: "nothing eligible", ask: { name: "nothing.example.org" }, rcode: Rcode.SERVFAIL, aa: false, records: [] },
    { name: "another zone", ask: { name: "www.example.net" }, rcode: Rcode.REFUSED, aa: false, records: [] },
  ];

  const threads = new Threads();
  test.each(cases)("$name", ({ ask: question, rcode = Rcode.NOERROR, aa = true, deferred, records }) => {
    threads.hot.signing.recent.words.fill(0);
    const reply = ask(threads, question);
    expect(reply).toMatchObject({ rcode, records, deferred });
    expect([(reply.flags & Flag.AA) !== 0, (reply.flags & Flag.AD) !== 0]).toEqual([aa, false]);
    expect(ask(threads, question)).toMatchObject({ rcode, records, deferred: undefined }); // the signature was kept
  });

  test.each(cases.filter(({ ask: { type } }) => type !== Type.NSEC && type !== Type.RRSIG))(
    "$name: without DO there is no trace of it",
    ({ ask: question }) => {
      const reply = ask(threads, { ...question, edns: { dnssecOk: false } });
      expect(reply.deferred).toBeUndefined();
      const types = [...reply.answers, ...reply.authorities].map(({ type }) => type);
      if (question.type !== Type.DS)
        expect(types.filter((type) => type === Type.RRSIG || type === Type.NSEC || type === Type.DS)).toEqual([]);
    },
  );

  test("a name that does not exist is NXDOMAIN without DO, CO or not", () => {
    for (const compactOk of [false, true]) {
      expect(ask(threads, { name: "no.example.org", edns: { dnssecOk: false, compactOk } })).toMatchObject({
        rcode: Rcode.NXDOMAIN,
        records: [SOA],
      });
    }
  });
});

describe("RFC 9824", () => {
  const threads = new Threads();
  test("§3.5: NXNAME is no type to ask for", () => {
    const reply = ask(threads, { name: "shop.example.org", type: Type.NXNAME });
    expect(reply).toMatchObject({ rcode: Rcode.FORMERR, records: [], edns: { extendedErrors: [{ code: 30 }] } });
  });

  test("§5.1: CO comes back", () => {
    const flags = (compactOk: boolean, dnssecOk: boolean) => {
      const query = encodeQuery({ id: 1, name: "shop.example.org", type: Type.A, edns: { compactOk, dnssecOk } });
      const { bytes } = threads.send(query, "192.0.2.200", Transport.UDP);
      return (bytes.at(-4)! << 8) | bytes.at(-3)!; // OPT is last, and without options
    };
    expect([flags(false, true), flags(true, true), flags(true, false)]).toEqual([0x8000, 0xc000, 0x4000]);
  });

  test("§3: names so long that nothing can be put before them have a next name all the same", () => {
    const labels = (first: number) => [`${"a".repeat(first)}`, "b".repeat(63), "c".repeat(63), "d".repeat(48)].join(".");
    for (const first of [60, 61, 62, 63]) {
      const name = `${labels(first)}.example.org`;
      if (encodeName(name) === undefined) continue;
      const reply = ask(threads, { name, tcp: true });
      expect(reply).toMatchObject({ rcode: Rcode.NOERROR, deferred: LANE_RANDOM });
      expect(reply.records[1]).toMatch(/RRSIG NSEC NXNAME$/);
    }
  });
});

describe("signatures and time", () => {
  test("RRSIG's TTL is the answer's, its original TTL the longest; what was signed once serves every TTL", () => {
    const threads = new Threads(0);
    const { state } = threads.world.tables.routing;
    const ttls = [5, 33, 60].map((ttl) => {
      state.worsensAt.fill((threads.now + ttl) * 1000);
      const { answers, deferred } = ask(threads, { name: "shop.example.org" });
      return [answers[0]!.ttl, answers[1]!.ttl, /^A 13 3 60 /.test(answers[1]!.data), deferred];
    });
    expect(ttls).toEqual([
      [5, 5, true, LANE_KNOWN],
      [33, 33, true, undefined],
      [60, 60, true, undefined],
    ]);
    expect(threads.signer.signed()).toBe(1);
  });

  test("one made on demand is replaced when half of its time is over; one of the table lasts until two TTLs before its end", () => {
    const threads = new Threads();
    const random = { name: "no.example.org" };
    const known = { name: "shop.example.org" };
    expect([ask(threads, random).deferred, ask(threads, random).deferred, ask(threads, known).deferred]).toEqual([
      LANE_RANDOM,
      undefined,
      undefined,
    ]);
    threads.now = START + RENEWAL;
    expect(ask(threads, known).deferred).toBeUndefined();
    expect(
      threads.send(encodeQuery({ id: 1, type: Type.A, ...random, edns: { dnssecOk: true } }), "192.0.2.1", Transport.UDP).deferred,
    ).toBeUndefined();
    threads.now = START + RENEWAL + 1;
    expect(
      threads.send(encodeQuery({ id: 1, type: Type.A, ...random, edns: { dnssecOk: true } }), "192.0.2.1", Transport.UDP).deferred,
    ).toBe(LANE_RANDOM);
    threads.now = START + 2 * RENEWAL - 120;
    expect(ask(threads, known).deferred).toBeUndefined();
    threads.now++;
    expect(ask(threads, known).deferred).toBe(LANE_KNOWN);
  });

  test("a health flip: the new answer is signed once, for everybody", () => {
    const threads = new Threads();
    const { state, hot, names } = threads.world.tables.routing;
    const at = names.routes.findIndex(({ name }) => name === "rotated");
    const first = hot.backendAddresses[2 * hot.routeBackends[at]!]!;
    for (let i = 0; i < 4; i++) state.addressStanding[first + i] = Standing.Unhealthy;
    expect(ask(threads, { name: "rotated.example.org" })).toMatchObject({
      records: ["answer rotated.example.org A 192.0.2.46"],
      deferred: LANE_KNOWN,
    });
    expect(ask(threads, { name: "rotated.example.org" })).toMatchObject({ deferred: undefined });
  });

  test("every rotation was signed beforehand", () => {
    const threads = new Threads();
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) {
      threads.random = i / 200;
      const { records, deferred } = ask(threads, { name: "rotated.example.org" });
      expect(deferred).toBeUndefined();
      seen.add(records.join());
    }
    expect(seen.size).toBe(5);
  });
});

describe("size", () => {
  test("an answer that does not fit with its signature is truncated, never sent without it, and needs none", () => {
    const threads = new Threads(0);
    for (const udpSize of [512, 1232]) {
      const reply = ask(threads, { name: "many.example.org", edns: { udpSize } });
      const fits = udpSize === 1232;
      expect([(reply.flags & Flag.TC) !== 0, reply.answers.length, reply.deferred]).toEqual([
        !fits,
        fits ? 33 : 0,
        fits ? LANE_KNOWN : undefined,
      ]);
    }
    expect(ask(threads, { name: "example.org", type: Type.TXT, edns: { udpSize: 512 } }).flags & Flag.TC).toBe(0);
    expect(ask(threads, { name: "no.example.org", edns: { udpSize: 512 } }).flags & Flag.TC).toBe(0);
  });
});

test("a query that is handed on is counted once, where it is answered", () => {
  const threads = new Threads(0);
  ask(threads, { name: "shop.example.org" });
  expect(readQueries(threads.counters)).toEqual([{ rcode: "NOERROR", type: "A", transport: "udp", count: 1 }]);
  expect(readDecisions(threads.counters)).toEqual([{ mode: "Usable", count: 1 }]);
});
