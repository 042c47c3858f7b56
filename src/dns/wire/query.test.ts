import dnsPacket from "dns-packet";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hex } from "../../../test/support/hex.ts";
import { Rcode, Type } from "./codes.ts";
import { encodeQuery } from "./encode-query.ts";
import { DROP, decodeQuery, newQuery } from "./query.ts";

const HEADER = "1234 0100 0001 0000 0000"; // ID, RD, one question; ARCOUNT follows
const QUESTION = "0161 00 0001 0001"; // a. A IN
const OPT = "00 0029 04d0 00 00 0000"; // root, OPT, 1232 bytes; RDLENGTH follows

/** `2c` of 44. */
const hexByte = (value: number): string => value.toString(16).padStart(2, "0");

test("a query with client subnet, field by field", () => {
  const message = hex(`
    1234 0110 0001 0000 0000 0001          # ID, RD CD, one question, one additional
    03777777 076578616d706c65 00           # www.example.
    001c 0001                              # AAAA IN
    00 0029 1000 00 00 8000 000b           # OPT, 4096 bytes, version 0, DO, 11 bytes of options
    0008 0007 0001 18 00 c00002            # CLIENT-SUBNET 192.0.2.0/24
  `);
  const query = newQuery();
  expect(decodeQuery(message, message.length, query)).toBe(Rcode.NOERROR);
  expect(query).toMatchObject({ id: 0x1234, flags: 0x0110, type: Type.AAAA, class: 1, labels: 2, nameEnd: 25, questionEnd: 29 });
  expect([...query.labelAt.subarray(0, 3)]).toEqual([12, 16, 24]);
  expect(query).toMatchObject({ hasOpt: true, udpSize: 4096, version: 0, dnssecOk: true, hasSubnet: true });
  expect(query.subnet).toMatchObject({ family: 1, source: 24 });
});

test("a query with NSID, cookie and TSIG, field by field", () => {
  const message = hex(`
    1234 0000 0001 0000 0000 0002          # ID, one question, two additional
    03777777 076578616d706c65 00           # www.example.
    0001 0001                              # A IN
    00 0029 04d0 00 00 4000 0014           # OPT, CO, 20 bytes of options
    0003 0000                              # NSID
    000a 0008 0102030405060708             # COOKIE of a client
    090a 0000                              # an option that nobody knows
    00 00fa 00ff 00000000 0002 abcd        # TSIG
  `);
  const query = newQuery();
  expect(decodeQuery(message, message.length, query)).toBe(Rcode.NOERROR);
  expect(query).toMatchObject({ dnssecOk: false, compactOk: true, wantsNsid: true, hasCookie: true, cookieAt: 48, cookieLength: 8 });
  expect(query).toMatchObject({ hasTsig: true, tsigAt: 60 });
  const plain = encodeQuery({ id: 1, name: "example.org", type: Type.A });
  expect(decodeQuery(plain, plain.length, query)).toBe(Rcode.NOERROR);
  expect(query).toMatchObject({ compactOk: false, wantsNsid: false, hasCookie: false, hasTsig: false });
});

