/**
 * All owner names of all zones, compiled for lookup: flat arrays over SharedArrayBuffers, so that a worker thread that receives the table
 * shares it. Route hosts carry a route number instead of records; everything else is encoded once, here.
 *
 * ```
 * QNAME ──hash of its lower-cased wire bytes──► slots ──► node ─┬─► zone ──► apex, SOA
 *                                                               ├─► route (A, AAAA)
 *                                                               ├─► RRsets ──► bytes of whole records, owner = c00c
 *                                                               └─► the `*` below it, the zone cut above it
 * ```
 */
import type { Zone } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";
import { sharedInt32, sharedUint8, sharedUint16, sharedUint32 } from "../model/shared-array.ts";
import type { RoutingTable } from "../routing/table.ts";
import { type DraftZones, draftZones } from "./draft-zones.ts";
import { Type } from "./wire/codes.ts";
import { encodeName, foldCase } from "./wire/name.ts";
import { encodeRecord, encodeSoa } from "./wire/rdata.ts";

export interface ZoneTable {
  /** SOA SERIAL of every zone. */
  readonly serial: number;
  /** Domains, by zone number. */
  readonly domains: readonly string[];
  /** Zone → node of its apex. */
  readonly zoneApex: Uint32Array;
  /** Zone → where the SOA record of its negative answers starts in `bytes`; TTL = min(SOA TTL, MINIMUM) (RFC 2308 §3). One entry more. */
  readonly zoneNegative: Uint32Array;

  /** Open addressing by hash: node + 1, 0 = free. Its length is a power of two. */
  readonly slots: Uint32Array;
  readonly nodeHash: Int32Array;
  /** Node → where its lower-cased wire name starts in `bytes`; one entry more. */
  readonly nodeName: Uint32Array;
  readonly nodeZone: Uint32Array;
  /** Node → route whose host it is; -1 = none. */
  readonly nodeRoute: Int32Array;
  /** Node → the node `*` right below it (RFC 4592); -1 = none. */
  readonly nodeWildcard: Int32Array;
  /** Node → the zone cut at or above it: the name is delegated away; -1 = none. */
  readonly nodeCut: Int32Array;
  /** Node → its first RRset; one entry more. */
  readonly nodeSets: Uint32Array;

  /** RRset → its type; {@link GLUE} for the glue of a zone cut. */
  readonly setType: Uint16Array;
  readonly setCount: Uint16Array;
  /** RRset → where its records start in `bytes`; one entry more. Owner names are `c00c`, those of glue whole names. */
  readonly setBytes: Uint32Array;

  /** Route → where the ALPN parameter value of its HTTPS record starts in `bytes` (RFC 9460 §7.1); empty = no HTTPS record. One entry more. */
  readonly routeAlpn: Uint32Array;
  readonly bytes: Uint8Array;
  /** The most addresses that an answer of any route can hold. */
  readonly maxAddresses: number;
}

/** Type 0 is reserved (RFC 6895 §3.1). A query for it meets no glue: at a cut every query but one for DS is referred. */
export const GLUE = 0;

/** What serving threads read: a zone table's route numbers are those of the routing table beside it. */
export interface ServingTables {
  readonly routing: RoutingTable;
  readonly zones: ZoneTable;
}

/**
 * Pure. The longest matching zone, by whole labels, owns a name. A route answers A and AAAA of its hosts whatever records say.
 *
 * @param table  whose route numbers the result carries
 * @param serial SOA SERIAL, 32 bits; must grow (RFC 1982) with each table that differs
 * @returns the table, and what of the input it leaves out; only whole-object problems, since the inventory knows no lines
 */
export function buildZoneTable(
  zones: readonly Zone[],
  table: Pick<RoutingTable, "hot" | "names">,
  serial: number,
): { readonly zones: ZoneTable; readonly problems: readonly Problem[] } {
  const draft = draftZones(zones, table.names.routes);
  const { hot, names } = table;
  const maxAddresses = names.routes.reduce((most, _, route) => Math.max(most, hot.routeAnswers[route]! * hot.routeSpread[route]!), 1);
  const alpn = names.routes.map((route) => alpnValue(route.alpn));
  return { zones: layOut(draft, alpn, serial >>> 0, maxAddresses), problems: draft.problems };
}

