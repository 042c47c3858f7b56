/**
 * What has to change in a zone so that it delegates others as it should. Nothing is made that would send clients to servers that do not answer,
 * or validating resolvers to a zone that they would find bogus; nothing is removed because servers are silent, and a delegation that nobody
 * wants any more only when somebody says so. Pure.
 */
import { type Change, type NameChanges, putSet } from "../change.ts";
import { isReserved, parseOwnership, registryName } from "../ownership.ts";
import type { Conflict, Plan } from "../planner.ts";
import type { ZoneAuthority } from "../provider.ts";
import { inOwnerOrder, type RecordSet, recordSetKey, sameRecordSet } from "../record-set.ts";
import {
  type DelegationOwnership,
  type DesiredDelegation,
  delegatedName,
  delegationName,
  formatDelegation,
  parseDelegation,
  type SeenServers,
  type WaitingDelegation,
} from "./delegation.ts";

export interface DelegationInput {
  /** The apex of the zone that delegates. */
  readonly domain: string;
  readonly owner: string;
  readonly desired: readonly DesiredDelegation[];
  /** The whole zone. */
  readonly actual: readonly RecordSet[];
  /** `UpsertOnly` removes no delegation; of one that is wanted it removes what has no place in it any more. */
  readonly policy: "Sync" | "UpsertOnly";
  /** Delegations that nobody wants any more are removed: with `Sync` they wait for it, however few they are. */
  readonly isRemovalConfirmed: boolean;
  /** Names at which nothing is done. */
  readonly contested: ReadonlySet<string>;
}

/** What a {@link Plan} has of delegations. */
export type DelegationPlan = Pick<Plan, "groups" | "conflicts" | "held" | "kept" | "contested" | "waiting">;

export function planDelegations(input: DelegationInput): DelegationPlan {
  const registered = findRegistered(input);
  if (registered.size + input.desired.length === 0) return NOTHING; // as in most zones, which are planned often
  const zone: Zone = { sets: new Map(input.actual.map((set) => [recordSetKey(set), set])), registered, actual: input.actual };
  const desired = new Map(input.desired.map((one) => [one.child, one]));
  const all = inOwnerOrder(new Set([...desired.keys(), ...zone.registered.keys()]));
  const drafts = all
    .filter((child) => !input.contested.has(child))
    .map((child) => {
      const wanted = desired.get(child);
      return wanted === undefined ? leave(child, zone, input) : keep(wanted, zone, input);
    });
  return {
    groups: drafts.flatMap(({ child, changes }) =>
      changes.length === 0 ? [] : ([{ name: child, isUrgent: false, changes }] satisfies NameChanges[]),
    ),
    conflicts: drafts.flatMap(({ conflicts }) => conflicts),
    held: drafts.flatMap(({ held }) => held),
    kept: drafts.flatMap(({ kept }) => kept),
    contested: all.filter((child) => input.contested.has(child)),
    waiting: drafts.flatMap(({ child, waiting }) => waiting.map((one) => ({ child, ...one }))),
  };
}

const NOTHING: DelegationPlan = { groups: [], conflicts: [], held: [], kept: [], contested: [], waiting: [] };

/** A plan of hosts and one of delegations as one. */
export const joinPlans = (hosts: Plan, delegations: DelegationPlan): Plan => ({
  groups: [...hosts.groups, ...delegations.groups],
  conflicts: [...hosts.conflicts, ...delegations.conflicts],
  held: [...hosts.held, ...delegations.held],
  kept: [...hosts.kept, ...delegations.kept],
  contested: [...hosts.contested, ...delegations.contested],
  waiting: [...hosts.waiting, ...delegations.waiting],
});

interface Zone {
  readonly sets: ReadonlyMap<string, RecordSet>;
  /** Child → where it is told that its delegation is ours. */
  readonly registered: ReadonlyMap<string, DelegationOwnership>;
  readonly actual: readonly RecordSet[];
}

