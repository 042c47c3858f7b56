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
import { sharedFloat64, sharedInt32, sharedUint8, sharedUint16, sharedUint32 } from "../model/shared-array.ts";
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, type RoutingTable } from "../routing/table.ts";
import { lowerCased } from "./dnssec/canonical.ts";
import type { ZoneSigner } from "./dnssec/zone-signer.ts";
import { type DraftZones, draftZones } from "./draft-zones.ts";
import { hashOf, hashSlots } from "./name-hash.ts";
import type { SigningTable } from "./slow/rrset-signature.ts";
import { Type } from "./wire/codes.ts";
import { encodeName } from "./wire/name.ts";
import { encodeRecord, encodeSoa } from "./wire/rdata.ts";
import type { DraftName, DraftSet } from "./zone-draft.ts";
import { addNsec, type RouteTypes } from "./zone-nsec.ts";

export interface ZoneTable {
  /** Domains, by zone number. */
  readonly domains: readonly string[];
  /** Zone → SOA SERIAL. */
  readonly zoneSerial: Uint32Array;
  /** Zone → node of its apex. */
  readonly zoneApex: Uint32Array;
  /** Zone → where the SOA record of its negative answers starts in `bytes`; TTL = min(SOA TTL, MINIMUM) (RFC 2308 §3). One entry more. */
  readonly zoneNegative: Uint32Array;
  /** Zone → where the RRSIG record of that SOA record starts in `bytes`; -1 = the zone is not signed. */
  readonly zoneNegativeSignature: Int32Array;
  /** Zone → tag of the key that signs it; 0 in a zone that is not signed. */
  readonly zoneKeyTag: Uint16Array;
  /** Zone → when the first of the signatures in this table ends, seconds since the epoch; Infinity in a zone that is not signed. */
  readonly zoneExpires: Float64Array;
  /**
   * Zone inside another one of ours → the node that stands for its apex on the outer zone's side of the cut; -1 = none. No hash leads there.
   * A question for DS of the inner apex is answered from it, as the outer zone (RFC 4035 §3.1.4.1).
   */
  readonly zoneParentSide: Int32Array;

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
  /**
   * 3 × node → RRset of its NSEC record (RFC 9824); the next two are for a client for whom its route has no IPv4 address, or no IPv6 address
   * (`Mode.NotOffered`), and lack that type. -1 = none: the zone is not signed, or the name lies below a zone cut; in the second and third
   * place also where every backend has the family. See {@link nsecBitmap}.
   */
  readonly nodeNsec: Int32Array;

  /** RRset → its type; {@link GLUE} for the glue of a zone cut. */
  readonly setType: Uint16Array;
  readonly setCount: Uint16Array;
  /** RRset → where its records start in `bytes`; one entry more. Owner names are `c00c`, those of glue whole names. */
  readonly setBytes: Uint32Array;
  /**
   * RRset → where its RRSIG record (one, owner `c00c`, the RRset's TTL) starts in `bytes`; -1 = not signed. Its length is in its RDLENGTH. A
   * wildcard's signatures are over the wildcard's own name: names that it makes are signed when they are asked for.
   */
  readonly setSignature: Int32Array;

  /** Route → where the ALPN parameter value of its HTTPS record starts in `bytes` (RFC 9460 §7.1); empty = no HTTPS record. One entry more. */
  readonly routeAlpn: Uint32Array;
  readonly bytes: Uint8Array;
  /** Of `bytes`. */
  readonly view: DataView;
  /** The most addresses that an answer of any route can hold. */
  readonly maxAddresses: number;
}

/** Type 0 is reserved (RFC 6895 §3.1). A query for it meets no glue: at a cut every query but one for DS is referred. */
export const GLUE = 0;

/** What serving threads read: a zone table's route numbers are those of the routing table beside it. */
export interface ServingTables {
  readonly routing: RoutingTable;
  readonly zones: ZoneTable;
  /** Present when a zone is signed: signatures of RRsets that depend on the client. */
  readonly signing?: SigningTable;
}

/**
 * Pure but for what signers do. The longest matching zone, by whole labels, owns a name. A route answers A and AAAA of its hosts whatever
 * records say.
 *
 * @param table   whose route numbers the result carries
 * @param serials domain → SOA SERIAL, 32 bits; must grow (RFC 1982) with each table that differs in that zone
 * @param signers domain → what signs the zone; a zone with `dnssec` needs one, since it must never be served unsigned
 * @returns the table, and what of the input it leaves out; only whole-object problems, since the inventory knows no lines
 */
