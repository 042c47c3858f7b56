/** Conformance of the answering function, filed by RFC section. Every answer is read twice: by our decoder and by dns-packet. */
import dnsPacket from "dns-packet";
import { describe, expect, test } from "vitest";
import { dnsWorld, ROUTES, record, SERIAL, ZONES, zone } from "../../test/support/dns-world.ts";
import { hex } from "../../test/support/hex.ts";
import { parseIp } from "../model/ip.ts";
import { Mode } from "../routing/choose.ts";
import { Standing } from "../routing/table.ts";
import { answer, newAnswerContext, useTables } from "./answer.ts";
import { DEFER } from "./answer-context.ts";
import { readClusterAnswers, readDecisions, readQueries, Transport } from "./counters.ts";
import { LANE_KNOWN } from "./slow/lane.ts";
import { newSource, setSource } from "./source.ts";
import { Flag, Rcode, rcodeName, Type, typeName } from "./wire/codes.ts";
import { type DecodedMessage, type DecodedRecord, decodeMessage } from "./wire/decode-message.ts";
import { encodeQuery, type QueryInput } from "./wire/encode-query.ts";
import { encodeName } from "./wire/name.ts";
import { concat } from "./wire/rdata.ts";

const EAST = "192.0.2.200"; // a resolver in no rule's network but 0.0.0.0/0
const WEST = "198.51.100.53";
const now = 1_800_000_000_000;

function newContext(tables = dnsWorld()) {
  const context = newAnswerContext({ now: () => now, random: () => 0.5 });
  useTables(context, tables);
  return context;
}
const shared = newContext();

interface Asked {
  readonly from?: string;
  readonly transport?: Transport;
  readonly context?: typeof shared;
}

/** @returns the reply's bytes; none when the query is dropped */
function send(query: Uint8Array, { from = EAST, transport = Transport.UDP, context = shared }: Asked = {}): Uint8Array {
  const source = newSource(transport);
  setSource(source, from);
  const out = new Uint8Array(0xffff).fill(0xaa);
  const length = answer(query, query.length, source, out, context);
  const limit = transport === Transport.UDP ? 1232 : 0xffff;
  expect(length).toBeLessThanOrEqual(limit);
  expect(out.subarray(limit).every((byte) => byte === 0xaa)).toBe(true);
  return out.slice(0, length);
}

/** As {@link send}, decoded; dns-packet must see the same message. */
function receive(query: Uint8Array, asked: Asked = {}): DecodedMessage {
  const bytes = send(query, asked);
  const ours = decodeMessage(bytes);
  if (ours === undefined) throw new Error("the reply is malformed");
  const theirs = dnsPacket.decode(Buffer.from(bytes));
  const sections = [theirs.answers, theirs.authorities, theirs.additionals?.filter(({ type }) => type !== "OPT")];
  expect(sections.map((records) => records?.map(({ name, type }) => `${name} ${type}`))).toEqual(
    [ours.answers, ours.authorities, ours.additionals].map((records) => records.map(({ name, type }) => `${name} ${typeName(type)}`)),
  );
  expect(theirs).toMatchObject({ id: ours.id, type: "response" });
  return ours;
}

type Question = Partial<QueryInput> & { readonly name: string };
const ask = (question: Question, asked?: Asked): DecodedMessage => receive(encodeQuery({ id: 4711, type: Type.A, ...question }), asked);

const subnet = (text: string, source: number) => {
  const ip = parseIp(text)!;
  return { clientSubnet: { family: ip.family, address: ip.bytes, source } } as const;
};

/** `name ttl TYPE data` */
const show = ({ name, ttl, type, data }: DecodedRecord): string => `${name} ${ttl} ${typeName(type)} ${data}`;
const flagsOf = ({ flags }: DecodedMessage): string =>
  (["AA", "TC", "RD", "RA", "AD", "CD"] as const).filter((flag) => flags & Flag[flag]).join(" ");
const data = (message: DecodedMessage): readonly string[] => message.answers.map((one) => one.data);

const soa = (domain: string) => `${domain} 30 SOA ns1.${domain}. hostmaster.${domain}. ${SERIAL} 3600 600 1209600 30`;

