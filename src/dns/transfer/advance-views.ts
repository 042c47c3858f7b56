/**
 * The one writer of serials: makes the views of all zones that have copies, and gives one a new serial when, and only when, its content is
 * new. Pure: what was before comes in, what is now goes out.
 */
import type { Zone } from "../../model/inventory.ts";
import { ms } from "../../model/units.ts";
import type { ZoneSigner } from "../dnssec/zone-signer.ts";
import { draftZones } from "../draft-zones.ts";
import { Type } from "../wire/codes.ts";
import { encodeName } from "../wire/name.ts";
import { concat, encodeSoa } from "../wire/rdata.ts";
import type { PlacelessRouting } from "./placeless.ts";
import { type SignedSets, signSets } from "./signed-view.ts";
import { routeSets, type ViewName, viewNames } from "./static-view.ts";
import {
  type Difference,
  differenceOf,
  encodeView,
  sameBytes,
  sameContent,
  serialOf,
  setKey,
  type ViewSet,
  type ZoneView,
} from "./zone-view.ts";

export interface ViewInput {
  readonly zones: readonly Zone[];
  readonly routing: PlacelessRouting;
  /** What signs a zone with `dnssec` now. Asked only when a view is made. */
  readonly signer: (domain: string) => ZoneSigner | undefined;
  /** What is served already, by domain: a first view comes after it. */
  readonly serials?: ReadonlyMap<string, number>;
}

export interface ZoneViews {
  readonly byDomain: ReadonlyMap<string, ZoneView>;
  readonly serials: ReadonlyMap<string, number>;
  /** Domains whose serial is new. */
  readonly changed: readonly string[];
  /** When to look again although nothing is known to have changed: milliseconds since the epoch. */
  readonly dueAt: number;
  /** What the next step starts from. */
  readonly memory: ReadonlyMap<string, ViewMemory>;
  readonly drafted: Drafted | undefined;
}

interface ViewMemory {
  readonly view: ZoneView;
  readonly sets: ReadonlyMap<string, ViewSet>;
  /** What it was made from; absent for a view that was loaded. */
  readonly names?: readonly ViewName[];
  readonly standings?: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly renewAt: number;
}

/** What follows from tables alone. */
interface Drafted extends Pick<ViewInput, "zones" | "routing"> {
  readonly names: ReadonlyMap<string, readonly ViewName[]>;
}

/** Flapping must not storm whoever takes copies: a zone has one new serial in this time at most. */
export const LEAST_BETWEEN_SERIALS = ms(5000);
/** Bytes of differences that are kept beyond the size of the view; going further back costs more than the whole zone. */
const LEAST_JOURNAL = 64 << 10;

/** Nothing yet. @param loaded what a former process made */
export function firstViews(loaded: readonly { readonly view: ZoneView; readonly sets: readonly ViewSet[] }[]): ZoneViews {
  const memory = new Map(
    loaded.map(({ view, sets }) => [view.domain, { view, sets: keyed(sets), renewAt: Number.NEGATIVE_INFINITY }] as const),
  );
  return gather(memory, [], Number.NEGATIVE_INFINITY, undefined);
}

/**
 * The views as they are now. Cheap when nothing has changed: then it compares standings.
 *
 * @param input the very same `zones` and `routing` as before, if they are no others
 * @param now   milliseconds since the epoch
 */
export function advanceViews(previous: ZoneViews, input: ViewInput, now: number): ZoneViews {
  const drafted = isDraftedFrom(previous.drafted, input) ? previous.drafted : draft(input);
  const memory = new Map<string, ViewMemory>();
  const changed: string[] = [];
  let dueAt = Number.POSITIVE_INFINITY;
  for (const zone of input.zones) {
    const names = zone.transfer === undefined || memory.has(zone.domain) ? undefined : drafted.names.get(zone.domain);
    if (names === undefined) continue;
    const before = previous.memory.get(zone.domain);
    const next = advance(before, zone, names, input, now);
    memory.set(zone.domain, next.memory);
    if (next.memory.view !== before?.view) changed.push(zone.domain);
    dueAt = Math.min(dueAt, next.dueAt);
  }
  return gather(memory, changed, dueAt, drafted);
}

function advance(
  before: ViewMemory | undefined,
  zone: Zone,
  names: readonly ViewName[],
  input: ViewInput,
  now: number,
): { readonly memory: ViewMemory; readonly dueAt: number } {
  const standings = standingsOf(input.routing);
  const isAsBefore = before?.names === names && before.standings !== undefined && Buffer.compare(before.standings, standings) === 0;
  if (isAsBefore && now < before.renewAt) return { memory: before, dueAt: before.renewAt };
  const quietUntil = (before?.view.changedAt ?? Number.NEGATIVE_INFINITY) + LEAST_BETWEEN_SERIALS;
  if (before !== undefined && now < quietUntil) return { memory: before, dueAt: quietUntil };

  const signer = zone.dnssec === undefined ? undefined : input.signer(zone.domain);
  if (zone.dnssec !== undefined && signer === undefined)
    throw new Error(`${zone.domain} is to be signed, and nothing was given to sign it with`);
  const { sets, renewAt: renewSeconds } = contentOf(zone, names, input.routing, before?.sets ?? new Map(), signer, now);
  const renewAt = 1000 * renewSeconds;
  const known = before === undefined ? undefined : soaOf(before);
  if (before !== undefined && known !== undefined && sameSets(sets, before.sets) && sameContent(soaSet(zone, before.view.serial), known)) {
    return { memory: { ...before, names, standings, renewAt }, dueAt: renewAt };
  }
  const soa = soaSet(zone, nextSerial(before?.view.serial ?? input.serials?.get(zone.domain), now));
  const all = [signer === undefined ? soa : { ...soa, signature: signer.sign(soa.owner, soa.type, soa.ttl, soa.rdata) }, ...sets];
  const records = encodeView(all);
  const difference = before === undefined ? [] : [differenceOf(ordered(before), all)];
  const view: ZoneView = {
    domain: zone.domain,
    serial: serialOf(soa.rdata[0]!),
    changedAt: now,
    records,
    journal: bounded([...(before?.view.journal ?? []), ...difference], records.length),
  };
  return { memory: { view, sets: keyed(all), names, standings, renewAt }, dueAt: renewAt };
}