const verdicts: readonly { name: string; bytes: string; verdict: number }[] = [
  { name: "eleven bytes", bytes: "1234 0100 0001 0000 0000 00", verdict: DROP },
  { name: "a response", bytes: `1234 8100 0001 0000 0000 0000 ${QUESTION}`, verdict: DROP },
  { name: "NOTIFY", bytes: `1234 2000 0001 0000 0000 0000 ${QUESTION}`, verdict: Rcode.NOTIMP },
  { name: "UPDATE, whatever follows", bytes: "1234 2800 0001 0000 0000 0000 ff", verdict: Rcode.NOTIMP },
  { name: "no question", bytes: "1234 0100 0000 0000 0000 0000", verdict: Rcode.FORMERR },
  { name: "two questions", bytes: `1234 0100 0002 0000 0000 0000 ${QUESTION}${QUESTION}`, verdict: Rcode.FORMERR },
  { name: "a question cut short", bytes: `${HEADER} 0000 0161 00 0001 00`, verdict: Rcode.FORMERR },
  { name: "a pointer in the question", bytes: `${HEADER} 0000 c00c 0001 0001`, verdict: Rcode.FORMERR },
  { name: "label type 10", bytes: `${HEADER} 0000 8161 00 0001 0001`, verdict: Rcode.FORMERR },
  { name: "bytes left over", bytes: `${HEADER} 0000 ${QUESTION} 00`, verdict: Rcode.FORMERR },
  { name: "a record that is not there", bytes: `${HEADER} 0001 ${QUESTION}`, verdict: Rcode.FORMERR },
  { name: "OPT", bytes: `${HEADER} 0001 ${QUESTION} ${OPT} 0000`, verdict: Rcode.NOERROR },
  { name: "OPT twice (RFC 6891 §6.1.1)", bytes: `${HEADER} 0002 ${QUESTION} ${OPT} 0000 ${OPT} 0000`, verdict: Rcode.FORMERR },
  { name: "OPT that is not the root's", bytes: `${HEADER} 0001 ${QUESTION} 0161 ${OPT} 0000`, verdict: Rcode.FORMERR },
  { name: "OPT before another record", bytes: `${HEADER} 0002 ${QUESTION} ${OPT} 0000 00 00fa 00ff 00000000 0000`, verdict: Rcode.NOERROR },
  {
    name: "OPT behind another record",
    bytes: `${HEADER} 0002 ${QUESTION} 00 0010 0001 00000000 0002 01ab ${OPT} 0000`,
    verdict: Rcode.NOERROR,
  },
  {
    name: "TSIG that is not the last record (RFC 8945 §5.1)",
    bytes: `${HEADER} 0002 ${QUESTION} 00 00fa 00ff 00000000 0002 abcd ${OPT} 0000`,
    verdict: Rcode.FORMERR,
  },
  {
    name: "TSIG twice",
    bytes: `${HEADER} 0002 ${QUESTION} 00 00fa 00ff 00000000 0000 00 00fa 00ff 00000000 0000`,
    verdict: Rcode.FORMERR,
  },
  {
    name: "TSIG in the authority section",
    bytes: `1234 0100 0001 0000 0001 0000 ${QUESTION} 00 00fa 00ff 00000000 0000`,
    verdict: Rcode.FORMERR,
  },
  { name: "a client cookie", bytes: `${HEADER} 0001 ${QUESTION} ${OPT} 000c 000a 0008 0102030405060708`, verdict: Rcode.NOERROR },
  ...[0, 7, 9, 15, 41].map((size) => ({
    name: `a cookie of ${size} bytes (RFC 7873 §5.2.2)`,
    bytes: `${HEADER} 0001 ${QUESTION} ${OPT} 00${hexByte(size + 4)} 000a 00${hexByte(size)} ${"11".repeat(size)}`,
    verdict: Rcode.FORMERR,
  })),
  ...[16, 24, 40].map((size) => ({
    name: `a cookie of ${size} bytes`,
    bytes: `${HEADER} 0001 ${QUESTION} ${OPT} 00${hexByte(size + 4)} 000a 00${hexByte(size)} ${"11".repeat(size)}`,
    verdict: Rcode.NOERROR,
  })),
  {
    name: "of several cookies the first counts, whatever the others are (RFC 7873 §5.2)",
    bytes: `${HEADER} 0001 ${QUESTION} ${OPT} 0011 000a 0008 0102030405060708 000a 0001 ff`,
    verdict: Rcode.NOERROR,
  },
  {
    name: "no question but a cookie (RFC 7873 §5.4)",
    bytes: `1234 0100 0000 0000 0000 0001 ${OPT} 000c 000a 0008 0102030405060708`,
    verdict: Rcode.NOERROR,
  },
  { name: "no question and no cookie", bytes: `1234 0100 0000 0000 0000 0001 ${OPT} 0000`, verdict: Rcode.FORMERR },
  { name: "EDNS version 1", bytes: `${HEADER} 0001 ${QUESTION} 00 0029 04d0 00 01 0000 0000`, verdict: Rcode.BADVERS },
  {
    name: "version 1, whatever its options",
    bytes: `${HEADER} 0001 ${QUESTION} 00 0029 04d0 00 01 0000 0002 ffff`,
    verdict: Rcode.BADVERS,
  },
  { name: "an unknown option", bytes: `${HEADER} 0001 ${QUESTION} ${OPT} 0006 fffe 0002 abcd`, verdict: Rcode.NOERROR },
  { name: "an option longer than OPT", bytes: `${HEADER} 0001 ${QUESTION} ${OPT} 0006 fffe 0003 abcd`, verdict: Rcode.FORMERR },
  { name: "half an option", bytes: `${HEADER} 0001 ${QUESTION} ${OPT} 0003 fffe00`, verdict: Rcode.FORMERR },
  {
    name: "client subnet twice",
    bytes: `${HEADER} 0001 ${QUESTION} ${OPT} 0010 0008 0004 0001 0000 0008 0004 0001 0000`,
    verdict: Rcode.FORMERR,
  },
  { name: "a malformed client subnet", bytes: `${HEADER} 0001 ${QUESTION} ${OPT} 0008 0008 0004 0001 0800`, verdict: Rcode.FORMERR },
];
test.each(verdicts)("$name", ({ bytes, verdict }) => {
  const message = hex(bytes);
  expect(decodeQuery(message, message.length, newQuery())).toBe(verdict);
});