describe("RFC 1034 §4.3.2: what a name gets", () => {
  const cases: readonly {
    name: string;
    ask: Question;
    rcode?: number;
    flags?: string;
    answers?: readonly string[];
    authorities?: readonly string[];
    additionals?: readonly string[];
  }[] = [
    { name: "a route's address", ask: { name: "shop.example.org" }, answers: ["shop.example.org 60 A 192.0.2.1"] },
    { name: "its IPv6 address", ask: { name: "shop.example.org", type: Type.AAAA }, answers: ["shop.example.org 60 AAAA 2001:db8::e1"] },
    {
      name: "a record beside a route",
      ask: { name: "shop.example.org", type: Type.TXT },
      answers: ['shop.example.org 300 TXT "a route with a record beside it"'],
    },
    { name: "a route at the apex", ask: { name: "example.org" }, answers: ["example.org 60 A 192.0.2.1"] },
    { name: "SOA", ask: { name: "example.org", type: Type.SOA }, answers: [soa("example.org").replace(" 30 SOA", " 3600 SOA")] },
    {
      name: "NS",
      ask: { name: "example.org", type: Type.NS },
      answers: ["example.org 3600 NS ns1.example.org.", "example.org 3600 NS ns2.example.com."],
    },
    {
      name: "MX",
      ask: { name: "example.org", type: Type.MX },
      answers: ["example.org 300 MX 10 mail.example.org.", "example.org 300 MX 20 mail.example.org."],
    },
    { name: "CAA", ask: { name: "example.org", type: Type.CAA }, answers: ['example.org 300 CAA 0 issue "ca.example.net"'] },
    {
      name: "SRV",
      ask: { name: "_sip._tcp.example.org", type: Type.SRV },
      answers: ["_sip._tcp.example.org 300 SRV 0 5 5060 sip.example.org."],
    },
    { name: "a static address", ask: { name: "ns1.example.org" }, answers: ["ns1.example.org 300 A 192.0.2.53"] },
    {
      name: "a wildcard, under the name asked for",
      ask: { name: "a.b.wild.example.org", type: Type.TXT },
      answers: ['a.b.wild.example.org 300 TXT "from the wildcard"'],
    },
    { name: "a route's wildcard", ask: { name: "a.apps.example.org" }, answers: ["a.apps.example.org 60 A 192.0.2.1"] },
    {
      name: "an alias for another type, not chased",
      ask: { name: "www.example.org" },
      answers: ["www.example.org 300 CNAME shop.example.org."],
    },
    {
      name: "an alias asked for as such",
      ask: { name: "www.example.org", type: Type.CNAME },
      answers: ["www.example.org 300 CNAME shop.example.org."],
    },
    { name: "an alias by wildcard", ask: { name: "x.alias.example.org" }, answers: ["x.alias.example.org 300 CNAME shop.example.org."] },
    { name: "a name of the inner zone", ask: { name: "www.inner.example.org" }, answers: ["www.inner.example.org 60 A 192.0.2.1"] },
    {
      name: "a referral: no AA, glue of both families",
      ask: { name: "www.child.example.org" },
      flags: "",
      authorities: ["child.example.org 300 NS ns.child.example.org.", "child.example.org 300 NS ns.example.net."],
      additionals: ["ns.child.example.org 300 A 192.0.2.54", "ns.child.example.org 300 AAAA 2001:db8::54"],
    },
    {
      name: "a referral at the cut, whatever the type",
      ask: { name: "child.example.org", type: Type.NS },
      flags: "",
      authorities: ["child.example.org 300 NS ns.child.example.org.", "child.example.org 300 NS ns.example.net."],
      additionals: ["ns.child.example.org 300 A 192.0.2.54", "ns.child.example.org 300 AAAA 2001:db8::54"],
    },
    {
      name: "DS of the cut is ours to deny (RFC 4035 §3.1.4.1)",
      ask: { name: "child.example.org", type: Type.DS },
      authorities: [soa("example.org")],
    },
    {
      name: "DS below the cut is not",
      ask: { name: "www.child.example.org", type: Type.DS },
      flags: "",
      authorities: ["child.example.org 300 NS ns.child.example.org.", "child.example.org 300 NS ns.example.net."],
      additionals: ["ns.child.example.org 300 A 192.0.2.54", "ns.child.example.org 300 AAAA 2001:db8::54"],
    },
    { name: "a name of nobody's", ask: { name: "www.example.net" }, rcode: Rcode.REFUSED, flags: "" },
    { name: "the root", ask: { name: "." }, rcode: Rcode.REFUSED, flags: "" },
    { name: "another class", ask: { name: "shop.example.org", class: 3 }, rcode: Rcode.REFUSED, flags: "" },
    { name: "class ANY", ask: { name: "shop.example.org", class: 255 }, rcode: Rcode.REFUSED, flags: "" },
  ];
  test.each(cases)("$name", ({ ask: question, rcode = Rcode.NOERROR, flags = "AA", answers = [], authorities = [], additionals = [] }) => {
    const reply = ask(question);
    expect(rcodeName(reply.rcode)).toBe(rcodeName(rcode));
    expect(flagsOf(reply)).toBe(flags);
    expect({
      answers: reply.answers.map(show),
      authorities: reply.authorities.map(show),
      additionals: reply.additionals.map(show),
    }).toEqual({
      answers,
      authorities,
      additionals,
    });
  });
});

