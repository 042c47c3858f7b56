/** Zone tables of signed zones: every signature in them, what denies, and what an outer zone says of an inner one. */
import { describe, expect, test } from "vitest";
import { dnsWorld, ROUTES, record, route, ZONES, zone } from "../../test/support/dns-world.ts";
import { bogusBecause, dsFits, readName, readTypeBitmap } from "../../test/support/oracle/dnssec.ts";
import { newSigningKey } from "../../test/support/zone-keys.ts";
import type { Zone } from "../model/inventory.ts";
import { seconds } from "../model/units.ts";
import { CDNSKEY_DELETE, CDS_DELETE } from "./dnssec/ds.ts";
import type { SigningKey, ZoneKey } from "./dnssec/zone-key.ts";
import { encodeDnskey } from "./dnssec/zone-key.ts";
import { createZoneSigner, INCEPTION_OFFSET, type Signatures, VALIDITY, type ZoneSigner } from "./dnssec/zone-signer.ts";
import { Type } from "./wire/codes.ts";
import { encodeQuery } from "./wire/encode-query.ts";
import { decodeName, encodeName } from "./wire/name.ts";
import { decodeQuery, newQuery } from "./wire/query.ts";
import { findName, findSet, newFound, nsecBitmap } from "./zone-lookup.ts";
import { buildZoneTable, GLUE, type ZoneTable } from "./zone-table.ts";

const NOW = 1_800_000_000;
const DS = `12345 13 2 ${"ab".repeat(32)}`;

interface Keys {
  readonly key: SigningKey;
  readonly otherKeys?: readonly ZoneKey[];
  readonly delegation?: "Secure" | "Insecure";
}
const KEYS: Readonly<Record<string, Keys>> = { "example.org": { key: newSigningKey() }, "inner.example.org": { key: newSigningKey() } };

function signersFor(
  keys: Readonly<Record<string, Keys>>,
  now = NOW,
  earlier: ReadonlyMap<string, Signatures> = new Map(),
): ReadonlyMap<string, ZoneSigner> {
  return new Map(
    Object.entries(keys).map(([domain, { key, otherKeys = [], delegation = "Secure" }]) => {
      const known = earlier.get(domain);
      const options = { apex: encodeName(domain)!, key, otherKeys, delegation, now, ...(known === undefined ? {} : { earlier: known }) };
      return [domain, createZoneSigner(options)];
    }),
  );
}

/** Routes some of whose backends have one family only, and so in rules' hands leave a client without the other. */
const PARTIAL = ROUTES.map((one) =>
  one.name === "plain"
    ? { ...one, backends: one.backends.map((backend, i) => (i === 0 ? backend : { ...backend, addresses: ["203.0.113.9"] })) }
    : one,
);

function build(zones: readonly Zone[] = ZONES, signers = signersFor(KEYS), serial = 7): ZoneTable {
  return buildZoneTable(zones, dnsWorld(zones, PARTIAL).routing, () => serial, signers).zones;
}

const query = newQuery();
const found = newFound();
function nodeOf(zones: ZoneTable, name: string): number {
  const message = encodeQuery({ id: 0, name, type: 1 });
  decodeQuery(message, message.length, query);
  findName(zones, new DataView(message.buffer, message.byteOffset, message.byteLength), query, found);
  return found.node;
}
const ownerOf = (zones: ZoneTable, node: number): Uint8Array => zones.bytes.slice(zones.nodeName[node]!, zones.nodeName[node + 1]!);