/** Everything but the SOA, in canonical order. */
function contentOf(
  zone: Zone,
  names: readonly ViewName[],
  routing: PlacelessRouting,
  before: ReadonlyMap<string, ViewSet>,
  signer: ZoneSigner | undefined,
  now: number,
): SignedSets {
  const whole = names.flatMap((name): readonly ViewName[] => {
    const fromRoute = name.route < 0 ? [] : routeSets(name.owner, name.route, routing, (key) => before.get(key));
    const sets = [...name.sets.filter(({ type }) => fromRoute.every((set) => set.type !== type)), ...fromRoute];
    return sets.length === 0 && name !== names[0] ? [] : [{ ...name, sets: sets.map(withoutSignature) }];
  });
  if (signer !== undefined) return signSets(zone, whole, signer, before, Math.floor(now / 1000));
  return { sets: whole.flatMap(({ sets }) => sets), renewAt: Number.POSITIVE_INFINITY };
}

/** A set that is held comes from the former view, signature and all. */
function withoutSignature({ owner, type, ttl, rdata }: ViewSet): ViewSet {
  return { owner, type, ttl, rdata };
}

/** RFC 1982 arithmetic: seconds since the epoch where they are ahead, else one more than before. */
export function nextSerial(previous: number | undefined, now: number): number {
  const seconds = Math.floor(now / 1000) >>> 0;
  if (previous === undefined || isAhead(seconds, previous)) return seconds;
  return (previous + 1) >>> 0;
}

/** Whether serial `a` comes after `b` (RFC 1982 §3.2). */
export const isAhead = (a: number, b: number): boolean => ((a - b) | 0) > 0;

const soaSet = ({ domain, soa }: Zone, serial: number): ViewSet => ({
  owner: encodeName(domain)!,
  type: Type.SOA,
  ttl: soa.ttl,
  rdata: [encodeSoa(soa, serial)!],
});

/** Everything that a placeless answer depends on besides the table: a copy, since it changes in place. Slow start and deadlines are not in it. */
function standingsOf({ state }: PlacelessRouting): Uint8Array {
  const { standing, addressStanding, lastUsable } = state;
  return concat([standing, addressStanding, new Uint8Array(lastUsable.buffer, lastUsable.byteOffset, lastUsable.byteLength)]);
}

const isDraftedFrom = (drafted: Drafted | undefined, input: ViewInput): drafted is Drafted =>
  drafted !== undefined && drafted.zones === input.zones && drafted.routing === input.routing;

function draft({ zones, routing }: ViewInput): Drafted {
  const drafted = draftZones(zones, routing.names.routes, new Map()); // signers add their sets when a view is made
  const views = drafted.zones.flatMap((zone, index) =>
    zone.transfer === undefined ? [] : [[zone.domain, viewNames(index, drafted)] as const],
  );
  return { zones, routing, names: new Map(views) };
}

/** The newest differences that together are no longer than a whole zone would be. */
function bounded(journal: readonly Difference[], size: number): readonly Difference[] {
  let left = Math.max(size, LEAST_JOURNAL);
  let from = journal.length;
  while (from > 0) {
    left -= journal[from - 1]!.deleted.length + journal[from - 1]!.added.length;
    if (left < 0) break;
    from--;
  }
  return journal.slice(from);
}

/** @param before with the SOA, which is not compared */
function sameSets(sets: readonly ViewSet[], before: ReadonlyMap<string, ViewSet>): boolean {
  return sets.length === before.size - 1 && sets.every((set) => sameSet(set, before.get(setKey(set))));
}

function sameSet(set: ViewSet, before: ViewSet | undefined): boolean {
  if (set === before) return true;
  if (before === undefined || !sameContent(set, before)) return false;
  const [a, b] = [set.signature, before.signature];
  return a === undefined || b === undefined ? a === b : sameBytes(a, b);
}

const keyed = (sets: readonly ViewSet[]): ReadonlyMap<string, ViewSet> => new Map(sets.map((set) => [setKey(set), set]));
/** A map keeps the order in which it was filled: the SOA first. */
const ordered = ({ sets }: ViewMemory): readonly ViewSet[] => [...sets.values()];
const soaOf = (memory: ViewMemory): ViewSet | undefined => ordered(memory)[0];

function gather(
  memory: ReadonlyMap<string, ViewMemory>,
  changed: readonly string[],
  dueAt: number,
  drafted: Drafted | undefined,
): ZoneViews {
  const views = [...memory.values()].map(({ view }) => view);
  return {
    byDomain: new Map(views.map((view) => [view.domain, view])),
    serials: new Map(views.map(({ domain, serial }) => [domain, serial])),
    changed,
    dueAt,
    memory,
    drafted,
  };
}
