import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { dnsWorld, ZONES } from "../../test/support/dns-world.ts";
import { bogusBecause } from "../../test/support/oracle/dnssec.ts";
import type { Zone, ZoneDnssec } from "../model/inventory.ts";
import { makeKeyText, publicHalf, publicKeyOf, readKeyFile } from "./dnssec/key-file.ts";
import { encodeDnskey } from "./dnssec/zone-key.ts";
import { addData, describeSet, hashSet, newSetScratch, RENEWAL } from "./slow/rrset-signature.ts";
import { readSignature, SIGNATURE_BYTES } from "./slow/signature-cache.ts";
import { Type } from "./wire/codes.ts";
import { encodeName } from "./wire/name.ts";
import { type BuiltZones, createZoneBuilder, ZoneBuildError, type ZoneBuilder } from "./zone-builder.ts";
import { findSet } from "./zone-lookup.ts";

const folder = mkdtempSync(join(tmpdir(), "globalroute-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));

function keyFile(name: string, text = makeKeyText()): ZoneDnssec {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o600);
  const file = readKeyFile(path);
  if ("fault" in file) throw new Error(file.fault.message);
  const publicKey = Buffer.from(publicKeyOf(file.key)).toString("base64");
  return { keys: [{ name, path, state: "Active", tag: 0, publicKey }], delegation: "Secure" };
}

const signedZones = (dnssec: ZoneDnssec): readonly Zone[] =>
  ZONES.map((zone) => (zone.domain === "example.org" ? { ...zone, dnssec } : zone));

const START = 1_800_000_000;
let clock = START * 1000;
let builder: ZoneBuilder | undefined;
afterEach(async () => {
  await builder?.close();
  clock = START * 1000;
});
const newBuilder = (): ZoneBuilder => {
  builder = createZoneBuilder({ now: () => clock, hashKey: Int32Array.of(1, 2, 3, 4) });
  return builder;
};

/** RRSIG RDATA of shop.example.org A, for these addresses, as an answering thread finds it. */
function pinnedSignature({ tables: { zones, signing } }: BuiltZones, ...addresses: readonly (readonly number[])[]): Uint8Array | undefined {
  const set = newSetScratch();
  const owner = encodeName("shop.example.org")!;
  describeSet(Type.A, 60, owner, 0, owner.length, set);
  for (const address of addresses) addData(set, Uint8Array.from(address), 0, 4);
  hashSet(signing!, 0, set);
  const apex = encodeName("example.org")!;
  const rrsig = new Uint8Array(18 + apex.length + SIGNATURE_BYTES);
  const view = new DataView(rrsig.buffer);
  view.setUint16(0, Type.A);
  rrsig.set([13, 3], 2);
  view.setUint32(4, 60);
  view.setUint16(16, zones.zoneKeyTag[0]!);
  rrsig.set(apex, 18);
  return readSignature(signing!.pinned, set.hash, clock / 1000, 1, rrsig, 8, 18 + apex.length) ? rrsig : undefined;
}

const dnskeyOf = ({ keys }: ZoneDnssec): Uint8Array => encodeDnskey(publicHalf(keys[0]!));
const expirationOf = (rrsig: Uint8Array): number => new DataView(rrsig.buffer, rrsig.byteOffset).getUint32(8);

describe("a signed zone", () => {
  const dnssec = keyFile("one.pem");
  const { routing } = dnsWorld();

  test("answers of routes are signed before they are served, and the signature is valid", async () => {
    const built = await newBuilder().build(signedZones(dnssec), routing);
    for (const address of [
      [192, 0, 2, 1],
      [203, 0, 113, 1],
    ]) {
      const rrsig = pinnedSignature(built, address);
      const set = { owner: encodeName("shop.example.org")!, type: Type.A, ttl: 60, rdata: [Uint8Array.from(address)] };
      expect(bogusBecause(set, rrsig!, dnskeyOf(dnssec), "example.org", START)).toBeUndefined();
    }
    expect(pinnedSignature(built, [192, 0, 2, 2])).toBeUndefined();
    expect(built.secrets.zoneKeys.map((key) => key?.tag)).toEqual([built.tables.zones.zoneKeyTag[0], undefined]);
    expect(built.secrets.zoneKeys[0]!.privateKey.type).toBe("private");
  });

  test("what has not changed keeps its signature, from build to build, until half of its time is over", async () => {
    const zones = signedZones(dnssec);
    const first = await newBuilder().build(zones, routing);
    const [route, ns] = [pinnedSignature(first, [192, 0, 2, 1])!, staticSignature(first)];
    clock += 1000 * (RENEWAL - 1);
    const second = await builder!.build(zones, routing);
    expect(pinnedSignature(second, [192, 0, 2, 1])).toEqual(route);
    expect(staticSignature(second)).toEqual(ns);
    expect(second.tables.signing!.pinned.words).not.toBe(first.tables.signing!.pinned.words);
    clock += 2000;
    const third = await builder!.build(zones, routing);
    expect(expirationOf(pinnedSignature(third, [192, 0, 2, 1])!)).toBeGreaterThan(expirationOf(route) + RENEWAL);
    expect(staticSignature(third)).not.toEqual(ns);
    expect(third.expires[0]).toBeGreaterThan(clock / 1000 + RENEWAL);
  });

  test("another key signs everything anew", async () => {
    const before = await newBuilder().build(signedZones(dnssec), routing);
    const other = keyFile("other.pem");
    const after = await builder!.build(signedZones(other), routing);
    const rrsig = pinnedSignature(after, [192, 0, 2, 1])!;
    expect(rrsig).not.toEqual(pinnedSignature(before, [192, 0, 2, 1]));
    const set = { owner: encodeName("shop.example.org")!, type: Type.A, ttl: 60, rdata: [Uint8Array.of(192, 0, 2, 1)] };
    expect(bogusBecause(set, rrsig, dnskeyOf(other), "example.org", START)).toBeUndefined();
  });

  test("without a zone that is signed there is nothing to sign with", async () => {
    const built = await newBuilder().build(ZONES, routing);
    expect(built.tables.signing).toBeUndefined();
    expect(built.secrets).toEqual({ zoneKeys: [undefined, undefined], tsigKeys: [] });
    expect(built.expires).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  test("a key that has gone fails the build, which names it; the next one with the key back succeeds", async () => {
    const text = makeKeyText();
    const gone = keyFile("gone.pem", text);
    rmSync(gone.keys[0]!.path);
    const building = newBuilder().build(signedZones(gone), routing);
    await expect(building).rejects.toThrow(ZoneBuildError);
    await expect(building).rejects.toThrow(/DNSZone example-org: .*gone\.pem/);
    keyFile("gone.pem", text);
    await expect(builder!.build(signedZones(gone), routing)).resolves.toMatchObject({ problems: [] });
  });
});

function staticSignature({ tables: { zones } }: BuiltZones): Uint8Array {
  const start = zones.setSignature[findSet(zones, zones.zoneApex[0]!, Type.NS)]!;
  return zones.bytes.slice(start + 12, start + 12 + ((zones.bytes[start + 10]! << 8) | zones.bytes[start + 11]!));
}