export function buildZoneTable(
  zones: readonly Zone[],
  table: Pick<RoutingTable, "hot" | "names">,
  serials: (domain: string) => number,
  signers: ReadonlyMap<string, ZoneSigner> = new Map(),
): { readonly zones: ZoneTable; readonly problems: readonly Problem[] } {
  const unsigned = zones.find(({ domain, dnssec }) => dnssec !== undefined && !signers.has(domain));
  if (unsigned !== undefined) throw new Error(`${unsigned.domain} is to be signed, and nothing was given to sign it with`);
  const draft = draftZones(zones, table.names.routes, signers);
  if (signers.size > 0)
    addNsec(
      draft,
      table.names.routes.map((_, route) => routeTypes(table, route)),
      (domain) => signers.has(domain),
    );
  const { hot, names } = table;
  const maxAddresses = names.routes.reduce((most, _, route) => Math.max(most, hot.routeAnswers[route]! * hot.routeSpread[route]!), 1);
  const alpn = names.routes.map((route) => alpnValue(route.alpn));
  return { zones: layOut(draft, alpn, serials, signers, maxAddresses), problems: draft.problems };
}

function routeTypes({ hot, names }: Pick<RoutingTable, "hot" | "names">, route: number): RouteTypes {
  const offered = [Type.A, Type.AAAA].filter(
    (_, family) => (hot.routeFlags[route]! & (family === 0 ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA)) !== 0,
  );
  const isPartial = (family: number): boolean => {
    for (let backend = hot.routeBackends[route]!; backend < hot.routeBackends[route + 1]!; backend++) {
      const row = 2 * backend + family;
      if (hot.backendAddresses[row] === hot.backendAddresses[row + 1]) return true;
    }
    return false;
  };
  return {
    types: names.routes[route]!.alpn.length > 0 ? [...offered, Type.HTTPS] : offered,
    partial: offered.filter((type) => isPartial(type === Type.A ? 0 : 1)),
  };
}

/** An RRset that stands in the table: who signs it, and over what. */
interface PlacedSet extends DraftSet {
  readonly count: number;
  readonly start: number;
  readonly owner: Uint8Array;
  readonly signer: ZoneSigner | undefined;
}