interface ReadRecord {
  readonly type: number;
  readonly ttl: number;
  readonly rdata: Uint8Array;
  readonly end: number;
}
/** A record whose owner is `c00c`. */
function readRecord({ bytes }: ZoneTable, at: number): ReadRecord {
  const view = new DataView(bytes.buffer, at);
  expect(view.getUint16(0)).toBe(0xc00c);
  const end = at + 12 + view.getUint16(10);
  return { type: view.getUint16(2), ttl: view.getUint32(6), rdata: bytes.slice(at + 12, end), end };
}
function readSet(zones: ZoneTable, set: number): { readonly type: number; readonly ttl: number; readonly rdata: readonly Uint8Array[] } {
  const records: ReadRecord[] = [];
  for (let at = zones.setBytes[set]!; at < zones.setBytes[set + 1]!; at = records.at(-1)!.end) records.push(readRecord(zones, at));
  expect(records).toHaveLength(zones.setCount[set]!);
  return { type: records[0]!.type, ttl: records[0]!.ttl, rdata: records.map(({ rdata }) => rdata) };
}
/** Why a set of a node is bogus; `unsigned` when there is no signature. */
function verdict(zones: ZoneTable, node: number, set: number, keys = KEYS): string | undefined {
  if (zones.setSignature[set]! < 0) return "unsigned";
  const { type, ttl, rdata } = readSet(zones, set);
  const rrsig = readRecord(zones, zones.setSignature[set]!);
  expect(rrsig).toMatchObject({ type: Type.RRSIG, ttl });
  const domain = zones.domains[zones.nodeZone[node]!]!;
  return bogusBecause({ owner: ownerOf(zones, node), type, ttl, rdata }, rrsig.rdata, encodeDnskey(keys[domain]!.key), domain, NOW);
}
const bitmapOf = (zones: ZoneTable, set: number): readonly number[] =>
  readTypeBitmap(zones.bytes.subarray(nsecBitmap(zones, set), zones.setBytes[set + 1]!));

const signed = build();

test("every RRset of every name has a signature that validates, but for what is delegated away", () => {
  let count = 0;
  for (let node = 0; node < signed.nodeZone.length; node++) {
    const cut = signed.nodeCut[node]!;
    for (let set = signed.nodeSets[node]!; set < signed.nodeSets[node + 1]!; set++) {
      const type = signed.setType[set]!;
      const isOurs = cut < 0 || (cut === node && type !== Type.NS && type !== GLUE);
      expect([decodeName(ownerOf(signed, node), 0)?.name, type, verdict(signed, node, set)]).toEqual([
        expect.anything(),
        type,
        isOurs ? undefined : "unsigned",
      ]);
      count++;
    }
  }
  expect(count).toBeGreaterThan(50);
});

test("every name that is answered for has an NSEC that speaks of it alone; names below a cut have none", () => {
  for (let node = 0; node < signed.nodeZone.length; node++) {
    const owner = ownerOf(signed, node);
    const set = signed.nodeNsec[3 * node]!;
    const cut = signed.nodeCut[node]!;
    if (cut >= 0 && cut !== node) {
      expect([...signed.nodeNsec.subarray(3 * node, 3 * node + 3)]).toEqual([-1, -1, -1]);
      continue;
    }
    expect(findSet(signed, node, Type.NSEC)).toBe(set);
    expect(readSet(signed, set)).toMatchObject({ type: Type.NSEC, ttl: 30 }); // RFC 9077: the lesser of SOA TTL and MINIMUM
    expect(readName(readSet(signed, set).rdata[0]!).labels).toEqual(["\0", ...readName(owner).labels]);
  }
});

const DNSKEYS = [Type.DNSKEY, Type.CDS, Type.CDNSKEY];
const bitmaps: readonly { name: string; of: string; types: readonly number[] }[] = [
  {
    name: "an apex with a route",
    of: "example.org",
    types: [Type.A, Type.NS, Type.SOA, Type.MX, Type.TXT, Type.AAAA, ...DNSKEYS, Type.CAA],
  },
  { name: "a route's host with a record beside it", of: "shop.example.org", types: [Type.A, Type.TXT, Type.AAAA] },
  { name: "a route of one family", of: "v4only.example.org", types: [Type.A] },
  { name: "a route with HTTPS", of: "web.example.org", types: [Type.A, Type.AAAA, Type.HTTPS] },
  { name: "an alias", of: "www.example.org", types: [Type.CNAME] },
  { name: "an empty non-terminal", of: "_tcp.example.org", types: [] },
  { name: "a wildcard", of: "*.wild.example.org", types: [Type.TXT] },
  { name: "the name above a wildcard", of: "wild.example.org", types: [] },
  { name: "a delegation without DS", of: "child.example.org", types: [Type.NS] },
  { name: "an inner apex", of: "inner.example.org", types: [Type.NS, Type.SOA, ...DNSKEYS] },
];
test.each(bitmaps)("NSEC of $name: $of", ({ of, types }) => {
  const wanted = [...types, Type.RRSIG, Type.NSEC].sort((a, b) => a - b);
  expect(bitmapOf(signed, signed.nodeNsec[3 * nodeOf(signed, of)]!)).toEqual(wanted);
});