describe("RFC 2308 §2, §3: negative answers carry the SOA, with TTL = min(SOA TTL, MINIMUM)", () => {
  const cases: readonly { name: string; ask: Question; rcode: number; authority: string }[] = [
    { name: "NXDOMAIN", ask: { name: "no.example.org" }, rcode: Rcode.NXDOMAIN, authority: soa("example.org") },
    { name: "NXDOMAIN far below", ask: { name: "a.b.c.no.example.org" }, rcode: Rcode.NXDOMAIN, authority: soa("example.org") },
    {
      name: "NXDOMAIN of the inner zone",
      ask: { name: "no.inner.example.org" },
      rcode: Rcode.NXDOMAIN,
      authority: soa("inner.example.org"),
    },
    { name: "NXDOMAIN below a route", ask: { name: "x.shop.example.org" }, rcode: Rcode.NXDOMAIN, authority: soa("example.org") },
    { name: "NODATA: no such type", ask: { name: "shop.example.org", type: Type.MX }, rcode: Rcode.NOERROR, authority: soa("example.org") },
    {
      name: "NODATA: a family that the route does not offer",
      ask: { name: "v4only.example.org", type: Type.AAAA },
      rcode: Rcode.NOERROR,
      authority: soa("example.org"),
    },
    {
      name: "NODATA: an empty non-terminal (RFC 8020)",
      ask: { name: "_tcp.example.org" },
      rcode: Rcode.NOERROR,
      authority: soa("example.org"),
    },
    {
      name: "NODATA: a wildcard without the type",
      ask: { name: "x.wild.example.org" },
      rcode: Rcode.NOERROR,
      authority: soa("example.org"),
    },
    {
      name: "NODATA: type 0",
      ask: { name: "shop.example.org", type: 0 },
      rcode: Rcode.NOERROR,
      authority: soa("example.org"),
    },
    {
      name: "NODATA: a type nobody knows",
      ask: { name: "shop.example.org", type: 65_280 },
      rcode: Rcode.NOERROR,
      authority: soa("example.org"),
    },
    {
      name: "NODATA: RRSIG, for the zone is not signed",
      ask: { name: "shop.example.org", type: 46 },
      rcode: Rcode.NOERROR,
      authority: soa("example.org"),
    },
  ];
  test.each(cases)("$name", ({ ask: question, rcode, authority }) => {
    const reply = ask(question);
    expect({ rcode: reply.rcode, flags: flagsOf(reply), answers: reply.answers, authorities: reply.authorities.map(show) }).toEqual({
      rcode,
      flags: "AA",
      answers: [],
      authorities: [authority],
    });
  });

  test("SOA TTL counts when it is the shorter one", () => {
    const short = zone("z", "z.org", [], {
      soa: { ...zone("z", "z.org").soa, ttl: zone("z", "z.org").soa.minimum, minimum: zone("z", "z.org").soa.ttl },
    });
    const reply = ask({ name: "no.z.org" }, { context: newContext(dnsWorld([short], [])) });
    expect(reply.authorities[0]?.ttl).toBe(30);
  });
});

