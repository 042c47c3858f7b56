import dnsPacket from "dns-packet";
import { expect, test } from "vitest";
import type { StaticRecord } from "../../model/inventory.ts";
import { seconds } from "../../model/units.ts";
import { decodeMessage } from "./decode-message.ts";
import { encodeName } from "./name.ts";
import { concat, encodeRdata, encodeRecord, encodeSoa, typeCode } from "./rdata.ts";

const ORIGIN = "example.org";

/** A response that holds one record. */
const responseWith = (type: number, rdata: Uint8Array): Uint8Array =>
  concat([Uint8Array.of(0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0), encodeRecord(encodeName("x.example.org")!, { type, ttl: 60 }, rdata)]);

/** What dns-packet, and what our own decoder make of a value. */
function readings(type: StaticRecord["type"], text: string): { readonly theirs: unknown; readonly ours: string | undefined } {
  const result = encodeRdata(type, text, ORIGIN);
  if ("fault" in result) throw new Error(result.fault.message);
  const message = responseWith(typeCode(type), result.value);
  const theirs = dnsPacket.decode(Buffer.from(message)).answers?.[0];
  return { theirs: theirs !== undefined && "data" in theirs ? theirs.data : undefined, ours: decodeMessage(message)?.answers[0]?.data };
}

const texts = (...values: readonly string[]): unknown => values.map((value) => Buffer.from(value));

const cases: readonly { type: StaticRecord["type"]; text: string; theirs: unknown; ours: string }[] = [
  { type: "A", text: "192.0.2.1", theirs: "192.0.2.1", ours: "192.0.2.1" },
  { type: "AAAA", text: "2001:db8::1", theirs: expect.stringMatching(/^2001:db8:/), ours: "2001:db8::1" },
  { type: "NS", text: "ns1.example.net.", theirs: "ns1.example.net", ours: "ns1.example.net." },
  { type: "NS", text: "ns1", theirs: "ns1.example.org", ours: "ns1.example.org." },
  { type: "CNAME", text: "@", theirs: "example.org", ours: "example.org." },
  { type: "MX", text: "10 mail.example.org.", theirs: { preference: 10, exchange: "mail.example.org" }, ours: "10 mail.example.org." },
  { type: "MX", text: "0 .", theirs: { preference: 0, exchange: "." }, ours: "0 ." },
  {
    type: "SRV",
    text: "1 2 443 www",
    theirs: { priority: 1, weight: 2, port: 443, target: "www.example.org" },
    ours: "1 2 443 www.example.org.",
  },
  {
    type: "CAA",
    text: "0 issue ca.example.net",
    theirs: expect.objectContaining({ flags: 0, tag: "issue", value: "ca.example.net" }),
    ours: '0 issue "ca.example.net"',
  },
  {
    type: "CAA",
    text: '128 IODEF "mailto:a@example.org"',
    theirs: expect.objectContaining({ flags: 128, tag: "iodef" }),
    ours: '128 iodef "mailto:a@example.org"',
  },
  {
    type: "DS",
    text: `12345 13 2 ${"AB".repeat(16)} ${"cd".repeat(16)}`,
    theirs: { keyTag: 12345, algorithm: 13, digestType: 2, digest: Buffer.from("ab".repeat(16) + "cd".repeat(16), "hex") },
    ours: `12345 13 2 ${"ab".repeat(16)}${"cd".repeat(16)}`,
  },
  { type: "TXT", text: "v=spf1 -all", theirs: texts("v=spf1 -all"), ours: '"v=spf1 -all"' },
  { type: "TXT", text: '"one two" "three"', theirs: texts("one two", "three"), ours: '"one two" "three"' },
  { type: "TXT", text: '"one""two"', theirs: texts("one", "two"), ours: '"one" "two"' },
  { type: "TXT", text: '""', theirs: texts(""), ours: '""' },
  { type: "TXT", text: String.raw`"a \"quote\" \092 \065"`, theirs: texts('a "quote" \\ A'), ours: String.raw`"a \"quote\" \\ A"` },
  { type: "TXT", text: "é", theirs: texts("é"), ours: String.raw`"\195\169"` },
  { type: "TXT", text: "x".repeat(300), theirs: texts("x".repeat(255), "x".repeat(45)), ours: `"${"x".repeat(255)}" "${"x".repeat(45)}"` },
];
test.each(cases)("$type $text", ({ type, text, theirs, ours }) => expect(readings(type, text)).toEqual({ theirs, ours }));

const malformed: readonly { type: StaticRecord["type"]; text: string }[] = [
  { type: "A", text: "192.0.2.256" },
  { type: "A", text: "2001:db8::1" },
  { type: "AAAA", text: "192.0.2.1" },
  { type: "NS", text: "" },
  { type: "NS", text: "two names" },
  { type: "CNAME", text: "a..b." },
  { type: "MX", text: "mail.example.org." },
  { type: "MX", text: "65536 mail.example.org." },
  { type: "MX", text: "10 mail.example.org. more" },
  { type: "SRV", text: "1 2 www.example.org." },
  { type: "CAA", text: "256 issue x" },
  { type: "CAA", text: "0 issue" },
  { type: "CAA", text: '0 issue "a" "b"' },
  { type: "TXT", text: '"open' },
  { type: "TXT", text: '"one" two' },
  { type: "TXT", text: `"${"x".repeat(256)}"` },
  { type: "TXT", text: String.raw`\999` },
];
test.each(malformed)("$type $text is refused with an example", ({ type, text }) => {
  const result = encodeRdata(type, text, ORIGIN);
  expect(result).toMatchObject({ fault: { code: "record-value", remedy: expect.stringMatching(/^Write it as in .+\.$/) } });
});

test("SOA: mailbox with dots, numbers in order, serial of 32 bits", () => {
  const numbers = { refresh: seconds(1), retry: seconds(2), expire: seconds(3), minimum: seconds(4), ttl: seconds(5) };
  const rdata = encodeSoa({ mname: "ns1.example.org", rname: "first.last@example.org", ...numbers }, 0xffff_fffe)!;
  const message = responseWith(6, rdata);
  expect(decodeMessage(message)?.answers[0]?.data).toBe(String.raw`ns1.example.org. first\.last.example.org. 4294967294 1 2 3 4`);
  expect(dnsPacket.decode(Buffer.from(message)).answers?.[0]).toMatchObject({
    data: { mname: "ns1.example.org", serial: 0xffff_fffe, minimum: 4 },
  });
});
