/** Zone cuts (RFC 1034 §4.2.1): what a zone delegates away, and the glue that goes with it. Pure. */
import { Type, typeName } from "./wire/codes.ts";
import { decodeName } from "./wire/name.ts";
import { type Draft, type DraftName, parentOf } from "./zone-draft.ts";

/** Marks what is delegated away, and gathers the glue. A delegation that would hide a route's host is dropped: a managed name always answers. */
export function cutZones(draft: Draft): void {
  const managed = new Set<string>();
  for (const { name, route } of draft.names.values()) {
    for (let suffix = route < 0 ? "" : name; suffix !== "" && !managed.has(suffix); suffix = parentOf(suffix)) managed.add(suffix);
  }
  for (const node of draft.names.values()) {
    const zone = draft.zones[node.zone]!;
    const at = node.name === zone.domain ? -1 : node.sets.findIndex(({ type }) => type === Type.NS);
    if (at < 0 || !managed.has(node.name)) continue;
    node.sets.splice(at, 1);
    draft.report(
      zone,
      `${node.name} NS`,
      "record-hidden",
      "a route answers for a name at or below this delegation",
      "Remove one of the two.",
    );
  }
  dropStrayDs(draft);
  const cuts = new Set([...draft.names.values()].filter((node) => isCut(draft, node)).map(({ name }) => name));
  for (const node of draft.names.values()) {
    const { domain } = draft.zones[node.zone]!;
    // the highest cut counts: what lies below it is not ours, further cuts included
    for (let suffix = node.name; suffix !== domain; suffix = parentOf(suffix)) if (cuts.has(suffix)) node.cut = suffix;
  }
  for (const name of cuts) if (draft.names.get(name)!.cut === name) gatherGlue(draft, draft.names.get(name)!);
  for (const node of draft.names.values()) if (node.cut !== undefined) reportHidden(draft, node);
  // Where an inner zone of ours lies in what the outer one has delegated away, its DS is not the outer zone's to tell.
  for (const [zone, side] of draft.parentSides) if (draft.names.get(parentOf(side.name))!.cut !== undefined) draft.parentSides.delete(zone);
}

/** A DS record anywhere but at a zone cut makes validators look for a zone that is not there (RFC 4035 §2.4). */
function dropStrayDs(draft: Draft): void {
  for (const node of draft.names.values()) {
    const at = node.sets.findIndex(({ type }) => type === Type.DS);
    if (at < 0 || isCut(draft, node)) continue;
    node.sets.splice(at, 1);
    const remedy = "Add the NS records, or remove the DS.";
    draft.report(draft.zones[node.zone]!, `${node.name} DS`, "record-conflict", "no NS records stand beside this DS", remedy);
  }
}

const isCut = (draft: Draft, node: DraftName): boolean =>
  node.name !== draft.zones[node.zone]!.domain && node.sets.some(({ type }) => type === Type.NS);

/** Addresses that the zone's records give for the servers of a cut (RFC 9471 §2.1: in-domain glue is not optional). */
function gatherGlue(draft: Draft, cut: DraftName): void {
  const servers = cut.sets.filter(({ type }) => type === Type.NS).flatMap(({ rdata }) => rdata.map((name) => decodeName(name, 0)!.name));
  for (const server of servers) {
    const node = draft.names.get(server.toLowerCase());
    if (node === undefined || node.zone !== cut.zone) continue;
    for (const { type, ttl, rdata } of node.sets) {
      if (type === Type.A || type === Type.AAAA) cut.glue.push(...rdata.map((one) => ({ owner: node.name, type, ttl, rdata: one })));
    }
  }
}

function reportHidden(draft: Draft, node: DraftName): void {
  const glue = new Set(draft.names.get(node.cut!)!.glue.map(({ owner }) => owner));
  for (const { type } of node.sets) {
    const isDelegation = (type === Type.NS || type === Type.DS) && node.name === node.cut;
    const isGlue = (type === Type.A || type === Type.AAAA) && glue.has(node.name);
    if (isDelegation || isGlue) continue;
    const zone = draft.zones[node.zone]!;
    draft.report(
      zone,
      `${node.name} ${typeName(type)}`,
      "record-hidden",
      `${node.cut} is delegated to other servers`,
      "Move the record to them.",
    );
  }
}
