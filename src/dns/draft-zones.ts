/** Which names a set of zones has and what stands at each, with every conflict settled: the first half of building a zone table. Pure. */
import type { StaticRecord, Zone } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";
import type { ProblemCode } from "../model/problem-codes.ts";
import type { TableNames } from "../routing/table.ts";
import type { ZoneSigner } from "./dnssec/zone-signer.ts";
import { Type } from "./wire/codes.ts";
import { encodeName } from "./wire/name.ts";
import { encodeRdata, encodeSoa, typeCode } from "./wire/rdata.ts";
import { cutZones } from "./zone-cuts.ts";
import { addName, type Draft, type DraftName, isWithin, newName, parentOf, type Report, zoneOf } from "./zone-draft.ts";

export interface DraftZones {
  /** Without those whose domain another one has. */
  readonly zones: readonly Zone[];
  readonly names: ReadonlyMap<string, DraftName>;
  /** Zone → the outer zone's side of its apex. */
  readonly parentSides: ReadonlyMap<number, DraftName>;
  readonly problems: readonly Problem[];
}

/** A larger RRset does not fit a message of 64 KiB beside question and OPT. */
const MAX_SET = 60_000;
const MAX_TTL = 0x7fff_ffff; // RFC 2181 §8

/** @param signers of the signed zones, by domain */
export function draftZones(
  input: readonly Zone[],
  routes: TableNames["routes"],
  signers: ReadonlyMap<string, Pick<ZoneSigner, "apexSets">>,
): DraftZones {
  const problems: Problem[] = [];
  const report: Report = (zone, path, code, message, remedy) =>
    problems.push({ severity: "warning", code, file: `DNSZone ${zone.name}`, line: 0, column: 0, path, message, remedy });
  const zones = usableZones(input, report);
  const draft: Draft = {
    zones,
    byDomain: new Map(zones.map(({ domain }, i) => [domain, i])),
    names: new Map(),
    parentSides: new Map(),
    report,
  };
  zones.forEach((zone, i) => {
    addApex(draft, zone, i);
    const ttl = zone.soa.ttl;
    for (const { type, rdata } of signers.get(zone.domain)?.apexSets ?? []) addName(draft, zone.domain, i).sets.push({ type, ttl, rdata });
  });
  addRoutes(draft, routes);
  zones.forEach((zone, i) => {
    addRecords(draft, zone, i);
  });
  cutZones(draft);
  return { zones, names: draft.names, parentSides: draft.parentSides, problems };
}

function usableZones(input: readonly Zone[], report: Report): readonly Zone[] {
  const domains = new Set<string>();
  return input.filter((zone) => {
    if (encodeName(zone.domain) === undefined || encodeSoa(zone.soa, 0) === undefined) {
      report(zone, "spec", "record-name", "has a domain or SOA that is no domain name", "Correct the domain, soa.mname and soa.rname.");
      return false;
    }
    if (domains.has(zone.domain)) {
      report(zone, "spec.domain", "zone-duplicate", `another DNSZone has the domain ${zone.domain} too`, "Merge them.");
      return false;
    }
    domains.add(zone.domain);
    return true;
  });
}

function addApex(draft: Draft, zone: Zone, index: number): void {
  const apex = addName(draft, zone.domain, index);
  const rdata = zone.nameservers.flatMap((server) => encodeName(server) ?? []);
  if (rdata.length > 0) apex.sets.push({ type: Type.NS, ttl: zone.soa.ttl, rdata: distinct(rdata) });
  // A zone inside another: the names between the two exist in the outer one.
  const outer = zoneOf(draft, parentOf(zone.domain));
  if (outer < 0) return;
  addName(draft, parentOf(zone.domain), outer);
  draft.parentSides.set(index, { ...newName(zone.domain, outer), cut: zone.domain });
}

function addRoutes(draft: Draft, routes: TableNames["routes"]): void {
  routes.forEach((route, index) => {
    for (const host of route.hosts) {
      const zoneIndex = zoneOf(draft, host);
      const zone = draft.zones[zoneIndex];
      if (zone === undefined || encodeName(host) === undefined) continue; // the inventory's checks name such hosts
      if (route.zones.length > 0 && !route.zones.includes(zone.name)) continue; // published elsewhere
      const who = `GlobalRoute ${route.namespace}/${route.name}`;
      if (zone.allowedSuffixes.length > 0 && !zone.allowedSuffixes.some((suffix) => isWithin(host, suffix))) {
        const remedy = "Add the suffix to allowedRoutes, or choose another host.";
        draft.report(zone, host, "host-not-allowed", `the zone does not allow ${who} to use this name`, remedy);
        continue;
      }
      const node = addName(draft, host, zoneIndex);
      if (node.route >= 0) {
        draft.report(zone, host, "host-overlap", `${who} has a host that another route has too`, "Remove the host from one of them.");
      } else {
        node.route = index;
      }
    }
  });
}