function findRegistered({ actual, domain, owner }: DelegationInput): Zone["registered"] {
  const registered = new Map<string, DelegationOwnership>();
  for (const set of actual) {
    const child = set.type === "TXT" ? delegatedName(set.name, domain) : undefined;
    const ownership = child === undefined ? undefined : parseDelegation(set);
    if (child !== undefined && ownership?.owner === owner) registered.set(child, ownership);
  }
  return registered;
}

interface Draft {
  readonly child: string;
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
  readonly held: readonly RecordSet[];
  readonly kept: readonly RecordSet[];
  readonly waiting: readonly Omit<WaitingDelegation, "child">[];
}

const nothing = (child: string): Draft => ({ child, changes: [], conflicts: [], held: [], kept: [], waiting: [] });
const remove = (before: RecordSet): Change => ({ action: "Delete", before });

/** The delegation is ours, and nobody wants it any more. */
function leave(child: string, { sets, registered }: Zone, { domain, policy, isRemovalConfirmed }: DelegationInput): Draft {
  const { types, glue } = registered.get(child)!;
  // Without DS first, so that nobody finds a signed zone that is not there; the glue last.
  const names = [...["DS", "NS"].filter((type) => types.includes(type)).map((type) => ({ name: child, type })), ...glue];
  const leaving = names.flatMap((name) => sets.get(recordSetKey(name)) ?? []);
  if (leaving.length > 0 && policy === "UpsertOnly") return { ...nothing(child), kept: leaving };
  if (leaving.length > 0 && !isRemovalConfirmed) return { ...nothing(child), held: leaving };
  const told = sets.get(recordSetKey({ name: delegationName(child, domain)!, type: "TXT" }))!;
  return { ...nothing(child), changes: [...leaving, told].map(remove) };
}

function keep(wanted: DesiredDelegation, zone: Zone, input: DelegationInput): Draft {
  const { child } = wanted;
  const wait = (why: string, isFault: boolean): Draft => ({ ...nothing(child), waiting: [{ why, isFault }] });
  if (wanted.kind === "Unknown") return wait(wanted.why, wanted.isFault);
  const registry = delegationName(child, input.domain);
  if (registry === undefined) return { ...nothing(child), conflicts: [{ name: child, type: "NS", reason: "Reserved" }] };
  const told = zone.sets.get(recordSetKey({ name: registry, type: "TXT" }));
  const ownership = told === undefined ? undefined : parseDelegation(told);
  if (told !== undefined && ownership?.owner !== input.owner) {
    const whose = ownership === undefined ? {} : { owner: ownership.owner };
    return { ...nothing(child), conflicts: [{ name: child, type: "NS", reason: "OwnedByAnother", ...whose }] };
  }
  const there = whatIsThere(wanted, ownership, zone);
  const foreign = there.foreign.filter(({ type }) => type !== "DS"); // a DS of others is a matter of its own
  if (foreign.length > 0) return { ...nothing(child), conflicts: foreign.map(({ name, type }) => ({ name, type, reason: "Foreign" })) };
  const hidden = there.ns === undefined ? hiddenBy(child, wanted.authority, zone, input.owner) : [];
  if (hidden.length > 0) {
    const more = hidden.length > 1 ? ` and ${hidden.length - 1} more` : "";
    return wait(
      `${hidden[0]!.name} ${hidden[0]!.type}${more} would be hidden by it: move them into the zone ${child}, and remove them here`,
      true,
    );
  }
  return draw(wanted, there, { registry, told }, input.owner);
}

/** What stands at a delegation now. */
interface There {
  readonly ns: RecordSet | undefined;
  readonly ds: RecordSet | undefined;
  readonly isDsOurs: boolean;
  /** Ours, or about to be. */
  readonly glue: readonly RecordSet[];
  /** Others', where ours should be. */
  readonly foreign: readonly RecordSet[];
}