describe("RFC 1035 §4.1.1: header", () => {
  test("ID, OPCODE and RD are copied; RA, AD and Z are clear; CD is copied (RFC 4035 §3.2.2)", () => {
    const query = encodeQuery({ id: 0xbeef, name: "shop.example.org", type: Type.A });
    query[2] = 0x01; // RD
    query[3] = 0xf0; // RA Z AD CD
    const reply = receive(query);
    expect(reply.id).toBe(0xbeef);
    expect(flagsOf(reply)).toBe("AA RD CD");
    expect(reply.flags & 0x0040).toBe(0);
  });

  const rejected: readonly { name: string; bytes: string; reply: string }[] = [
    // ID, flags, QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT
    {
      name: "an opcode other than QUERY is NOTIMP",
      bytes: "0001 2100 0001 0000 0000 0000 00 0001 0001",
      reply: "0001 a104 0000 0000 0000 0000",
    },
    { name: "UPDATE is NOTIMP", bytes: "0001 2800 0001 0000 0000 0000 00 0006 0001", reply: "0001 a804 0000 0000 0000 0000" },
    { name: "no question is FORMERR", bytes: "0001 0000 0000 0000 0000 0000", reply: "0001 8001 0000 0000 0000 0000" },
    {
      name: "two questions are FORMERR (RFC 9619)",
      bytes: "0001 0000 0002 0000 0000 0000 00 0001 0001 00 0001 0001",
      reply: "0001 8001 0000 0000 0000 0000",
    },
    { name: "a broken question is FORMERR", bytes: "0001 0000 0001 0000 0000 0000 c00c 0001 0001", reply: "0001 8001 0000 0000 0000 0000" },
    {
      name: "bytes behind a good question are FORMERR, the question is repeated",
      bytes: "0001 0000 0001 0000 0000 0000 00 0001 0001 ff",
      reply: "0001 8001 0001 0000 0000 0000 00 0001 0001",
    },
  ];
  test.each(rejected)("$name", ({ bytes, reply }) => expect(send(hex(bytes))).toEqual(hex(reply)));

  test.each([
    { name: "a response", bytes: "0001 8000 0001 0000 0000 0000 00 0001 0001" },
    { name: "less than a header", bytes: "0001 0000 0001 0000 0000 00" },
    { name: "nothing", bytes: "" },
  ])("$name gets no answer", ({ bytes }) => expect(send(hex(bytes))).toHaveLength(0));

  const meta = [
    { type: Type.AXFR, rcode: Rcode.REFUSED },
    { type: Type.MAILA, rcode: Rcode.NOTIMP },
    { type: Type.MAILB, rcode: Rcode.NOTIMP },
    { type: Type.TSIG, rcode: Rcode.FORMERR },
    { type: Type.TKEY, rcode: Rcode.FORMERR },
    { type: Type.OPT, rcode: Rcode.FORMERR },
  ];
  test.each(meta)("type $type is no data: RCODE $rcode", ({ type, rcode }) => {
    expect(ask({ name: "example.org", type })).toMatchObject({ rcode, answers: [], authorities: [] });
  });

  test("RFC 1995 §2: an IXFR over UDP is answered with the SOA alone, so that its sender comes by TCP", () => {
    const { rcode, answers, flags } = ask({ name: "example.org", type: Type.IXFR });
    expect([rcode, answers.map(({ type }) => type), flags & Flag.TC]).toEqual([Rcode.NOERROR, [Type.SOA], 0]);
  });

  test("records that are not ours to read are stepped over: an IXFR's SOA", () => {
    const query = encodeQuery({ id: 1, name: "shop.example.org", type: Type.A });
    query[9] = 1; // NSCOUNT
    expect(data(receive(concat([query, hex("c00c 0006 0001 00000000 0004 00000000")])))).toEqual(["192.0.2.1"]);
  });

  test("RFC 8945 §5.1: a query with a TSIG is for a thread that has the secrets", () => {
    const query = encodeQuery({ id: 1, name: "shop.example.org", type: Type.A });
    query[11] = 1; // ARCOUNT
    const signed = concat([query, hex("00 00fa 00ff 00000000 0003 010203")]);
    const source = newSource(Transport.UDP);
    expect(answer(signed, signed.length, source, signed, shared)).toBe(DEFER);
    expect([signed, shared.lane]).toEqual([concat([query, hex("00 00fa 00ff 00000000 0003 010203")]), LANE_KNOWN]);
  });
});

test("draft-vixie-dnsext-dns0x20: the question comes back byte for byte, and records point at it", () => {
  const query = encodeQuery({ id: 1, name: "sHoP.ExAmPlE.oRg", type: Type.A });
  const reply = send(query);
  expect(reply.subarray(12, query.length)).toEqual(query.subarray(12));
  expect(reply.subarray(query.length, query.length + 2)).toEqual(hex("c00c"));
  expect(ask({ name: "nO.eXaMpLe.OrG" }).authorities[0]?.name).toBe("eXaMpLe.OrG");
});

