/** Signatures of RFCs, and of keys of every algorithm that is checked. */
import { generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Type } from "../wire/codes.ts";
import { formatDs } from "../wire/format-dnssec.ts";
import { encodeName } from "../wire/name.ts";
import { concat } from "../wire/rdata.ts";
import { signedData } from "./sign.ts";
import { decodeRrsig, dsOf, verifySignature } from "./verify.ts";
import { keyTag } from "./zone-key.ts";

const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));
const dnskeyOf = (algorithm: number, key: Uint8Array): Uint8Array => concat([Uint8Array.of(1, 1, 3, algorithm), key]);

/** RDATA of an RRSIG record, with the labels of its owner. */
function rrsigOf(
  fields: { type: number; algorithm: number; labels: number; expiration: number; inception: number; tag: number; signer: string },
  signature: Uint8Array,
) {
  const head = new Uint8Array(18);
  const view = new DataView(head.buffer);
  view.setUint16(0, fields.type);
  view.setUint8(2, fields.algorithm);
  view.setUint8(3, fields.labels);
  view.setUint32(4, 3600);
  view.setUint32(8, fields.expiration);
  view.setUint32(12, fields.inception);
  view.setUint16(16, fields.tag);
  return concat([head, encodeName(fields.signer)!, signature]);
}

const examples = [
  {
    name: "RFC 6605 §6.1 (ECDSA P-256)",
    dnskey: dnskeyOf(13, bytes("GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==")),
    ds: "55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
    ...{ zone: "example.net", owner: "www.example.net", type: Type.A, rdata: Uint8Array.of(192, 0, 2, 1) },
    fields: { labels: 3, expiration: Date.UTC(2010, 8, 9, 10, 4, 39) / 1000, inception: Date.UTC(2010, 7, 12, 10, 4, 39) / 1000 },
    signature: bytes("qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw=="),
  },
  {
    name: "RFC 8080 §6.1 (Ed25519)",
    dnskey: dnskeyOf(15, bytes("l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=")),
    ds: "3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b",
    ...{ zone: "example.com", owner: "example.com", type: Type.MX, rdata: concat([Uint8Array.of(0, 10), encodeName("mail.example.com")!]) },
    fields: { labels: 2, expiration: 1_440_021_600, inception: 1_438_207_200 },
    signature: bytes("oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg=="),
  },
];

describe.each(examples)("$name", ({ dnskey, ds, zone, owner, type, rdata, fields, signature }) => {
  const rrsig = decodeRrsig(
    rrsigOf({ type, algorithm: dnskey[3]!, tag: keyTag(dnskey), signer: zone.toUpperCase(), ...fields }, signature),
  )!;
  const wire = encodeName(owner)!;

  test("its DS record", () => expect(formatDs(dsOf(encodeName(zone)!, dnskey)!)).toBe(ds));
  test("its signature is valid, whatever the case of the signer", () => {
    expect(rrsig.signer).toBe(zone);
    expect(verifySignature(rrsig, dnskey, wire, type, [rdata])).toBe("valid");
  });
  test("of other data it is wrong", () => {
    expect(verifySignature(rrsig, dnskey, wire, type, [rdata.with(0, 7)])).toBe("wrong");
    expect(verifySignature(rrsig, dnskey, encodeName("other.example")!, type, [rdata])).toBe("wrong");
    expect(verifySignature(rrsig, dnskey, wire, Type.TXT, [rdata])).toBe("wrong");
  });
  test("of another key it is wrong, even if that one is no key at all", () => {
    expect(verifySignature(rrsig, dnskey.with(10, dnskey[10]! ^ 1), wire, type, [rdata])).toBe("wrong");
    const noPoint = dnskeyOf(dnskey[3]!, new Uint8Array(dnskey.length - 4));
    expect(verifySignature({ ...rrsig, tag: keyTag(noPoint) }, noPoint, wire, type, [rdata])).toBe("wrong");
  });
});

const url = (text: string | undefined): Uint8Array => new Uint8Array(Buffer.from(text ?? "", "base64url"));
const rsaKey = ({ e, n }: JsonWebKey): Uint8Array => concat([Uint8Array.of(url(e).length), url(e), url(n)]);
const pairs: readonly {
  name: string;
  algorithm: number;
  hash: string | null;
  make: () => { privateKey: KeyObject; publicKey: KeyObject };
  encode: (jwk: JsonWebKey) => Uint8Array;
}[] = [
  { name: "RSASHA256", algorithm: 8, hash: "sha256", make: () => generateKeyPairSync("rsa", { modulusLength: 1024 }), encode: rsaKey },
  { name: "RSASHA512", algorithm: 10, hash: "sha512", make: () => generateKeyPairSync("rsa", { modulusLength: 1024 }), encode: rsaKey },
  {
    name: "ECDSAP384SHA384",
    algorithm: 14,
    hash: "sha384",
    make: () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
    encode: ({ x, y }) => concat([url(x), url(y)]),
  },
  { name: "ED448", algorithm: 16, hash: null, make: () => generateKeyPairSync("ed448"), encode: ({ x }) => url(x) },
];

test.each(pairs)("$name: a signature is valid, and wrong when a bit of it is", ({ algorithm, hash, make, encode }) => {
  const { privateKey, publicKey } = make();
  const dnskey = dnskeyOf(algorithm, encode(publicKey.export({ format: "jwk" })));
  const owner = encodeName("example.org")!;
  const fields = { type: Type.A, algorithm, labels: 2, expiration: 2, inception: 1, tag: keyTag(dnskey), signer: "example.org" };
  const rdata = [Uint8Array.of(192, 0, 2, 1), Uint8Array.of(192, 0, 2, 2)];
  const { head } = decodeRrsig(rrsigOf(fields, new Uint8Array(1)))!;
  const signature = new Uint8Array(
    sign(hash, signedData(head, owner, Type.A, 3600, rdata), { key: privateKey, dsaEncoding: "ieee-p1363" }),
  );
  const rrsig = decodeRrsig(rrsigOf(fields, signature))!;
  expect(verifySignature(rrsig, dnskey, owner, Type.A, rdata.toReversed())).toBe("valid");
  expect(verifySignature({ ...rrsig, signature: signature.with(20, signature[20]! ^ 1) }, dnskey, owner, Type.A, rdata)).toBe("wrong");
});

test("SHA-1 is not checked any more", () => {
  const dnskey = dnskeyOf(5, Uint8Array.of(1, 3, 9, 9));
  const fields = { type: Type.A, algorithm: 5, labels: 2, expiration: 2, inception: 1, tag: keyTag(dnskey), signer: "example.org" };
  expect(verifySignature(decodeRrsig(rrsigOf(fields, new Uint8Array(64)))!, dnskey, encodeName("example.org")!, Type.A, [])).toBe(
    "unsupported",
  );
});

test("what is no RRSIG, and a digest that is not known", () => {
  expect(decodeRrsig(new Uint8Array(18))).toBeUndefined();
  expect(decodeRrsig(Uint8Array.from({ length: 19 }, () => 0xc0))).toBeUndefined();
  expect(dsOf(encodeName("example.org")!, examples[0]!.dnskey, 3)).toBeUndefined();
  expect(dsOf(encodeName("example.org")!, examples[0]!.dnskey, 4)).toHaveLength(4 + 48);
});
