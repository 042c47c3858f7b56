import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeAlpn, formatAlpn, formatSvcb } from "./svcb.ts";

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));
const format = (hex: string): string | undefined => formatSvcb(bytes(hex), 0, bytes(hex).length);

// RFC 9460, Appendix D.2, and what servers send
test.each([
  ["0000 03 666f6f 07 6578616d706c65 03 636f6d 00", "0 foo.example.com."],
  ["0001 00", "1 ."],
  ["0010 03666f6f 076578616d706c65 03636f6d 00 0003 0002 0035", "16 foo.example.com. port=53"],
  ["0001 03666f6f 076578616d706c65 03636f6d 00 029b 0005 68656c6c6f", '1 foo.example.com. key667="hello"'],
  [
    "0001 03666f6f 076578616d706c65 03636f6d 00 0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001",
    "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1",
  ],
  [
    "0010 03666f6f 076578616d706c65 036f7267 00 0000 0004 0001 0004 0001 0009 02 6832 05 68332d3139 0004 0004 c0000201",
    "16 foo.example.org. mandatory=alpn,ipv4hint alpn=h2,h3-19 ipv4hint=192.0.2.1",
  ],
  ["0010 03666f6f 076578616d706c65 036f7267 00 0001 000c 08 665c6f6f2c626172 02 6832", '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"'],
  ["0001 00 0001 0003 026832 0002 0000", "1 . alpn=h2 no-default-alpn"],
  ["0001 00 0005 0003 616263", "1 . ech=YWJj"],
])("%s is %s", (hex, text) => expect(format(hex)).toBe(text));

test.each([
  ["no target", "0001"],
  ["a parameter that is cut off", "0001 00 0001 0004 0268"],
  ["half a parameter", "0001 00 0001"],
  ["an id that is longer than its value", "0001 00 0001 0003 036832"],
  ["an empty id", "0001 00 0001 0001 00"],
  ["keys out of order", "0001 00 0003 0002 0035 0001 0003 026832"],
  ["a port of three bytes", "0001 00 0003 0003 003500"],
  ["half an address", "0001 00 0004 0003 c00002"],
])("%s is none", (_, hex) => expect(format(hex)).toBeUndefined());

test("what is published is read back as it was, and nothing else is taken for it", () => {
  const ids = fc.uniqueArray(fc.constantFrom("h2", "h3", "http/1.1"), { minLength: 1 });
  fc.assert(
    fc.property(ids, (alpn) => {
      const rdata = encodeAlpn(formatAlpn(alpn))!;
      expect(formatSvcb(rdata, 0, rdata.length)).toBe(formatAlpn(alpn));
    }),
  );
  for (const text of ["0 example.org.", "1 . alpn=", "1 . alpn=h2, h3", "1 . port=53", '1 . alpn="h2"'])
    expect(encodeAlpn(text)).toBeUndefined();
});

test("no bytes crash it", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (some) => void formatSvcb(some, 0, some.length)));
});