function addRecords(draft: Draft, zone: Zone, index: number): void {
  // Aliases last: they give way to everything else at their name.
  const ordered = [...zone.records.filter(({ type }) => type !== "CNAME"), ...zone.records.filter(({ type }) => type === "CNAME")];
  for (const record of ordered) {
    const path = `${record.name} ${record.type}`;
    const complain = (code: ProblemCode, message: string, remedy: string) => draft.report(zone, path, code, message, remedy);
    if (!isWithin(record.name, zone.domain) || encodeName(record.name) === undefined) {
      complain("record-name", `the name is malformed or outside ${zone.domain}`, "Write @ for the apex, or a name below it.");
      continue;
    }
    const owner = zoneOf(draft, record.name);
    if (owner !== index) {
      const delegates = (record.type === "NS" || record.type === "DS") && record.name === draft.zones[owner]!.domain;
      const hidden = `the name belongs to DNSZone ${draft.zones[owner]!.name}`;
      if (!delegates) complain("record-hidden", hidden, "Move the record there, or remove it.");
      // We serve the inner zone ourselves, so its own NS records are the ones to answer with; DS is the outer zone's.
      const side = draft.parentSides.get(owner);
      if (!delegates || side?.zone !== index) continue;
      const rdata = encodeValues(zone, record, complain);
      if (rdata.length > 0) side.sets.push({ type: typeCode(record.type), ttl: Math.min(record.ttl, MAX_TTL), rdata });
      continue;
    }
    const obstacle = obstacleOf(draft, zone, record);
    if (obstacle !== undefined) {
      complain(obstacle.code, obstacle.message, obstacle.remedy);
      continue;
    }
    const rdata = encodeValues(zone, record, complain);
    if (rdata.length === 0) continue;
    const ttl = Math.min(record.ttl, MAX_TTL);
    addName(draft, record.name, index).sets.push({ type: typeCode(record.type), ttl, rdata });
  }
}

/** Why a record cannot stand at its name. */
function obstacleOf(
  draft: Draft,
  zone: Zone,
  { name, type }: StaticRecord,
): { code: ProblemCode; message: string; remedy: string } | undefined {
  const node = draft.names.get(name);
  const isApex = name === zone.domain;
  const alone = "Remove it, or the records beside it.";
  if (type === "NS" && isApex) {
    return { code: "record-hidden", message: "the apex's NS records come from nameservers", remedy: "List the servers there." };
  }
  if (type === "DS" && isApex) {
    return { code: "record-conflict", message: "a zone's own DS stands in its parent zone", remedy: "Give it to the parent." };
  }
  if (type === "NS" && name.startsWith("*.")) {
    return { code: "record-conflict", message: "a wildcard cannot delegate (RFC 4592 §4.2)", remedy: "Delegate each name." };
  }
  if (node !== undefined && node.route >= 0 && (type === "A" || type === "AAAA" || type === "CNAME")) {
    return { code: "record-hidden", message: "a route answers for this name", remedy: "Remove the record, or the host from the route." };
  }
  if (type === "CNAME" && isApex)
    return { code: "record-conflict", message: "an apex cannot be an alias", remedy: "Use A and AAAA, or a GlobalRoute." };
  if (type === "CNAME" && node !== undefined && node.sets.length > 0) {
    return { code: "record-conflict", message: "an alias stands alone at its name, and there are other records", remedy: alone };
  }
  if (node?.sets.some((set) => set.type === typeCode(type)) === true) {
    return { code: "record-conflict", message: "the RRset is listed twice", remedy: "Write its values into one entry." };
  }
  return undefined;
}

function encodeValues(
  zone: Zone,
  record: StaticRecord,
  complain: (code: ProblemCode, message: string, remedy: string) => void,
): readonly Uint8Array[] {
  const rdata: Uint8Array[] = [];
  for (const value of record.values) {
    const result = encodeRdata(record.type, value, zone.domain);
    if ("fault" in result) complain(result.fault.code, `${value} ${result.fault.message}`, result.fault.remedy);
    else rdata.push(result.value);
  }
  const set = distinct(rdata); // an RRset has no duplicates (RFC 2181 §5)
  if (record.type === "CNAME" && set.length > 1) {
    complain("record-value", "an alias has one target", "Keep one value.");
    return set.slice(0, 1);
  }
  if (set.reduce((total, one) => total + one.length + 12, 0) > MAX_SET) {
    complain("record-value", `the RRset is larger than ${MAX_SET} bytes, so no DNS message can carry it`, "Remove some of its values.");
    return [];
  }
  return set;
}

function distinct(values: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...new Map(values.map((value) => [value.join(), value])).values()];
}
