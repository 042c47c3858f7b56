import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseProxyHeader } from "./proxy-protocol.ts";

const text = (line: string): Uint8Array => Uint8Array.from(line, (letter) => letter.charCodeAt(0));
const hex = (digits: string): Uint8Array =>
  Uint8Array.from(digits.replaceAll(" ", "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const SIGNATURE = "0d0a0d0a 000d0a51 5549540a";
const V4 = "c0000201 c6336401 c350 01bb"; // 192.0.2.1, 198.51.100.1, 50000, 443
const V6 = `20010db8${"00".repeat(11)}01 20010db8${"00".repeat(11)}02 c350 01bb`;
const MAPPED = `${"00".repeat(10)}ffff c0000201 ${"00".repeat(10)}ffff c6336401 c350 01bb`;

const good: readonly { readonly name: string; readonly bytes: Uint8Array; readonly source: string | undefined }[] = [
  { name: "version 1, IPv4", bytes: text("PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\n"), source: "192.0.2.1" },
  { name: "version 1, IPv6", bytes: text("PROXY TCP6 2001:DB8::1 2001:db8::2 50000 443\r\n"), source: "2001:db8::1" },
  { name: "version 1, unknown", bytes: text("PROXY UNKNOWN\r\n"), source: undefined },
  { name: "version 1, unknown with whatever follows", bytes: text("PROXY UNKNOWN ffff::1 2 3 4 5\r\n"), source: undefined },
  { name: "version 2, IPv4", bytes: hex(`${SIGNATURE} 21 11 000c ${V4}`), source: "192.0.2.1" },
  { name: "version 2, IPv6", bytes: hex(`${SIGNATURE} 21 21 0024 ${V6}`), source: "2001:db8::1" },
  { name: "version 2, IPv4 in IPv6", bytes: hex(`${SIGNATURE} 21 21 0024 ${MAPPED}`), source: "192.0.2.1" },
  { name: "version 2, with TLVs", bytes: hex(`${SIGNATURE} 21 11 0012 ${V4} 04 0003 000000`), source: "192.0.2.1" },
  { name: "version 2, the balancer's own", bytes: hex(`${SIGNATURE} 20 00 0000`), source: undefined },
  { name: "version 2, the balancer's own with addresses", bytes: hex(`${SIGNATURE} 20 11 000c ${V4}`), source: undefined },
  { name: "version 2, no family", bytes: hex(`${SIGNATURE} 21 00 0003 010203`), source: undefined },
  { name: "version 2, a socket's path", bytes: hex(`${SIGNATURE} 21 31 00d8 ${"00".repeat(216)}`), source: undefined },
];

test.each(good)("$name: whatever follows is not touched, however it is cut", ({ bytes, source }) => {
  const whole = Uint8Array.of(...bytes, ...text("GET / HTTP/1.1\r\n"));
  for (let cut = 0; cut < bytes.length; cut++) expect(parseProxyHeader(whole.subarray(0, cut))).toEqual({ kind: "more" });
  for (const end of [bytes.length, whole.length])
    expect(parseProxyHeader(whole.subarray(0, end))).toEqual({ kind: "done", length: bytes.length, source });
});

const bad: readonly { readonly name: string; readonly bytes: Uint8Array }[] = [
  { name: "no header", bytes: text("GET / HTTP/1.1\r\n") },
  { name: "small letters", bytes: text("proxy TCP4 192.0.2.1 198.51.100.1 50000 443\r\n") },
  { name: "two spaces", bytes: text("PROXY  TCP4 192.0.2.1 198.51.100.1 50000 443\r\n") },
  { name: "a line feed alone", bytes: text("PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\n") },
  { name: "a space at the end", bytes: text("PROXY TCP4 192.0.2.1 198.51.100.1 50000 443 \r\n") },
  { name: "an address of the other family", bytes: text("PROXY TCP4 2001:db8::1 198.51.100.1 50000 443\r\n") },
  { name: "an address with leading zeros", bytes: text("PROXY TCP4 192.0.02.1 198.51.100.1 50000 443\r\n") },
  { name: "a port too large", bytes: text("PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n") },
  { name: "a port with a sign", bytes: text("PROXY TCP4 192.0.2.1 198.51.100.1 +5000 443\r\n") },
  { name: "a port missing", bytes: text("PROXY TCP4 192.0.2.1 198.51.100.1 50000\r\n") },
  { name: "datagrams", bytes: text("PROXY UDP4 192.0.2.1 198.51.100.1 50000 443\r\n") },
  { name: "a zero byte", bytes: text("PROXY UNKNOWN \0\r\n") },
  { name: "a line too long", bytes: text(`PROXY UNKNOWN ${"a".repeat(107)}`) },
  { name: "version 3", bytes: hex(`${SIGNATURE} 31 11 000c ${V4}`) },
  { name: "a command nobody knows", bytes: hex(`${SIGNATURE} 22 11 000c ${V4}`) },
  { name: "a length too short for the family", bytes: hex(`${SIGNATURE} 21 11 000b ${V4}`) },
  { name: "datagrams, version 2", bytes: hex(`${SIGNATURE} 21 12 000c ${V4}`) },
  { name: "a length that nobody needs", bytes: hex(`${SIGNATURE} 21 11 ffff ${V4}`) },
];

test.each(bad)("$name: refused", ({ bytes }) => expect(parseProxyHeader(bytes)).toEqual({ kind: "bad" }));

describe("whatever arrives", () => {
  const start = fc.constantFrom<Uint8Array>(text("PROXY "), text("PROXY TCP4 "), hex(SIGNATURE), hex(`${SIGNATURE} 21 11`), text(""));
  test("an outcome, once there, does not change with what comes later", () => {
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), (head, tail) => {
        const all = Uint8Array.of(...head, ...tail);
        const cut = Array.from({ length: all.length + 1 }, (_, end) => parseProxyHeader(all.subarray(0, end)));
        const first = cut.findIndex(({ kind }) => kind !== "more");
        if (first >= 0) for (const later of cut.slice(first)) expect(later).toEqual(cut[first]);
      }),
    );
  });

  test("what is long enough is decided", () => {
    fc.assert(
      fc.property(start, fc.uint8Array({ minLength: 4200, maxLength: 4200 }), (head, tail) => {
        expect(parseProxyHeader(Uint8Array.of(...head, ...tail)).kind).not.toBe("more");
      }),
    );
  });

  test("addresses come out as they went in", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.nat(65_535), fc.nat(65_535), (from, to, fromPort, toPort) => {
        const line = text(`PROXY TCP4 ${from} ${to} ${fromPort} ${toPort}\r\n`);
        expect(parseProxyHeader(line)).toEqual({ kind: "done", length: line.length, source: from });
      }),
    );
  });
});
