import fc from "fast-check";
import { expect, test } from "vitest";
import { hex } from "../../../test/support/hex.ts";
import { decodeName, encodeName, equalNames, MAX_NAME } from "./name.ts";

const labels = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 20 })
  .filter((all) => all.reduce((n, one) => n + one.length + 1, 1) <= MAX_NAME);
const wire = labels.map((all) => Uint8Array.from([...all.flatMap((label) => [label.length, ...label]), 0]));

test("text of any name encodes to the same bytes", () => {
  fc.assert(
    fc.property(wire, (name) => {
      const decoded = decodeName(name, 0);
      expect(decoded?.end).toBe(name.length);
      expect(encodeName(decoded!.name)).toEqual(name);
    }),
  );
});

test("no bytes crash decoding, and what is decoded lies inside the message", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, offset) => {
      const decoded = decodeName(bytes, offset);
      if (decoded !== undefined) expect(decoded.end).toBeLessThanOrEqual(bytes.length);
    }),
  );
});

const encodings: readonly { name: string; text: string; bytes: string | undefined }[] = [
  { name: "the root", text: ".", bytes: "00" },
  { name: "a trailing dot changes nothing", text: "a.bc.", bytes: "01 61 02 62 63 00" },
  { name: "case is kept", text: "A.b", bytes: "01 41 01 62 00" },
  { name: "an escaped dot belongs to its label", text: "a\\.b.c", bytes: "03 61 2e 62 01 63 00" },
  { name: "a decimal escape", text: "\\000\\255", bytes: "02 00 ff 00" },
  { name: "a wildcard is an ordinary label", text: "*.a", bytes: "01 2a 01 61 00" },
  { name: "nothing is no name", text: "", bytes: undefined },
  { name: "an empty label", text: "a..b", bytes: undefined },
  { name: "a leading dot", text: ".a", bytes: undefined },
  { name: "an escape above 255", text: "\\256", bytes: undefined },
  { name: "an escape cut short", text: "a\\", bytes: undefined },
  { name: "a label of 64", text: "x".repeat(64), bytes: undefined },
  { name: "letters outside ASCII", text: "ä", bytes: undefined },
];
test.each(encodings)("encode: $name", ({ text, bytes }) => expect(encodeName(text)).toEqual(bytes === undefined ? undefined : hex(bytes)));

test("a name of 255 bytes is the longest", () => {
  const long = `${"x".repeat(63)}.${"x".repeat(63)}.${"x".repeat(63)}.`;
  expect(encodeName(`${long}${"x".repeat(61)}`)).toHaveLength(255);
  expect(encodeName(`${long}${"x".repeat(62)}`)).toBeUndefined();
});

const decodings: readonly { name: string; bytes: string; at: number; decoded: { name: string; end: number } | undefined }[] = [
  { name: "a pointer is followed, the end is behind it", bytes: "01 61 00 | 01 62 c000", at: 3, decoded: { name: "b.a", end: 7 } },
  { name: "a pointer to itself", bytes: "c000", at: 0, decoded: undefined },
  { name: "a pointer forwards", bytes: "c002 01 61 00", at: 0, decoded: undefined },
  { name: "two pointers at each other", bytes: "c002 c000", at: 2, decoded: undefined },
  { name: "a pointer back into its own labels", bytes: "01 61 c000", at: 0, decoded: undefined },
  { name: "half a pointer", bytes: "01 61 c0", at: 0, decoded: undefined },
  { name: "label type 01", bytes: "41 61 00", at: 0, decoded: undefined },
  { name: "no root at the end", bytes: "01 61", at: 0, decoded: undefined },
  { name: "special bytes are escaped", bytes: "03 2e 5c 20 00", at: 0, decoded: { name: "\\.\\\\\\032", end: 5 } },
];
test.each(decodings)("decode: $name", ({ bytes, at, decoded }) => expect(decodeName(hex(bytes), at)).toEqual(decoded));

test("a name grown beyond 255 bytes by pointers is refused", () => {
  const label = [63, ...new Array<number>(63).fill(0x78)];
  const first = [...label, ...label, 0]; // 129 bytes
  const second = [...label, ...label, 0xc0, 0]; // and 128 more
  expect(decodeName(Uint8Array.from([...first, ...second]), first.length)).toBeUndefined();
});

test("names are equal whatever their case", () => {
  expect(equalNames(encodeName("ExAmple.ORG")!, encodeName("example.org")!)).toBe(true);
  expect(equalNames(encodeName("example.org")!, encodeName("example.net")!)).toBe(false);
  expect(equalNames(encodeName("a@")!, encodeName("a`")!)).toBe(false); // 40 and 60 differ in the case bit alone, but are no letters
});