test("where a backend lacks a family, an NSEC without it is ready for clients whose rules leave no other", () => {
  const node = nodeOf(signed, "plain.example.org");
  const [all, withoutA, withoutAaaa] = signed.nodeNsec.subarray(3 * node, 3 * node + 3);
  expect(bitmapOf(signed, all!)).toEqual([Type.A, Type.AAAA, Type.RRSIG, Type.NSEC]);
  expect(withoutA).toBe(-1); // both backends have IPv4
  expect(bitmapOf(signed, withoutAaaa!)).toEqual([Type.A, Type.RRSIG, Type.NSEC]);
  expect(verdict(signed, node, withoutAaaa!)).toBeUndefined();
  const shop = nodeOf(signed, "shop.example.org");
  expect([...signed.nodeNsec.subarray(3 * shop + 1, 3 * shop + 3)]).toEqual([-1, -1]);
});

test("negative answers' SOA has a signature of its own TTL, over the zone's SOA", () => {
  signed.domains.forEach((domain, i) => {
    const soa = readRecord(signed, signed.zoneNegative[i]!);
    const rrsig = readRecord(signed, signed.zoneNegativeSignature[i]!);
    expect([soa.ttl, rrsig.ttl, rrsig.type]).toEqual([30, 30, Type.RRSIG]);
    const set = { owner: encodeName(domain)!, type: Type.SOA, ttl: soa.ttl, rdata: [soa.rdata] };
    expect(bogusBecause(set, rrsig.rdata, encodeDnskey(KEYS[domain]!.key), domain, NOW)).toBeUndefined();
  });
});

test("what a zone is signed with stands beside it", () => {
  expect([...signed.zoneKeyTag]).toEqual(signed.domains.map((domain) => KEYS[domain]!.key.tag));
  expect([...signed.zoneExpires]).toEqual(signed.domains.map(() => NOW + VALIDITY));
  expect([...signed.zoneSerial]).toEqual(signed.domains.map(() => 7));
});

describe("keys at the apex", () => {
  const active = newSigningKey("Active");
  const published = newSigningKey("Published");
  const retired = newSigningKey("Retired");
  const apexSet = (keys: Keys, type: number): readonly string[] => {
    const only = [zone("z", "example.org")];
    const zones = buildZoneTable(only, dnsWorld(only, []).routing, () => 1, signersFor({ "example.org": keys })).zones;
    const node = zones.zoneApex[0]!;
    const set = findSet(zones, node, type);
    expect(verdict(zones, node, set, { "example.org": keys })).toBeUndefined();
    expect(readSet(zones, set).ttl).toBe(3600);
    return readSet(zones, set)
      .rdata.map((rdata) => Buffer.from(rdata).toString("hex"))
      .sort();
  };
  const hexOf = (...keys: readonly ZoneKey[]) => keys.map((key) => Buffer.from(encodeDnskey(key)).toString("hex")).sort();
  const all = { key: active, otherKeys: [published, retired] };

  test("DNSKEY has all of them, CDNSKEY those that the parent shall name", () => {
    expect(apexSet(all, Type.DNSKEY)).toEqual(hexOf(active, published, retired));
    expect(apexSet(all, Type.CDNSKEY)).toEqual(hexOf(active, published));
  });

  test("CDS has a digest of each of these", () => {
    const cds = apexSet(all, Type.CDS).map((text) => Buffer.from(text, "hex"));
    expect(cds).toHaveLength(2);
    for (const key of [active, published]) expect(cds.some((ds) => dsFits(ds, "example.org", encodeDnskey(key)))).toBe(true);
  });

  test("RFC 8078 §4: an insecure delegation is asked for by the deleting forms", () => {
    const keys = { ...all, delegation: "Insecure" } as const;
    expect(apexSet(keys, Type.CDS)).toEqual([Buffer.from(CDS_DELETE).toString("hex")]);
    expect(apexSet(keys, Type.CDNSKEY)).toEqual([Buffer.from(CDNSKEY_DELETE).toString("hex")]);
    expect(apexSet(keys, Type.DNSKEY)).toHaveLength(3);
  });
});