function layOut({ zones, names }: DraftZones, alpn: readonly Uint8Array[], serial: number, maxAddresses: number): ZoneTable {
  const bytes = new Bytes();
  const nodes = [...names.values()];
  const number = new Map(nodes.map((node, i) => [node.name, i]));
  const wire = nodes.map((node) => lowerCased(encodeName(node.name)!));
  const sets: { type: number; count: number; start: number }[] = [];
  const nodeSets: number[] = [];
  const nodeName = wire.map((name) => bytes.append(name));
  nodeName.push(bytes.length);
  for (const node of nodes) {
    nodeSets.push(sets.length);
    if (zones[node.zone]!.domain === node.name) {
      const soa = encodeRecord(POINTER, { type: Type.SOA, ttl: zones[node.zone]!.soa.ttl }, encodeSoa(zones[node.zone]!.soa, serial)!);
      sets.push({ type: Type.SOA, count: 1, start: bytes.append(soa) });
    }
    for (const set of node.sets) {
      const start = bytes.length;
      for (const rdata of set.rdata) bytes.append(encodeRecord(POINTER, set, rdata));
      sets.push({ type: set.type, count: set.rdata.length, start });
    }
    if (node.glue.length > 0) {
      const start = bytes.length;
      for (const { owner, type, ttl, rdata } of node.glue) bytes.append(encodeRecord(encodeName(owner)!, { type, ttl }, rdata));
      sets.push({ type: GLUE, count: node.glue.length, start });
    }
  }
  nodeSets.push(sets.length);
  const setsEnd = bytes.length;
  const zoneNegative = zones.map(({ soa }) =>
    bytes.append(encodeRecord(POINTER, { type: Type.SOA, ttl: Math.min(soa.ttl, soa.minimum) }, encodeSoa(soa, serial)!)),
  );
  zoneNegative.push(bytes.length);
  const routeAlpn = alpn.map((value) => bytes.append(value));
  routeAlpn.push(bytes.length);
  const nodeHash = sharedInt32(wire.map(hashOf));
  return {
    serial,
    domains: zones.map(({ domain }) => domain),
    zoneApex: sharedUint32(zones.map(({ domain }) => number.get(domain)!)),
    zoneNegative: sharedUint32(zoneNegative),
    slots: hashSlots(nodeHash),
    nodeHash,
    nodeName: sharedUint32(nodeName),
    nodeZone: sharedUint32(nodes.map(({ zone }) => zone)),
    nodeRoute: sharedInt32(nodes.map(({ route }) => route)),
    nodeWildcard: sharedInt32(nodes.map(({ name }) => number.get(`*.${name}`) ?? -1)),
    nodeCut: sharedInt32(nodes.map(({ cut }) => (cut === undefined ? -1 : number.get(cut)!))),
    nodeSets: sharedUint32(nodeSets),
    setType: sharedUint16(sets.map(({ type }) => type)),
    setCount: sharedUint16(sets.map(({ count }) => count)),
    setBytes: sharedUint32([...sets.map(({ start }) => start), setsEnd]),
    routeAlpn: sharedUint32(routeAlpn),
    bytes: sharedUint8(bytes.whole()),
    maxAddresses,
  };
}

/** Value of the `alpn` parameter: each id behind its length (RFC 9460 §7.1.1). */
const alpnValue = (ids: readonly string[]): Uint8Array =>
  Uint8Array.from(ids.flatMap((id) => [id.length, ...Array.from(id, (character) => character.charCodeAt(0))]));

/** Compression pointer to QNAME, which stands right behind the header. */
const POINTER = Uint8Array.of(0xc0, 0x0c);

const lowerCased = (wire: Uint8Array): Uint8Array => wire.map(foldCase);

/** Seed of a name's hash: the hash of the root. */
export const ROOT_HASH = 0x811c9dc5 | 0;

/** Hash of the name one label longer: FNV-1a over the label, length byte included, case folded. Signed, so that V8 need not box it. */
export function hashLabel(parent: number, bytes: Uint8Array, at: number): number {
  let hash = parent;
  const end = at + bytes[at]! + 1;
  for (let i = at; i < end; i++) {
    const byte = bytes[i]!;
    hash = Math.imul(hash ^ (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte), 0x01000193);
  }
  return hash;
}

/** First slot to look at for a hash; the upper half of FNV-1a is the better mixed one. */
export const slotOf = (hash: number, mask: number): number => (hash ^ (hash >>> 15)) & mask;

function hashOf(wire: Uint8Array): number {
  const labels: number[] = [];
  for (let at = 0; wire[at] !== 0; at += wire[at]! + 1) labels.push(at);
  return labels.reduceRight((hash, at) => hashLabel(hash, wire, at), ROOT_HASH);
}

/** At most half full, so that a look-up of an absent name ends soon. */
function hashSlots(nodeHash: Int32Array): Uint32Array {
  const slots = sharedUint32(2 ** Math.ceil(Math.log2(2 * nodeHash.length + 2)));
  nodeHash.forEach((hash, node) => {
    let slot = slotOf(hash, slots.length - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = node + 1;
  });
  return slots;
}

/** Grows as it is written to. */
class Bytes {
  length = 0;
  private buffer = new Uint8Array(4096);

  /** @returns where the part starts */
  append(part: Uint8Array): number {
    const start = this.length;
    if (start + part.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(2 * this.buffer.length, start + part.length));
      larger.set(this.buffer);
      this.buffer = larger;
    }
    this.buffer.set(part, start);
    this.length += part.length;
    return start;
  }

  whole(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}