function whatIsThere({ child, authority, isAdopted }: Known, ownership: DelegationOwnership | undefined, { sets }: Zone): There {
  const [ns, ds] = ["NS", "DS"].map((type) => sets.get(recordSetKey({ name: child, type })));
  const named = (ns?.values ?? []).map(foldName).filter((name) => name.endsWith(`.${child}`));
  const told = ownership?.glue ?? [];
  const claimed = isAdopted
    ? [...told, ...[...named, ...authority.glue.map(({ name }) => name)].flatMap((name) => ["A", "AAAA"].map((type) => ({ name, type })))]
    : told;
  const ours = new Set(claimed.map(recordSetKey));
  const owns = (type: string): boolean =>
    (isAdopted && (type !== "DS" || authority.ds !== undefined)) || ownership?.types.includes(type) === true;
  const isDsOurs = ds === undefined || owns("DS");
  return {
    ...{ ns, ds, isDsOurs },
    glue: [...ours].flatMap((key) => sets.get(key) ?? []),
    foreign: [
      ...(ns === undefined || owns("NS") ? [] : [ns]),
      ...(isDsOurs ? [] : [ds]),
      ...authority.glue.flatMap((set) => (ours.has(recordSetKey(set)) ? [] : (sets.get(recordSetKey(set)) ?? []))),
    ],
  };
}

type Known = Extract<DesiredDelegation, { readonly kind: "Known" }>;

/** Sets that are answered now and would not be once the name is delegated. Hosts of ours go with their routes. */
function hiddenBy(child: string, { glue }: ZoneAuthority, { actual, sets }: Zone, owner: string): readonly RecordSet[] {
  const wanted = new Set(glue.map(recordSetKey));
  const isOurs = ({ name, type }: RecordSet): boolean => {
    const told = sets.get(recordSetKey({ name: registryName(name) ?? "", type: "TXT" }));
    const ownership = told === undefined ? undefined : parseOwnership(told);
    return ownership?.owner === owner && ownership.types.includes(type);
  };
  return actual.filter(
    (set) =>
      (set.name === child || set.name.endsWith(`.${child}`)) &&
      !isReserved(set.name) &&
      !wanted.has(recordSetKey(set)) &&
      !(set.name === child && (set.type === "NS" || set.type === "DS")) &&
      !isOurs(set),
  );
}

/** Every obstacle but the servers themselves is out of the way. */
function draw(
  { child, resource, authority, seen }: Known,
  there: There,
  { registry, told }: { readonly registry: string; readonly told: RecordSet | undefined },
  owner: string,
): Draft {
  const waiting: Omit<WaitingDelegation, "child">[] = [];
  const ns: RecordSet = { name: child, type: "NS", ttl: authority.ttl, values: authority.nameServers.map((name) => `${name}.`) };
  const obstacle = obstacleTo(authority, there, seen);
  if (obstacle !== undefined) waiting.push({ why: obstacle, isFault: true });
  const isStill = obstacle !== undefined;
  const [before, after] = [there.glue, isStill ? there.glue : authority.glue];
  const puts = isStill ? [] : [...after, ns].flatMap((set) => put(set.type === "NS" ? there.ns : find(before, set), set));
  const trimmed = before.filter((set) => find(after, set) === undefined);

  const isDelegated = !isStill || there.ns !== undefined;
  const { changes, conflicts, blocked } = drawDs({ child, authority, seen, there, isDelegated });
  if (blocked !== undefined) waiting.push(blocked);
  const hasDs = there.isDsOurs && (changes.length > 0 ? changes.some(({ action }) => action !== "Delete") : there.ds !== undefined);
  const types = [...(hasDs ? ["DS"] : []), ...(isDelegated ? ["NS"] : [])];
  const tells = formatDelegation(registry, { owner, resource, types, glue: after.map(({ name, type }) => ({ name, type })) });
  const isTold = told !== undefined && sameRecordSet(told, tells);
  const isNothing = !isDelegated && changes.length === 0;
  return {
    ...nothing(child),
    changes: isNothing ? [] : [...(isTold ? [] : [putSet(told, tells)]), ...puts, ...changes, ...trimmed.map(remove)],
    ...{ conflicts, waiting },
  };
}