describe("RFC 6891: EDNS(0)", () => {
  test("§7: no OPT without one in the query, one of ours with one", () => {
    expect(ask({ name: "shop.example.org" }).edns).toBeUndefined();
    expect(ask({ name: "shop.example.org", edns: {} }).edns).toEqual({
      udpSize: 1232,
      version: 0,
      dnssecOk: false,
      options: [],
      extendedErrors: [],
    });
  });

  test("RFC 3225 §3: DO is copied", () => expect(ask({ name: "shop.example.org", edns: { dnssecOk: true } }).edns?.dnssecOk).toBe(true));

  test("§6.1.3: another version is BADVERS, with OPT, without records", () => {
    const reply = ask({ name: "shop.example.org", edns: { version: 1 } });
    expect(reply).toMatchObject({ rcode: Rcode.BADVERS, answers: [], edns: { version: 0 }, questions: [{ name: "shop.example.org" }] });
  });

  test("§7: FORMERR has an OPT too once one was seen", () => {
    const query = encodeQuery({ id: 1, name: "shop.example.org", type: Type.A, edns: {} });
    query[11] = 2;
    const twice = concat([query, query.subarray(query.length - 11)]);
    expect(receive(twice)).toMatchObject({ rcode: Rcode.FORMERR, edns: { udpSize: 1232 }, questions: [{ name: "shop.example.org" }] });
  });

  // 29 records of 16 bytes fit into 512 beside the question; the route answers with 32
  const sizes: readonly { name: string; edns?: { udpSize: number }; transport?: Transport; answers: number; truncated: boolean }[] = [
    { name: "RFC 1035 §4.2.1: 512 bytes without EDNS", answers: 0, truncated: true },
    { name: "§6.2.3: a size below 512 counts as 512", edns: { udpSize: 100 }, answers: 0, truncated: true },
    { name: "what the client takes", edns: { udpSize: 1000 }, answers: 32, truncated: false },
    { name: "no more than 1,232 over UDP", edns: { udpSize: 4096 }, answers: 32, truncated: false },
    { name: "RFC 7766: any size over TCP", transport: Transport.TCP, answers: 32, truncated: false },
  ];
  test.each(sizes)("$name", ({ edns, transport, answers, truncated }) => {
    const reply = ask({ name: "many.example.org", ...(edns === undefined ? {} : { edns }) }, transport === undefined ? {} : { transport });
    expect({ answers: reply.answers.length, truncated: (reply.flags & Flag.TC) !== 0 }).toEqual({ answers, truncated });
  });

  test("RFC 2181 §9: a truncated answer has no records, but its OPT", () => {
    const reply = ask({ name: "large.example.org", type: Type.TXT, edns: { udpSize: 4096, ...subnet("198.51.100.0", 24) } });
    expect(flagsOf(reply)).toBe("AA TC");
    expect(reply).toMatchObject({ rcode: Rcode.NOERROR, answers: [], authorities: [], edns: { clientSubnet: { source: 24, scope: 0 } } });
    expect(data(ask({ name: "large.example.org", type: Type.TXT }, { transport: Transport.TCP }))).toHaveLength(40);
  });

  test("an answer is whole if it fits to the byte, and truncated if one is missing", () => {
    for (const count of [25, 28, 31]) {
      const tables = dnsWorld(
        ZONES,
        ROUTES.map((one) => ({ ...one, answers: count })),
      );
      const context = newContext(tables);
      const reply = (udpSize: number, transport: Transport) =>
        send(encodeQuery({ id: 1, name: "many.example.org", type: Type.A, edns: { udpSize, ...subnet("192.0.2.0", 24) } }), {
          context,
          transport,
        });
      const size = reply(0, Transport.TCP).length;
      expect(size).toBe(12 + 22 + 16 * count + 11 + 11); // header, question, records, OPT, client subnet
      for (const udpSize of [size - 1, size, size + 1].filter((one) => one >= 512)) {
        const message = decodeMessage(reply(udpSize, Transport.UDP))!;
        expect(message.answers).toHaveLength(udpSize < size ? 0 : count);
        expect((message.flags & Flag.TC) !== 0).toBe(udpSize < size);
      }
    }
  });
});

