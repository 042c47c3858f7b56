/** Which names a copy of a zone has, and the unsigned RRsets at each: records, delegations with their glue, and routes' placeless answers. Pure. */
import { ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA } from "../../routing/table.ts";
import { compareNames } from "../dnssec/canonical.ts";
import type { DraftZones } from "../draft-zones.ts";
import { SvcParam, Type } from "../wire/codes.ts";
import { encodeName } from "../wire/name.ts";
import { concat } from "../wire/rdata.ts";
import { type DraftName, isWithin } from "../zone-draft.ts";
import { type PlacelessRouting, placelessAddresses } from "./placeless.ts";
import { setKey, type ViewSet } from "./zone-view.ts";

/**
 * A name of a copy. `Own`: authoritative. `Cut`: delegated away here, so that only DS is ours to sign. `Glue`: below a cut, signed by nobody.
 */
export interface ViewName {
  /** Uncompressed wire form, small letters. */
  readonly owner: Uint8Array;
  readonly kind: "Own" | "Cut" | "Glue";
  readonly sets: readonly ViewSet[];
  /** Whose host it is; -1 = none. */
  readonly route: number;
}

/** The names of one of the drafted zones in canonical order, without what depends on health. A zone of ours inside it is a delegation. */
export function viewNames(index: number, { zones, names, parentSides }: DraftZones): readonly ViewName[] {
  const found = new Map<string, ViewName>();
  const add = (name: string, kind: ViewName["kind"], sets: readonly ViewSet[], route = -1): void => {
    const known = found.get(name);
    const more = sets.filter((set) => known?.sets.every(({ type }) => type !== set.type) ?? true);
    found.set(name, { owner: encodeName(name)!, kind: known?.kind ?? kind, sets: [...(known?.sets ?? []), ...more].sort(byType), route });
  };
  for (const node of names.values()) {
    if (node.zone !== index) continue;
    if (node.cut === undefined) {
      if (node.sets.length > 0 || node.route >= 0) add(node.name, "Own", setsOf(node.name, node.sets), node.route);
    } else if (node.cut === node.name) {
      const ours = node.sets.filter(({ type }) => type === Type.NS || type === Type.DS);
      add(node.name, "Cut", setsOf(node.name, ours));
      for (const [owner, sets] of glueOf(node)) if (names.get(owner)?.cut !== undefined) add(owner, "Glue", sets);
    }
  }
  for (const [inner, side] of parentSides) {
    if (side.zone !== index) continue;
    const zone = zones[inner]!;
    const rdata = zone.nameservers.flatMap((server) => encodeName(server) ?? []);
    add(zone.domain, "Cut", setsOf(zone.domain, [{ type: Type.NS, ttl: zone.soa.ttl, rdata }, ...side.sets]));
    for (const server of zone.nameservers) {
      const addresses = isWithin(server, zone.domain) ? (names.get(server)?.sets.filter(isAddress) ?? []) : [];
      if (addresses.length > 0) add(server, "Glue", setsOf(server, addresses));
    }
  }
  return [...found.values()].sort((a, b) => compareNames(a.owner, b.owner));
}

/**
 * What a route's host has for clients from nowhere now.
 *
 * @param held what the view had before: kept while nothing may be answered, so that no copy loses a name to an incident (safety rule 1)
 */
export function routeSets(
  owner: Uint8Array,
  route: number,
  routing: PlacelessRouting,
  held: (key: string) => ViewSet | undefined,
): readonly ViewSet[] {
  const { hot, names } = routing;
  const ttl = hot.routeTtlMin[route]!;
  const [v4, v6] = ([0, 1] as const).map((family) =>
    placelessAddresses(routing, route, family)?.map((i) => addressBytes(routing, i, family)),
  );
  const sets: ViewSet[] = [];
  const add = (type: number, rdata: readonly Uint8Array[] | undefined): void => {
    if (rdata === undefined) return;
    const set = rdata.length > 0 ? { owner, type, ttl, rdata } : held(setKey({ owner, type }));
    if (set !== undefined) sets.push(set);
  };
  add(Type.A, v4);
  add(Type.AAAA, v6);
  const { alpn } = names.routes[route]!;
  const isOffered = (hot.routeFlags[route]! & (ROUTE_OFFERS_A | ROUTE_OFFERS_AAAA)) !== 0;
  if (alpn.length > 0 && isOffered) {
    const [hints4 = [], hints6 = []] = [v4, v6];
    add(Type.HTTPS, hints4.length + hints6.length === 0 ? [] : [httpsRdata(alpn, hints4, hints6)]);
  }
  return sets;
}

const addressBytes = ({ hot }: PlacelessRouting, address: number, family: 0 | 1): Uint8Array =>
  new Uint8Array(hot.addressBytes.subarray(16 * address, 16 * address + (family === 0 ? 4 : 16)));

/** Service mode for the owner itself, with hints (RFC 9460 §2.2, §7.1, §7.3). */
function httpsRdata(alpn: readonly string[], v4: readonly Uint8Array[], v6: readonly Uint8Array[]): Uint8Array {
  const ids = alpn.flatMap((id) => [Uint8Array.of(id.length), Uint8Array.from(id, (character) => character.charCodeAt(0))]);
  const parameter = (key: number, values: readonly Uint8Array[]): readonly Uint8Array[] => {
    const value = concat(values);
    return value.length === 0 ? [] : [uint16(key), uint16(value.length), value];
  };
  return concat([
    ...[uint16(1), Uint8Array.of(0)],
    ...parameter(SvcParam.ALPN, ids),
    ...parameter(SvcParam.IPV4HINT, v4),
    ...parameter(SvcParam.IPV6HINT, v6),
  ]);
}

function setsOf(name: string, sets: readonly Omit<ViewSet, "owner">[]): readonly ViewSet[] {
  const owner = encodeName(name)!;
  return sets.map(({ type, ttl, rdata }) => ({ owner, type, ttl, rdata }));
}

function glueOf({ glue }: DraftName): ReadonlyMap<string, readonly ViewSet[]> {
  const byOwner = Map.groupBy(glue, ({ owner }) => owner);
  return new Map(
    [...byOwner].map(([owner, records]) => {
      const byKind = Map.groupBy(records, ({ type }) => type);
      const sets = [...byKind].map(([type, ones]) => ({ type, ttl: ones[0]!.ttl, rdata: ones.map(({ rdata }) => rdata) }));
      return [owner, setsOf(owner, sets)];
    }),
  );
}

const isAddress = ({ type }: Pick<ViewSet, "type">): boolean => type === Type.A || type === Type.AAAA;
const byType = (a: ViewSet, b: ViewSet): number => a.type - b.type;
const uint16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value);