function layOut(
  { zones, names, parentSides }: DraftZones,
  alpn: readonly Uint8Array[],
  serials: (domain: string) => number,
  signers: ReadonlyMap<string, ZoneSigner>,
  maxAddresses: number,
): ZoneTable {
  const bytes = new Bytes();
  const found = [...names.values()];
  const nodes = [...found, ...parentSides.values()]; // no hash leads to the last ones
  const number = new Map(found.map((node, i) => [node.name, i]));
  const wire = nodes.map((node) => lowerCased(encodeName(node.name)!));
  const soas = zones.map(({ domain, soa }) => encodeSoa(soa, serials(domain) >>> 0)!);
  const sets: PlacedSet[] = [];
  const place = (set: DraftSet, owner: Uint8Array, signer: ZoneSigner | undefined): number => {
    const start = bytes.length;
    for (const rdata of set.rdata) bytes.append(encodeRecord(POINTER, set, rdata));
    return sets.push({ ...set, count: set.rdata.length, start, owner, signer }) - 1;
  };
  const nodeSets: number[] = [];
  const nodeNsec = sharedInt32(3 * nodes.length).fill(-1);
  const nodeName = wire.map((name) => bytes.append(name));
  nodeName.push(bytes.length);
  nodes.forEach((node, i) => {
    nodeSets.push(sets.length);
    const zone = zones[node.zone]!;
    const owner = wire[i]!;
    const signer = signers.get(zone.domain);
    if (zone.domain === node.name) place({ type: Type.SOA, ttl: zone.soa.ttl, rdata: [soas[node.zone]!] }, owner, signer);
    for (const set of node.sets) place(set, owner, isSigned(node, set) ? signer : undefined);
    if (node.nsec !== undefined) nodeNsec[3 * i] = place(node.nsec[0], owner, signer);
    if (node.glue.length === 0) return;
    const start = bytes.length;
    for (const { owner: server, type, ttl, rdata } of node.glue) bytes.append(encodeRecord(encodeName(server)!, { type, ttl }, rdata));
    sets.push({ type: GLUE, ttl: 0, rdata: [], count: node.glue.length, start, owner, signer: undefined });
  });
  nodeSets.push(sets.length);
  // Behind the sets of all nodes, where no question for NSEC finds them.
  nodes.forEach(({ nsec, zone }, i) => {
    for (const which of [1, 2] as const) {
      const set = nsec?.[which];
      if (set !== undefined) nodeNsec[3 * i + which] = place(set, wire[i]!, signers.get(zones[zone]!.domain));
    }
  });
  const setBytes = [...sets.map(({ start }) => start), bytes.length];
  const zoneNegative = zones.map(({ soa }, i) => bytes.append(encodeRecord(POINTER, { type: Type.SOA, ttl: negativeTtl(soa) }, soas[i]!)));
  zoneNegative.push(bytes.length);
  const routeAlpn = alpn.map((value) => bytes.append(value));
  routeAlpn.push(bytes.length);
  const setSignature = sets.map(({ signer, owner, type, ttl, rdata }) =>
    signer === undefined ? -1 : bytes.append(encodeRecord(POINTER, { type: Type.RRSIG, ttl }, signer.sign(owner, type, ttl, rdata))),
  );
  const zoneNegativeSignature = zones.map(({ domain, soa }, i) => {
    const signer = signers.get(domain);
    if (signer === undefined) return -1;
    const rdata = signer.sign(wire[number.get(domain)!]!, Type.SOA, soa.ttl, [soas[i]!]); // the same signature: it is over the original TTL
    return bytes.append(encodeRecord(POINTER, { type: Type.RRSIG, ttl: negativeTtl(soa) }, rdata));
  });
  const nodeHash = sharedInt32(wire.slice(0, found.length).map(hashOf));
  const sideOf = new Map([...parentSides.keys()].map((zone, i) => [zone, found.length + i]));
  const shared = sharedUint8(bytes.whole());
  return {
    domains: zones.map(({ domain }) => domain),
    zoneSerial: sharedUint32(zones.map(({ domain }) => serials(domain) >>> 0)),
    zoneApex: sharedUint32(zones.map(({ domain }) => number.get(domain)!)),
    zoneNegative: sharedUint32(zoneNegative),
    zoneNegativeSignature: sharedInt32(zoneNegativeSignature),
    zoneKeyTag: sharedUint16(zones.map(({ domain }) => signers.get(domain)?.key.tag ?? 0)),
    zoneExpires: sharedFloat64(zones.map(({ domain }) => signers.get(domain)?.expires() ?? Number.POSITIVE_INFINITY)),
    zoneParentSide: sharedInt32(zones.map((_, zone) => sideOf.get(zone) ?? -1)),
    slots: hashSlots(nodeHash),
    nodeHash,
    nodeName: sharedUint32(nodeName),
    nodeZone: sharedUint32(nodes.map(({ zone }) => zone)),
    nodeRoute: sharedInt32(nodes.map(({ route }) => route)),
    nodeWildcard: sharedInt32(nodes.map(({ name }, i) => (i < found.length ? (number.get(`*.${name}`) ?? -1) : -1))),
    nodeCut: sharedInt32(nodes.map(({ cut }, i) => (cut === undefined ? -1 : i < found.length ? number.get(cut)! : i))),
    nodeSets: sharedUint32(nodeSets),
    nodeNsec,
    setType: sharedUint16(sets.map(({ type }) => type)),
    setCount: sharedUint16(sets.map(({ count }) => count)),
    setBytes: sharedUint32(setBytes),
    setSignature: sharedInt32(setSignature),
    routeAlpn: sharedUint32(routeAlpn),
    bytes: shared,
    view: new DataView(shared.buffer),
    maxAddresses,
  };
}

/** At a zone cut the NS records are the child's to sign; DS is ours (RFC 4035 §2.2). Nothing below a cut is ours. */
const isSigned = (node: DraftName, { type }: DraftSet): boolean => node.cut === undefined || (node.cut === node.name && type === Type.DS);

const negativeTtl = (soa: Zone["soa"]): number => Math.min(soa.ttl, soa.minimum);

/** Value of the `alpn` parameter: each id behind its length (RFC 9460 §7.1.1). */
const alpnValue = (ids: readonly string[]): Uint8Array =>
  Uint8Array.from(ids.flatMap((id) => [id.length, ...Array.from(id, (character) => character.charCodeAt(0))]));

/** Compression pointer to QNAME, which stands right behind the header. */
const POINTER = Uint8Array.of(0xc0, 0x0c);

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