describe("RFC 7871: client subnet", () => {
  const cases: readonly { name: string; ask: Question; from?: string; answer: string; scope: number }[] = [
    {
      name: "§7.2.1: the subnet decides, not the resolver",
      ask: { name: "shop.example.org", edns: subnet("198.51.100.0", 24) },
      answer: "203.0.113.1",
      scope: 24,
    },
    {
      name: "a longer source is answered for the network that matters",
      ask: { name: "shop.example.org", edns: subnet("198.51.100.7", 32) },
      answer: "203.0.113.1",
      scope: 24,
    },
    {
      name: "its sibling is told apart",
      ask: { name: "shop.example.org", edns: subnet("198.51.101.7", 32) },
      answer: "192.0.2.1",
      scope: 24,
    },
    {
      name: "far away the scope is as wide as it can be",
      ask: { name: "shop.example.org", edns: subnet("8.8.8.8", 32) },
      answer: "192.0.2.1",
      scope: 1,
    },
    {
      name: "a source shorter than the network: Require wins, and the scope is longer (RFC 7871 §7.2.1)",
      ask: { name: "shop.example.org", edns: subnet("198.51.0.0", 16) },
      answer: "203.0.113.1",
      scope: 18,
    },
    {
      name: "FAMILY 2 for an A record",
      ask: { name: "shop.example.org", edns: subnet("2001:db8:beef::", 56) },
      answer: "203.0.113.1",
      scope: 48,
    },
    {
      name: "FAMILY 1 for an AAAA record",
      ask: { name: "shop.example.org", type: Type.AAAA, edns: subnet("198.51.100.0", 24) },
      answer: "2001:db8::31",
      scope: 24,
    },
    {
      name: "§7.1.2: source 0: the resolver's address, scope 0",
      ask: { name: "shop.example.org", edns: subnet("0.0.0.0", 0) },
      from: WEST,
      answer: "203.0.113.1",
      scope: 0,
    },
    { name: "source 0 of FAMILY 2", ask: { name: "shop.example.org", edns: subnet("::", 0) }, from: WEST, answer: "203.0.113.1", scope: 0 },
    {
      name: "one answer for all has scope 0",
      ask: { name: "plain.example.org", edns: subnet("198.51.100.0", 24) },
      answer: "203.0.113.1",
      scope: 0,
    },
    {
      name: "a sticky route tells /24s apart",
      ask: { name: "sticky.example.org", edns: subnet("8.8.8.8", 32) },
      answer: "192.0.2.1",
      scope: 24,
    },
    {
      name: "a sticky route tells /48s apart",
      ask: { name: "sticky.example.org", edns: subnet("2001:db8:1:2::", 64) },
      answer: "192.0.2.1",
      scope: 48,
    },
    {
      name: "records that do not depend on the client have scope 0",
      ask: { name: "ns1.example.org", edns: subnet("198.51.100.0", 24) },
      answer: "192.0.2.53",
      scope: 0,
    },
  ];
  test.each(cases)("$name", ({ ask: question, from = EAST, answer: expected, scope }) => {
    const query = encodeQuery({ id: 1, type: Type.A, ...question });
    const bytes = send(query, { from });
    const reply = decodeMessage(bytes)!;
    if (question.name === "plain.example.org") expect(["192.0.2.1", "203.0.113.1"]).toContain(data(reply)[0]);
    else expect(data(reply)).toEqual([expected]);
    expect(reply.edns?.clientSubnet?.scope).toBe(scope);
    const option = query.subarray(query.length - (4 + 4 + (reply.edns?.clientSubnet?.address.length ?? 0)));
    const echoed = bytes.slice(bytes.length - option.length);
    echoed[7] = 0;
    expect(echoed).toEqual(option); // FAMILY, SOURCE and ADDRESS byte for byte
  });

  test("§7.2.1: not answered unless asked", () => {
    expect(ask({ name: "shop.example.org", edns: {} }).edns?.options).toEqual([]);
  });

  test("§7.1.2: source 0 says nothing about the place: another resolver, another answer", () => {
    for (const any of ["0.0.0.0", "::"])
      expect(data(ask({ name: "shop.example.org", edns: subnet(any, 0) }, { from: EAST }))).toEqual(["192.0.2.1"]);
  });

  test("family 0 with source 0 is repeated", () => {
    const query = encodeQuery({ id: 1, name: "shop.example.org", type: Type.A, edns: subnet("0.0.0.0", 0) });
    query[query.length - 3] = 0;
    expect(receive(query, { from: WEST })).toMatchObject({
      rcode: 0,
      answers: [{ data: "203.0.113.1" }],
      edns: { clientSubnet: { family: 0, source: 0, scope: 0 } },
    });
  });

  test("§7.4: negative answers, referrals and refusals have scope 0", () => {
    const edns = subnet("198.51.100.0", 24);
    for (const name of ["no.example.org", "v4only.example.org", "www.child.example.org", "www.example.net", "nothing.example.org"]) {
      expect(ask({ name, type: Type.AAAA, edns }).edns?.clientSubnet).toMatchObject({ source: 24, scope: 0 });
    }
  });

  const malformed: readonly { name: string; option: string }[] = [
    { name: "a scope", option: "0001 18 18 c00002" },
    { name: "stray bits", option: "0001 17 00 c00003" },
    { name: "a wrong length", option: "0001 18 00 c0000200" },
    { name: "an unknown family", option: "0007 18 00 c00002" },
  ];
  test.each(malformed)("§7.1.2: $name is FORMERR, and the option is not repeated", ({ option }) => {
    const bytes = hex(option);
    const query = encodeQuery({ id: 1, name: "shop.example.org", type: Type.A, edns: {} });
    query[query.length - 1] = 4 + bytes.length;
    const reply = receive(concat([query, Uint8Array.of(0, 8, 0, bytes.length), bytes]));
    expect(reply).toMatchObject({ rcode: Rcode.FORMERR, answers: [], edns: { options: [] } });
  });
});

