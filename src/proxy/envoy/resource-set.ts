/** All resources of one type at one version. Immutable, and shared by every stream that it is sent to. Pure. */

/** In the order in which a client can take them without losing requests: who is spoken of comes before who speaks of it. */
export const RESOURCE_TYPES = ["cluster", "loadAssignment", "listener", "routes"] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];

export interface EncodedResource {
  readonly name: string;
  /** Equal bytes have equal versions, in every process. */
  readonly version: string;
  /** The message, without its type. */
  readonly bytes: Uint8Array;
}

export interface ResourceSet {
  readonly version: string;
  readonly byName: ReadonlyMap<string, EncodedResource>;
  /** The same, in the same order. */
  readonly list: readonly EncodedResource[];
  /** The same object as in the set before, if the names are the same: streams hold on to it instead of to names of their own. */
  readonly names: ReadonlySet<string>;
}

/** What clients at one place are to have. */
export type Snapshot = Readonly<Record<ResourceType, ResourceSet>>;

/**
 * @param hash of text: 16 characters or so, equal in every process
 * @param before whose place it takes
 */
export function resourceSet(list: readonly EncodedResource[], hash: (text: string) => string, before = NO_RESOURCES): ResourceSet {
  const version = hash(list.map((resource) => `${resource.name} ${resource.version}`).join("\n"));
  const isSame = list.length === before.list.length && list.every(({ name }) => before.names.has(name));
  return setOf(version, list, isSame ? before.names : new Set(list.map(({ name }) => name)));
}

const setOf = (version: string, list: readonly EncodedResource[], names: ReadonlySet<string>): ResourceSet => ({
  ...{ version, list, names },
  byName: new Map(list.map((resource) => [resource.name, resource])),
});

export const NO_RESOURCES: ResourceSet = setOf("", [], new Set());

/** What a client says that it has: names and versions without the bytes. */
export const claimedSet = (versions: Readonly<Record<string, string>>): ResourceSet => {
  const list = Object.entries(versions).map(([name, version]) => ({ name, version, bytes: NO_BYTES }));
  return list.length === 0 ? NO_RESOURCES : setOf("claimed", list, new Set(Object.keys(versions)));
};

const NO_BYTES = new Uint8Array(0);

export interface Changes {
  /** New ones and those with another version. */
  readonly changed: readonly EncodedResource[];
  readonly removed: readonly string[];
}

/** What leads from one set to another. Worked out once for all streams that go the same way: equal arguments give the same object. */
export function changesBetween(from: ResourceSet, to: ResourceSet): Changes {
  return stepBetween(from, to).changes;
}

/** The second set, and of the first whatever the second has no more: nobody who still speaks of it is left without. As for {@link changesBetween}. */
export function withRemoved(from: ResourceSet, to: ResourceSet): ResourceSet {
  return stepBetween(from, to).kept;
}

interface Step {
  readonly to: ResourceSet;
  readonly changes: Changes;
  readonly kept: ResourceSet;
}

function stepBetween(from: ResourceSet, to: ResourceSet): Step {
  // The same set for every type: it would be remembered for one of them only. And the list itself is encoded once for all.
  if (from === NO_RESOURCES) return { to, kept: to, changes: { changed: to.list, removed: [] } };
  const known = memo.get(from);
  if (known?.to === to) return known;
  const changed = to.list.filter(({ name, version }) => from.byName.get(name)?.version !== version);
  const gone = from.list.filter(({ name }) => !to.byName.has(name));
  const ofUs = gone.filter(({ bytes }) => bytes !== NO_BYTES);
  const both = [...to.list, ...ofUs];
  const kept = ofUs.length === 0 ? to : setOf(`${to.version}+${ofUs.length}`, both, new Set(both.map(({ name }) => name)));
  const step: Step = { to, kept, changes: { changed, removed: gone.map(({ name }) => name) } };
  memo.set(from, step);
  return step;
}

/** The newest step from each set; it is forgotten with the set, when no stream holds that any more. */
const memo = new WeakMap<ResourceSet, Step>();
