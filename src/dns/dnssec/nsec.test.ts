import fc from "fast-check";
import { expect, test } from "vitest";
import { hex } from "../../../test/support/hex.ts";
import { compareCanonical, readName, readTypeBitmap } from "../../../test/support/oracle/dnssec.ts";
import { Type } from "../wire/codes.ts";
import { encodeName, MAX_NAME } from "../wire/name.ts";
import { concat } from "../wire/rdata.ts";
import { compareNames } from "./canonical.ts";
import { encodeNsec, encodeTypeBitmap, nextName } from "./nsec.ts";

const name = (text: string): Uint8Array => encodeName(text)!;
const APEX = name("example.org");
const label = (length: number, byte: number): Uint8Array => concat([Uint8Array.of(length), new Uint8Array(length).fill(byte)]);
/** A name of exactly so many bytes whose first label is given, filled up with labels of `a`. */
function longName(first: Uint8Array, length: number): Uint8Array {
  const labels = [first];
  let left = length - first.length - APEX.length;
  while (left > 0) {
    const size = left - 1 <= 63 ? left - 1 : Math.min(63, left - 3);
    labels.push(label(size, 0x61));
    left -= size + 1;
  }
  return concat([...labels, APEX]);
}

test("RFC 4034 §4.3: the example's bit maps", () => {
  const bytes = hex(`
    04 68 6f 73 74 07 65 78 61 6d 70 6c 65 03 63 6f 6d 00   # host.example.com
    00 06 40 01 00 00 00 03                                 # A MX RRSIG NSEC
    04 1b 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 20  # TYPE1234
  `);
  const types = [Type.MX, 1234, Type.A, Type.NSEC, Type.RRSIG];
  expect(encodeNsec(name("host.example.com"), types)).toEqual(bytes);
});

test("RFC 9824 §3.1: a name that does not exist has RRSIG, NSEC and NXNAME", () => {
  expect(encodeTypeBitmap([Type.RRSIG, Type.NSEC, Type.NXNAME])).toEqual(hex("00 11 00 00 00 00 00 03 00000000 00000000 00 00 80"));
});

test("bit maps of any types are read back, and CAA has its own window", () => {
  expect(encodeTypeBitmap([Type.CAA])).toEqual(hex("01 01 40"));
  expect(encodeTypeBitmap([])).toEqual(new Uint8Array(0));
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(300), fc.nat(0xffff))), (types) => {
      expect(readTypeBitmap(encodeTypeBitmap(types))).toEqual([...new Set(types)].sort((a, b) => a - b));
    }),
  );
});

const anyLabel = fc.uint8Array({ minLength: 1, maxLength: 6 });
const capital = fc.constantFrom(0x40, 0x41, 0x5a, 0x5b, 0x60, 0x61, 0x7a, 0x00, 0xff, 0x2d).map((byte) => Uint8Array.of(byte));
const anyName = fc
  .array(fc.oneof(anyLabel, capital), { maxLength: 5 })
  .map((labels) => concat([...labels.map((one) => concat([Uint8Array.of(one.length), one])), Uint8Array.of(0)]));

test("RFC 4034 §6.1: the order of names is the definition's", () => {
  const texts = [
    "example",
    "a.example",
    "yljkjljk.a.example",
    "Z.a.example",
    "zABC.a.EXAMPLE",
    "z.example",
    "\\001.z.example",
    "*.z.example",
    "\\200.z.example",
  ];
  const names = texts.map(name);
  expect(names.toReversed().sort(compareNames)).toEqual(names);
  fc.assert(
    fc.property(anyName, anyName, (a, b) => {
      expect(Math.sign(compareNames(a, b))).toBe(Math.sign(compareCanonical(readName(a).labels, readName(b).labels)));
    }),
    { numRuns: 1000 },
  );
});

const nexts: readonly { name: string; of: Uint8Array; next: Uint8Array }[] = [
  { name: "a short name", of: name("a.example.org"), next: name("\\000.a.example.org") },
  { name: "the apex", of: APEX, next: name("\\000.example.org") },
  {
    name: "the longest name with room for a label",
    of: longName(label(5, 0x62), 253),
    next: concat([Uint8Array.of(1, 0), longName(label(5, 0x62), 253)]),
  },
  {
    name: "one byte of room",
    of: longName(label(5, 0x62), 254),
    next: concat([Uint8Array.of(6), new Uint8Array(5).fill(0x62), Uint8Array.of(0), longName(label(5, 0x62), 254).subarray(6)]),
  },
  {
    name: "one byte of room, but none in the label",
    of: longName(label(63, 0x62), 254),
    next: concat([Uint8Array.of(63), new Uint8Array(62).fill(0x62), Uint8Array.of(0x63), longName(label(63, 0x62), 254).subarray(64)]),
  },
  { name: "no room", of: longName(label(1, 0x30), 255), next: longName(label(1, 0x31), 255) },
  { name: "no room: capitals are passed over", of: longName(label(1, 0x40), 255), next: longName(label(1, 0x5b), 255) },
  {
    name: "no room: trailing 0xff go",
    of: longName(concat([Uint8Array.of(3), Uint8Array.of(0x30, 0xff, 0xff)]), 255),
    next: concat([Uint8Array.of(1, 0x31), longName(concat([Uint8Array.of(3), Uint8Array.of(0x30, 0xff, 0xff)]), 255).subarray(4)]),
  },
];
test.each(nexts)("RFC 4471 §3.1.1: what follows $name", ({ of, next }) => expect(nextName(of, APEX)).toEqual(next));

test("a label of 0xff alone goes whole, and the last name of a zone is followed by its apex", () => {
  const last = longName(label(2, 0xff), 255);
  const parent = last.subarray(3);
  expect(nextName(last, APEX)).toEqual(
    concat([parent.subarray(0, 1), parent.subarray(1, parent[0]!), Uint8Array.of(0x62), parent.subarray(1 + parent[0]!)]),
  );
  const most = concat([...[63, 63, 63, 49].map((length) => label(length, 0xff)), APEX]);
  expect(most.length).toBe(MAX_NAME);
  expect(nextName(most, APEX)).toEqual(APEX);
});

test("nothing lies between a name and what follows it: it sorts behind it, and before every other name behind", () => {
  fc.assert(
    fc.property(anyName, anyName, (a, b) => {
      const of = concat([a.subarray(0, -1), APEX]);
      const other = concat([b.subarray(0, -1), APEX]);
      const folded = (bytes: Uint8Array) => bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
      const next = nextName(folded(of), APEX);
      expect(compareNames(of, next)).toBeLessThan(0);
      if (compareNames(of, other) < 0) expect(compareNames(next, other)).toBeLessThanOrEqual(0);
    }),
    { numRuns: 500 },
  );
});