describe("who the client is without a subnet", () => {
  const cases: readonly { name: string; from: string; answer: string }[] = [
    { name: "an IPv4 resolver", from: WEST, answer: "203.0.113.1" },
    { name: "another one", from: EAST, answer: "192.0.2.1" },
    { name: "an IPv6 resolver", from: "2001:db8:beef::53", answer: "203.0.113.1" },
    { name: "another one of IPv6", from: "2001:db8:bee0::53", answer: "192.0.2.1" },
    { name: "an IPv4 resolver on an IPv6 socket", from: `::ffff:${WEST}`, answer: "203.0.113.1" },
    { name: "a link-local one with its zone", from: "fe80::1%eth0", answer: "192.0.2.1" },
  ];
  test.each(cases)("$name", ({ from, answer: expected }) => expect(data(ask({ name: "shop.example.org" }, { from }))).toEqual([expected]));
});

describe("RFC 8482: ANY", () => {
  test.each([{ transport: Transport.UDP }, { transport: Transport.TCP }])("one HINFO over either transport ($transport)", (asked) => {
    expect(ask({ name: "shop.example.org", type: Type.ANY }, asked).answers.map(show)).toEqual([
      'shop.example.org 3600 HINFO "RFC8482" ""',
    ]);
  });
  test("NXDOMAIN stays NXDOMAIN", () => expect(ask({ name: "no.example.org", type: Type.ANY }).rcode).toBe(Rcode.NXDOMAIN));
});

describe("RFC 8914: extended errors", () => {
  const errors = (message: DecodedMessage) => message.edns?.extendedErrors;

  test("nothing eligible is SERVFAIL, never an empty answer; no AA", () => {
    const reply = ask({ name: "nothing.example.org", edns: {} });
    expect(reply).toMatchObject({ rcode: Rcode.SERVFAIL, answers: [], authorities: [] });
    expect(flagsOf(reply)).toBe("");
    expect(errors(reply)).toEqual([{ code: 0, text: "no backend may serve this client" }]);
    expect(ask({ name: "nothing.example.org" })).toMatchObject({ rcode: Rcode.SERVFAIL });
  });
  test("outside our zones: Not Authoritative", () =>
    expect(errors(ask({ name: "www.example.net", edns: {} }))).toEqual([{ code: 20, text: "" }]));
  test("before the first table: SERVFAIL, Not Ready", () => {
    const context = newAnswerContext({ now: () => now, random: () => 0 });
    const reply = ask({ name: "shop.example.org", edns: {} }, { context });
    expect(reply.rcode).toBe(Rcode.SERVFAIL);
    expect(errors(reply)).toEqual([{ code: 14, text: "" }]);
  });
});