describe("delegations", () => {
  const zones = [
    zone("outer", "example.org", [
      record("child.example.org", "NS", "ns.example.net."),
      record("child.example.org", "DS", DS),
      record("inner.example.org", "NS", "ns1.inner.example.org."),
      record("inner.example.org", "DS", DS),
      record("gone.example.org", "NS", "ns.example.net."),
      record("stray.example.org", "DS", DS),
    ]),
    zone("inner", "inner.example.org"),
    zone("below", "zone.gone.example.org"),
  ];
  const keys = { "example.org": KEYS["example.org"]!, "zone.gone.example.org": { key: newSigningKey() } };
  const built = buildZoneTable(zones, dnsWorld([], []).routing, () => 1, signersFor(keys));
  const table = built.zones;

  test("DS at a cut is signed and denied nowhere", () => {
    const node = nodeOf(table, "child.example.org");
    expect(readSet(table, findSet(table, node, Type.DS)).rdata[0]!.length).toBe(36);
    expect(verdict(table, node, findSet(table, node, Type.DS))).toBeUndefined();
    expect(verdict(table, node, findSet(table, node, Type.NS))).toBe("unsigned");
    expect(bitmapOf(table, table.nodeNsec[3 * node]!)).toEqual([Type.NS, Type.DS, Type.RRSIG, Type.NSEC]);
  });

  test("the outer zone's side of an inner zone of ours has its DS, and no hash leads there", () => {
    const inner = table.domains.indexOf("inner.example.org");
    const side = table.zoneParentSide[inner]!;
    expect(decodeName(ownerOf(table, side), 0)?.name).toBe("inner.example.org");
    expect(table.domains[table.nodeZone[side]!]).toBe("example.org");
    expect(nodeOf(table, "inner.example.org")).toBe(table.zoneApex[inner]);
    expect(verdict(table, side, findSet(table, side, Type.DS))).toBeUndefined();
    expect(bitmapOf(table, table.nodeNsec[3 * side]!)).toEqual([Type.NS, Type.DS, Type.RRSIG, Type.NSEC]);
    expect(table.nodeNsec[3 * table.zoneApex[inner]!]).toBe(-1); // the inner zone itself is not signed
    expect(table.zoneNegativeSignature[inner]).toBe(-1);
    expect(table.zoneExpires[inner]).toBe(Number.POSITIVE_INFINITY);
  });

  test("an inner zone below somebody else's has no side in ours", () => {
    expect(table.zoneParentSide[table.domains.indexOf("zone.gone.example.org")]).toBe(-1);
    expect(table.zoneParentSide[table.domains.indexOf("example.org")]).toBe(-1);
  });

  test("a DS without a delegation is left out, and told", () => {
    expect(nodeOf(table, "stray.example.org")).toBeGreaterThanOrEqual(0);
    expect(findSet(table, nodeOf(table, "stray.example.org"), Type.DS)).toBe(-1);
    expect(built.problems.map(({ code, path }) => `${code} ${path}`)).toEqual(["record-conflict stray.example.org DS"]);
  });
});

