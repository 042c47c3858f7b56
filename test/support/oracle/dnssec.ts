/**
 * DNSSEC as a validator sees it, written from RFC 4034 alone: imports nothing from src/. Names are lists of labels, each a string of one
 * character a byte, so that nothing is shared with code that works on wire offsets.
 */
import { createHash, createPublicKey, verify } from "node:crypto";

export type Labels = readonly string[];

/** Uncompressed wire name at an offset. */
export function readName(bytes: Uint8Array, at = 0): { readonly labels: Labels; readonly end: number } {
  const labels: string[] = [];
  let next = at;
  while (bytes[next] !== 0) {
    const size = bytes[next];
    if (size === undefined) throw new Error("a name that does not end");
    if (size > 63) throw new Error("a compressed name where none may be");
    labels.push(String.fromCharCode(...bytes.subarray(next + 1, next + 1 + size)));
    next += 1 + size;
  }
  return { labels, end: next + 1 };
}

const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const wireOf = (labels: Labels): Buffer =>
  Buffer.concat([...labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, "latin1")])), Buffer.of(0)]);

/** RFC 4034 §6.1: names as lists of labels from the root down, compared as strings of bytes. */
export function compareCanonical(a: Labels, b: Labels): number {
  const [left, right] = [a, b].map((labels) => labels.map(lower).reverse());
  for (const [i, label] of left!.entries()) {
    const other = right![i];
    if (other === undefined) return 1;
    if (label !== other) return label < other ? -1 : 1;
  }
  return left!.length - right!.length;
}

/** Types of a bit map (RFC 4034 §4.1.2), lowest first; throws on what a validator must not accept. */
export function readTypeBitmap(bytes: Uint8Array): readonly number[] {
  const types: number[] = [];
  let window = -1;
  for (let at = 0; at < bytes.length; ) {
    const [number, size] = [bytes[at]!, bytes[at + 1]!];
    if (number <= window || size < 1 || size > 32 || at + 2 + size > bytes.length) throw new Error("malformed type bit maps");
    if (bytes[at + 1 + size] === 0) throw new Error("a bit map ends with a zero byte");
    window = number;
    for (let bit = 0; bit < size * 8; bit++)
      if (((bytes[at + 2 + (bit >> 3)]! >> (7 - (bit % 8))) & 1) === 1) types.push(256 * number + bit);
    at += 2 + size;
  }
  return types;
}

export interface Rrset {
  readonly owner: Uint8Array;
  readonly type: number;
  /** As answered; it must not exceed the original TTL. */
  readonly ttl: number;
  readonly rdata: readonly Uint8Array[];
}

/** How many names RDATA of a type has, and how many bytes stand before them (RFC 4034 §6.2, RFC 6840 §5.1). */
const NAMES_IN: Readonly<Record<number, readonly [before: number, names: number]>> = {
  2: [0, 1],
  5: [0, 1],
  6: [0, 2],
  12: [0, 1],
  15: [2, 1],
  33: [6, 1],
  39: [0, 1],
};

function canonical(type: number, rdata: Uint8Array): Buffer {
  const [before, names] = NAMES_IN[type] ?? [0, 0];
  const parts: Uint8Array[] = [rdata.subarray(0, before)];
  let at = before;
  for (let i = 0; i < names; i++) {
    const { labels, end } = readName(rdata, at);
    parts.push(wireOf(labels.map(lower)));
    at = end;
  }
  return Buffer.concat([...parts, rdata.subarray(at)]);
}

/**
 * Validates an RRset by one RRSIG and one DNSKEY (RFC 4035 §5.3), both as RDATA.
 *
 * @param now seconds since the epoch
 * @returns why it is bogus; undefined when it is secure
 */
export function bogusBecause(
  { owner, type, ttl, rdata }: Rrset,
  rrsig: Uint8Array,
  dnskey: Uint8Array,
  zone: string,
  now: number,
): string | undefined {
  const view = new DataView(rrsig.buffer, rrsig.byteOffset, rrsig.byteLength);
  const signer = signerOf(rrsig);
  if (signer === undefined) return "the signer is no name";
  const labels = readName(owner).labels.map(lower);
  if (signer.labels.join(".") !== zone) return `signer is ${signer.labels.join(".")}`;
  if (!`.${labels.join(".")}`.endsWith(`.${zone}`)) return "the owner is not in the zone";
  if (view.getUint16(0) !== type) return `covers type ${view.getUint16(0)}`;
  if (rrsig[2] !== dnskey[3]) return "algorithms differ";
  const counted = labels.length - (labels[0] === "*" ? 1 : 0);
  if (rrsig[3]! > counted) return `${rrsig[3]} labels, and the owner has ${counted}`;
  const original = view.getUint32(4);
  if (ttl > original) return `TTL ${ttl} is longer than the original ${original}`;
  if (now > view.getUint32(8)) return "expired";
  if (now < view.getUint32(12)) return "not valid yet";
  if (view.getUint16(16) !== tagOf(dnskey)) return `key tag ${view.getUint16(16)}, and the key's is ${tagOf(dnskey)}`;
  if ((dnskey[0]! & 1) !== 1 || dnskey[2] !== 3) return "the DNSKEY is no zone key";
  const name = rrsig[3]! < counted ? ["*", ...labels.slice(labels.length - rrsig[3]!)] : labels;
  const sorted = [...new Set(rdata.map((one) => canonical(type, one).toString("latin1")))].sort((a, b) => (a < b ? -1 : 1));
  const records = sorted.map((one) => {
    const head = Buffer.alloc(10);
    head.writeUInt16BE(type, 0);
    head.writeUInt16BE(1, 2);
    head.writeUInt32BE(original, 4);
    head.writeUInt16BE(one.length, 8);
    return Buffer.concat([wireOf(name), head, Buffer.from(one, "latin1")]);
  });
  const data = Buffer.concat([rrsig.subarray(0, 18), wireOf(signer.labels.map(lower)), ...records]);
  const point = Buffer.from(dnskey.subarray(4));
  const [x, y] = [point.subarray(0, 32), point.subarray(32)].map((half) => half.toString("base64url"));
  const key = createPublicKey({ key: { kty: "EC", crv: "P-256", x: x!, y: y! }, format: "jwk" });
  return verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, rrsig.subarray(signer.end)) ? undefined : "the signature does not fit";
}

function signerOf(rrsig: Uint8Array): ReturnType<typeof readName> | undefined {
  try {
    return readName(rrsig, 18);
  } catch {
    return undefined;
  }
}

/** RFC 4034 appendix B, as its C code has it. */
export function tagOf(dnskey: Uint8Array): number {
  let ac = 0;
  for (let i = 0; i < dnskey.length; i++) ac += (i & 1) === 1 ? dnskey[i]! : dnskey[i]! << 8;
  ac += (ac >> 16) & 0xffff;
  return ac & 0xffff;
}

/** Whether a DS (RDATA, digest type 2) names a DNSKEY of a zone (RFC 4034 §5.1.4, RFC 4509). */
export function dsFits(ds: Uint8Array, zone: string, dnskey: Uint8Array): boolean {
  const digest = createHash("sha256")
    .update(wireOf(zone.split(".")))
    .update(dnskey)
    .digest();
  return Buffer.from(ds).equals(Buffer.concat([Buffer.of(tagOf(dnskey) >> 8, tagOf(dnskey) & 0xff, dnskey[3]!, 2), digest]));
}