describe("TTL and choice", () => {
  test("the time to the earliest change, within the route's bounds", () => {
    const tables = dnsWorld();
    const context = newContext(tables);
    const shop = ROUTES.findIndex(({ name }) => name === "shop");
    const east = tables.routing.hot.routeBackends[shop]!;
    const ttl = () => ask({ name: "shop.example.org" }, { context }).answers[0]?.ttl;
    for (const [seconds, expected] of [
      [1, 5],
      [20, 20],
      [1000, 60],
    ] as const) {
      tables.routing.state.worsensAt[2 * east] = now + seconds * 1000;
      expect(ttl()).toBe(expected);
    }
  });

  test("a flip in the live state reaches the next answer", () => {
    const tables = dnsWorld();
    const context = newContext(tables);
    const plain = ROUTES.findIndex(({ name }) => name === "plain");
    const first = tables.routing.hot.routeBackends[plain]!;
    for (const [down, left] of [
      [0, "203.0.113.1"],
      [1, "192.0.2.1"],
    ] as const) {
      tables.routing.state.standing.fill(Standing.Usable, 2 * first, 2 * first + 4);
      tables.routing.state.standing[2 * (first + down)] = Standing.Unhealthy;
      expect(data(ask({ name: "plain.example.org" }, { context }))).toEqual([left]);
    }
  });

  test("other tables answer from the next query on, whatever their size", () => {
    const context = newContext(dnsWorld(ZONES, [ROUTES[1]!]));
    expect(ask({ name: "most.example.org" }, { context }).rcode).toBe(Rcode.NXDOMAIN);
    useTables(context, dnsWorld());
    expect(data(ask({ name: "most.example.org" }, { context, transport: Transport.TCP })).length).toBeGreaterThanOrEqual(32);
    useTables(context, dnsWorld([zone("z", "z.org", [record("a.z.org", "A", "192.0.2.9")])], []));
    expect(ask({ name: "shop.example.org" }, { context }).rcode).toBe(Rcode.REFUSED);
    expect(data(ask({ name: "a.z.org" }, { context }))).toEqual(["192.0.2.9"]);
  });
});

test("the answer may be written over the query", () => {
  const names = [
    "shop.example.org",
    "no.example.org",
    "www.child.example.org",
    "large.example.org",
    "www.example.net",
    "nothing.example.org",
  ];
  for (const name of names) {
    for (const edns of [undefined, { udpSize: 4096, ...subnet("198.51.100.7", 32) }]) {
      const query = encodeQuery({ id: 9, name, type: Type.A, ...(edns === undefined ? {} : { edns }) });
      const buffer = new Uint8Array(1232);
      buffer.set(query);
      const source = newSource(Transport.UDP);
      setSource(source, EAST);
      const length = answer(buffer, query.length, source, buffer, shared);
      expect(buffer.slice(0, length)).toEqual(send(query));
    }
  }
});

test("everything is counted once: by transport, RCODE and type, by mode, drops and truncation", () => {
  const context = newContext();
  ask({ name: "shop.example.org" }, { context });
  ask({ name: "shop.example.org", type: Type.AAAA }, { context, transport: Transport.TCP });
  ask({ name: "no.example.org", type: 65_280 }, { context });
  ask({ name: "nothing.example.org" }, { context });
  ask({ name: "shop.example.org", edns: { version: 3 } }, { context });
  ask({ name: "large.example.org", type: Type.TXT }, { context });
  send(hex("0001"), { context });
  expect(readQueries(context.counters)).toEqual([
    { rcode: "NOERROR", type: "A", transport: "udp", count: 1 },
    { rcode: "NOERROR", type: "TXT", transport: "udp", count: 1 },
    { rcode: "SERVFAIL", type: "A", transport: "udp", count: 1 },
    { rcode: "NXDOMAIN", type: "other", transport: "udp", count: 1 },
    { rcode: "BADVERS", type: "A", transport: "udp", count: 1 },
    { rcode: "dropped", type: "other", transport: "udp", count: 1 },
    { rcode: "NOERROR", type: "AAAA", transport: "tcp", count: 1 },
  ]);
  expect(readDecisions(context.counters)).toEqual([
    { mode: "Usable", count: 2 },
    { mode: "Nothing", count: 1 },
  ]);
  expect(context.counters.decisions[Mode.Usable]).toBe(2);
  expect(readClusterAnswers([context.counters])[0]).toBe(2); // the table's backends have no numbers of their own here
  expect(context.counters.truncated[0]).toBe(1);
});

test("the longest name there is gets an answer within 512 bytes", () => {
  const name = `${"x".repeat(63)}.${"y".repeat(63)}.${"z".repeat(63)}.${"w".repeat(49)}.example.org`;
  expect(encodeName(name)).toHaveLength(255);
  const reply = send(encodeQuery({ id: 1, name, type: Type.A, edns: { udpSize: 512, ...subnet("2001:db8::1", 128) } }));
  expect(decodeMessage(reply)).toMatchObject({ rcode: Rcode.NXDOMAIN, authorities: [{ name: "example.org" }] });
});