describe("building again", () => {
  const later = (now: number, zones: readonly Zone[] = ZONES, serial = 7) => {
    const first = signersFor(KEYS);
    build(ZONES, first);
    const second = signersFor(KEYS, now, new Map([...first].map(([domain, { signatures }]) => [domain, signatures])));
    const table = build(zones, second, serial);
    return { table, first, second, fresh: [...second.values()].map((signer) => signer.fresh()) };
  };

  test("nothing is signed that was signed before", () => {
    const { table, first, fresh, second } = later(NOW + 60);
    expect(fresh).toEqual([0, 0]);
    expect(build(ZONES, first)).toEqual(table);
    expect([...second.values()].map(({ signatures }) => signatures)).toEqual([...first.values()].map(({ signatures }) => signatures));
  });

  test("another serial signs one SOA for each zone, another record its set alone", () => {
    expect(later(NOW, ZONES, 8).fresh).toEqual([1, 1]);
    const changed = ZONES.map((one) =>
      one.domain === "example.org" ? { ...one, records: [...one.records, record("new.example.org", "TXT", "x")] } : one,
    );
    expect(later(NOW, changed).fresh).toEqual([2, 0]); // TXT and the name's NSEC
  });

  test("signatures of which half the validity is gone are made anew", () => {
    expect(later(NOW + VALIDITY / 2 - 1).fresh).toEqual([0, 0]);
    const { table, fresh, second } = later(NOW + VALIDITY / 2);
    expect(fresh).toEqual([...second.values()].map(({ signatures }) => signatures.size));
    expect(Math.min(...table.zoneExpires)).toBe(NOW + VALIDITY * 1.5);
  });

  test("what is no longer in the zone is forgotten", () => {
    const { first, second } = later(NOW, [zone("example-org", "example.org"), zone("inner", "inner.example.org")]);
    expect(second.get("example.org")!.fresh()).toBe(2); // NSEC of the apex and of shop, which have fewer types
    expect(second.get("example.org")!.signatures.size).toBeLessThan(first.get("example.org")!.signatures.size);
  });

  test("another key signs everything anew", () => {
    const first = signersFor(KEYS);
    build(ZONES, first);
    const keys = { ...KEYS, "example.org": { key: newSigningKey() } };
    const second = signersFor(keys, NOW, new Map([...first].map(([domain, { signatures }]) => [domain, signatures])));
    build(ZONES, second);
    expect(second.get("example.org")!.fresh()).toBe(second.get("example.org")!.signatures.size);
  });

  test("an inception lies in the past, for slow clocks", () => {
    const node = nodeOf(signed, "ns1.example.org");
    const rrsig = readRecord(signed, signed.setSignature[findSet(signed, node, Type.A)]!).rdata;
    expect(new DataView(rrsig.buffer, rrsig.byteOffset).getUint32(12)).toBe(NOW - INCEPTION_OFFSET);
  });
});

describe("zones that are not signed", () => {
  test("have no signature, no NSEC and no keys, even beside a signed one", () => {
    const table = build(ZONES, signersFor({ "inner.example.org": KEYS["inner.example.org"]! }));
    const outer = table.domains.indexOf("example.org");
    table.nodeZone.forEach((zoneNumber, node) => {
      if (zoneNumber !== outer) return;
      expect(table.nodeNsec[3 * node]).toBe(-1);
      for (let set = table.nodeSets[node]!; set < table.nodeSets[node + 1]!; set++) expect(table.setSignature[set]).toBe(-1);
    });
    expect(findSet(table, table.zoneApex[outer]!, Type.DNSKEY)).toBe(-1);
    expect(table.zoneKeyTag[outer]).toBe(0);
  });

  test("a zone that is to be signed is never built without a key", () => {
    const keys = [{ name: "k", path: "/k", state: "Active", tag: 1, publicKey: "" }] as const;
    const zones = [zone("z", "example.org", [], { dnssec: { keys, delegation: "Secure" } })];
    expect(() => build(zones, new Map())).toThrow("example.org is to be signed, and nothing was given to sign it with");
  });
});

test("MINIMUM above the SOA's own TTL does not lengthen NSEC", () => {
  const soa = { ...zone("z", "example.org").soa, ttl: seconds(20), minimum: seconds(40) };
  const zones = [zone("z", "example.org", [], { soa })];
  const table = buildZoneTable(zones, dnsWorld(zones, [route("r", ["a.example.org"], [])]).routing, () => 1, signersFor(KEYS)).zones;
  expect(readSet(table, table.nodeNsec[3 * nodeOf(table, "a.example.org")]!).ttl).toBe(20);
});