test("a name of 255 bytes passes, one of 256 does not", () => {
  const long = (last: number) =>
    hex(`${HEADER} 0000 ${`3f${"78".repeat(63)}`.repeat(3)} ${last.toString(16)}${"78".repeat(last)} 00 0001 0001`);
  expect(decodeQuery(long(61), long(61).length, newQuery())).toBe(Rcode.NOERROR);
  expect(decodeQuery(long(62), long(62).length, newQuery())).toBe(Rcode.FORMERR);
});

test("bytes behind `length` do not count", () => {
  const message = encodeQuery({ id: 1, name: "a.example", type: Type.A, edns: {} });
  const padded = Uint8Array.from([...message, 1, 2, 3]);
  expect(decodeQuery(padded, message.length, newQuery())).toBe(Rcode.NOERROR);
  for (let length = 12; length < message.length; length++) expect(decodeQuery(padded, length, newQuery())).toBe(Rcode.FORMERR);
});

const name = fc.array(fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/), { minLength: 1, maxLength: 6 }).map((labels) => labels.join("."));

test("dns-packet reads what we write, and we read what it writes", () => {
  fc.assert(
    fc.property(
      name,
      fc.nat(0xffff),
      fc.integer({ min: 0, max: 32 }),
      fc.constantFrom("A", "AAAA", "TXT", "SOA"),
      (qname, id, source, type) => {
        const edns = {
          udpSize: 1400,
          dnssecOk: true,
          clientSubnet: { family: 4, address: Uint8Array.of(198, 51, 100, 255), source },
        } as const;
        const ours = encodeQuery({ id, name: qname, type: Type[type], recursionDesired: true, edns });
        const theirs = dnsPacket.decode(Buffer.from(ours));
        expect(theirs).toMatchObject({ id, type: "query", flag_rd: true, questions: [{ name: qname, type, class: "IN" }] });
        expect(theirs.additionals?.[0]).toMatchObject({
          udpPayloadSize: 1400,
          flag_do: true,
          options: [{ family: 1, sourcePrefixLength: source }],
        });
        const query = newQuery();
        const again = dnsPacket.encode(theirs);
        expect(decodeQuery(again, again.length, query)).toBe(Rcode.NOERROR);
        expect(query).toMatchObject({ id, type: Type[type], udpSize: 1400, dnssecOk: true, subnet: { family: 1, source } });
      },
    ),
  );
});

test("no bytes crash decoding", () => {
  const query = newQuery();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (tail) => {
      const message = Uint8Array.from([...hex(HEADER), 0, tail.length & 3, ...tail]);
      expect([Rcode.NOERROR, Rcode.FORMERR, Rcode.BADVERS]).toContain(decodeQuery(message, message.length, query));
    }),
    { numRuns: 2000 },
  );
});