const find = (sets: readonly RecordSet[], { name, type }: RecordSet): RecordSet | undefined =>
  sets.find((set) => set.name === name && set.type === type);
const put = (before: RecordSet | undefined, after: RecordSet): readonly Change[] =>
  before !== undefined && sameRecordSet(canonical(before), canonical(after)) ? [] : [putSet(before, after)];

/** Why the servers that the zone names cannot take the place of those that are named now; undefined: they can, or they do. */
function obstacleTo({ nameServers, glue }: ZoneAuthority, there: There, { servers, chain }: SeenServers): string | undefined {
  const named = new Set((there.ns?.values ?? []).map(foldName));
  const isMoved = (name: string): boolean =>
    ["A", "AAAA"].some((type) => {
      const [was, is] = [find(there.glue, probe(name, type)), find(glue, probe(name, type))];
      return is !== undefined && (was === undefined || !sameRecordSet(canonical(was), { ...canonical(is), ttl: was.ttl }));
    });
  const coming = nameServers.filter((name) => !named.has(name) || isMoved(name));
  const troubleOf = (name: string): string | undefined => (servers.has(name) ? servers.get(name) : `${name} has not been looked at`);
  const troubles = coming.flatMap((name) => troubleOf(name) ?? []);
  if (troubles.length > 0) return troubles.join("; ");
  const isShrinking = [...named].some((name) => !nameServers.includes(name));
  if (coming.length === 0) {
    if (!isShrinking || nameServers.some((name) => troubleOf(name) === undefined)) return undefined;
    return `none of the servers that would be left answers: ${nameServers.flatMap((name) => troubleOf(name) ?? []).join("; ")}`;
  }
  const broken = there.ds === undefined ? undefined : chain(canonical(there.ds).values);
  return broken === undefined ? undefined : `the DS that is there would not lead into the zone: ${broken}`;
}

const probe = (name: string, type: string): RecordSet => ({ name, type, ttl: 0, values: [] });

interface DsInput extends Pick<Known, "child" | "authority" | "seen"> {
  readonly there: There;
  readonly isDelegated: boolean;
}

/** DS comes when its key is seen to sign, and goes when the zone asks for it (RFC 7344 §4, RFC 8078 §4). */
function drawDs({ child, authority, seen, there: { ds, isDsOurs }, isDelegated }: DsInput): {
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
  readonly blocked?: Omit<WaitingDelegation, "child">;
} {
  const none = { changes: [], conflicts: [] };
  if (authority.ds === undefined || (authority.ds.length === 0 && ds === undefined)) return none;
  const wanted: RecordSet = { name: child, type: "DS", ttl: authority.ttl, values: authority.ds };
  if (ds !== undefined && sameRecordSet(canonical(ds), { ...canonical(wanted), ttl: ds.ttl })) return none;
  if (!isDsOurs) return { ...none, conflicts: [{ name: child, type: "DS", reason: "Foreign" }] };
  if (authority.ds.length === 0) return { ...none, changes: ds === undefined ? [] : [remove(ds)] };
  if (seen.ds !== undefined) return { ...none, blocked: { ...seen.ds, why: `DS: ${seen.ds.why}` } };
  return isDelegated ? { ...none, changes: [putSet(ds, wanted)] } : none;
}

const foldName = (name: string): string => name.toLowerCase().replace(/\.$/, "");

/** Values as every provider may write them: names and digests in small letters, a digest in one piece. */
function canonical(set: RecordSet): RecordSet {
  if (set.type === "NS") return { ...set, values: set.values.map((value) => `${foldName(value)}.`) };
  if (set.type !== "DS") return set;
  return {
    ...set,
    values: set.values.map((value) => {
      const [tag, algorithm, digestType, ...digest] = value.trim().split(/\s+/);
      return `${tag} ${algorithm} ${digestType} ${digest.join("").toLowerCase()}`;
    }),
  };
}
