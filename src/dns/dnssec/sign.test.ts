/** The worked example of RFC 6605 §6.1, and our own signatures read by a verifier that shares no code with the signer. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { bogusBecause, dsFits, tagOf } from "../../../test/support/oracle/dnssec.ts";
import { newSigningKey, RFC_6605 } from "../../../test/support/zone-keys.ts";
import { seconds } from "../../model/units.ts";
import { Type } from "../wire/codes.ts";
import { encodeName } from "../wire/name.ts";
import { concat, encodeSoa } from "../wire/rdata.ts";
import { encodeDs } from "./ds.ts";
import { publicKeyOf } from "./key-file.ts";
import { SIGNATURE, signRrset } from "./sign.ts";
import { encodeDnskey, zoneKey } from "./zone-key.ts";

const name = (text: string): Uint8Array => encodeName(text)!;
const APEX = name("example.org");
const NOW = 1_800_000_000;

test("RFC 6605 §6.1: key tag, DS, and the public half of the private key", () => {
  const key = zoneKey(RFC_6605.publicKey, "Active");
  expect(key.tag).toBe(RFC_6605.tag);
  expect(Buffer.from(encodeDs(name("example.net"), key)).toString("hex")).toBe(`d9600d02${RFC_6605.digest}`);
  expect(publicKeyOf(RFC_6605.privateKey())).toEqual(RFC_6605.publicKey);
});

test("RFC 6605 §6.1: the example's signature and ours are over the same bytes", () => {
  const key = { ...zoneKey(RFC_6605.publicKey, "Active"), privateKey: RFC_6605.privateKey() };
  const set = { owner: name("www.example.net"), type: Type.A, ttl: 3600, rdata: [Uint8Array.of(192, 0, 2, 1)] };
  const { inception, expiration } = RFC_6605;
  const ours = signRrset(key, name("example.net"), set.owner, set.type, 3600, set.rdata, inception, expiration);
  const theirs = concat([ours.subarray(0, -SIGNATURE), RFC_6605.signature]);
  for (const rrsig of [ours, theirs]) expect(bogusBecause(set, rrsig, encodeDnskey(key), "example.net", inception + 1)).toBeUndefined();
});

const key = newSigningKey();
const signed = (owner: Uint8Array, type: number, rdata: readonly Uint8Array[], originalTtl = 300): Uint8Array =>
  signRrset(key, APEX, owner, type, originalTtl, rdata, NOW - 10, NOW + 10);
const verdict = (owner: Uint8Array, type: number, rdata: readonly Uint8Array[], rrsig: Uint8Array, ttl = 300, now = NOW) =>
  bogusBecause({ owner, type, ttl, rdata }, rrsig, encodeDnskey(key), "example.org", now);

test("an RRset is signed whatever the order and case of its records", () => {
  const mx = [concat([Uint8Array.of(0, 20), name("b.Example.ORG")]), concat([Uint8Array.of(0, 10), name("A.example.org")])];
  const rrsig = signed(APEX, Type.MX, mx);
  expect(verdict(APEX, Type.MX, mx.toReversed(), rrsig)).toBeUndefined();
  expect(verdict(APEX, Type.MX, [concat([Uint8Array.of(0, 20), name("b.example.org")]), mx[1]!], rrsig)).toBeUndefined();
  expect(verdict(name("EXAMPLE.org"), Type.MX, mx, rrsig)).toBeUndefined();
  expect(verdict(APEX, Type.MX, mx.slice(1), rrsig)).toBe("the signature does not fit");
});

const soa = {
  mname: "NS1.example.org",
  rname: "A.B@Example.org",
  refresh: seconds(1),
  retry: seconds(2),
  expire: seconds(3),
  minimum: seconds(4),
  ttl: seconds(5),
};
const sets: readonly { type: number; rdata: readonly Uint8Array[] }[] = [
  { type: Type.SOA, rdata: [encodeSoa(soa, 0xffff_fff0)!] },
  { type: Type.NS, rdata: [name("NS2.example.net"), name("ns1.Example.Net")] },
  { type: Type.CNAME, rdata: [name("Shop.example.org")] },
  { type: Type.SRV, rdata: [concat([Uint8Array.of(0, 1, 0, 2, 0x41, 0x42), name("SIP.example.org")])] },
  { type: Type.TXT, rdata: [Uint8Array.of(3, 0x41, 0x42, 0x43), Uint8Array.of(3, 0x61, 0x62, 0x63), Uint8Array.of(1, 0x41)] },
  { type: Type.AAAA, rdata: [new Uint8Array(16).fill(0x41), new Uint8Array(16)] },
  { type: Type.CAA, rdata: [Uint8Array.of(0, 5, 0x69, 0x73, 0x73, 0x75, 0x65, 0x41)] },
  { type: Type.NSEC, rdata: [concat([name("NeXt.example.org"), Uint8Array.of(0, 1, 0x40)])] },
];
test.each(sets)("type $type: canonical form is the validator's", ({ type, rdata }) => {
  expect(verdict(name("x.example.org"), type, rdata, signed(name("x.example.org"), type, rdata))).toBeUndefined();
});

test("equal records count once", () => {
  const a = Uint8Array.of(192, 0, 2, 1);
  expect(verdict(APEX, Type.A, [a], signed(APEX, Type.A, [a, a.slice()]))).toBeUndefined();
});

test("a lower TTL validates, a higher one does not; nor does another time, type, name or key", () => {
  const a = [Uint8Array.of(192, 0, 2, 1)];
  const rrsig = signed(APEX, Type.A, a, 60);
  expect(verdict(APEX, Type.A, a, rrsig, 5)).toBeUndefined();
  expect(verdict(APEX, Type.A, a, rrsig, 61)).toContain("longer than the original 60");
  expect(verdict(APEX, Type.A, a, rrsig, 5, NOW + 11)).toBe("expired");
  expect(verdict(APEX, Type.A, a, rrsig, 5, NOW - 11)).toBe("not valid yet");
  expect(verdict(APEX, Type.TXT, a, rrsig, 5)).toBe("covers type 1");
  expect(verdict(name("x.example.org"), Type.A, a, rrsig, 5)).toBe("the signature does not fit");
  expect(bogusBecause({ owner: APEX, type: 1, ttl: 5, rdata: a }, rrsig, encodeDnskey(newSigningKey()), "example.org", NOW)).toBeDefined();
});

test("RFC 4034 §3.1.3: a wildcard's signature covers what it makes; a name made and signed by itself is no wildcard", () => {
  const a = [Uint8Array.of(192, 0, 2, 1)];
  const wildcard = signed(name("*.example.org"), Type.A, a);
  expect(wildcard[3]).toBe(2);
  expect(verdict(name("any.thing.example.org"), Type.A, a, wildcard)).toBeUndefined();
  const own = signed(name("any.thing.example.org"), Type.A, a);
  expect(own[3]).toBe(4);
  expect(verdict(name("any.thing.example.org"), Type.A, a, own)).toBeUndefined();
});

test("every RRset of any type and bytes verifies, and one changed bit does not", () => {
  const rdata = fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 6, selector: String });
  const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
  fc.assert(
    fc.property(
      fc.array(label, { maxLength: 4 }),
      fc.constantFrom(Type.A, Type.TXT, Type.HTTPS, Type.DS, 65280),
      rdata,
      fc.nat(0x7fff_ffff),
      fc.nat(),
      (labels, type, records, ttl, bit) => {
        const owner = name([...labels, "example.org"].join("."));
        const rrsig = signed(owner, type, records, ttl);
        expect(verdict(owner, type, records, rrsig, ttl)).toBeUndefined();
        const at = bit % (8 * rrsig.length);
        rrsig[at >>> 3]! ^= 1 << (at & 7);
        expect(verdict(owner, type, records, rrsig, ttl)).toBeDefined();
      },
    ),
    { numRuns: 200 },
  );
});

test("key tags and DS of any key are the oracle's", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (publicKey) => {
      const one = zoneKey(publicKey, "Published");
      expect(one.tag).toBe(tagOf(encodeDnskey(one)));
      expect(dsFits(encodeDs(APEX, one), "example.org", encodeDnskey(one))).toBe(true);
    }),
  );
});
