/**
 * Names that exist only to be aliased: where a provider's policies go one below the other (everybody in a continent, there the nearest, there
 * a healthy one), each step needs a name of its own. They are ours by their name alone, so that no record has to say it.
 *
 * ```
 * shop.example.org A → near-0-5f3c09d1a2.prod-eu._routes._globalroute.example.org A → backend-1-5f3c09d1a2.prod-eu._routes._globalroute.example.org A
 * ```
 */
import { type Change, type DesiredSet, membersThatGo, type NameChanges, putSets } from "./change.ts";
import { REGISTRY_LABEL } from "./ownership.ts";
import type { RecordSet } from "./record-set.ts";

export interface HelperScope {
  /** The zone's apex. */
  readonly domain: string;
  readonly owner: string;
}

const suffixOf = ({ domain, owner }: HelperScope): string => `.${owner}._routes.${REGISTRY_LABEL}.${domain}`;

/** @param label one DNS label */
export const helperName = (label: string, scope: HelperScope): string => `${label}${suffixOf(scope)}`;

export function isHelper(name: string, scope: HelperScope): boolean {
  const suffix = suffixOf(scope);
  return name.endsWith(suffix) && !name.slice(0, -suffix.length).includes(".");
}

export interface HelperInput {
  readonly actual: readonly RecordSet[];
  readonly desired: readonly DesiredSet[];
  /** What will stand in the rest of the zone. */
  readonly hosts: readonly RecordSet[];
}

/**
 * What is aliased comes before what aliases it, and leaves after it. A helper that is wanted no more stays while something that stays needs it.
 *
 * @returns changes that go before those of the hosts, and others that follow them
 */
export function planHelpers({ actual, desired, hosts }: HelperInput): {
  readonly before: readonly NameChanges[];
  readonly after: readonly NameChanges[];
} {
  const [there, wanted] = [Map.groupBy(actual, nameOf), Map.groupBy(desired, nameOf)];
  const needed = reachable([...hosts, ...desired], standing(there, wanted));
  const before: NameChanges[] = [];
  for (const name of bottomUp(wanted)) {
    const [old, coming] = [there.get(name) ?? [], wanted.get(name)!];
    const { displaced, trimmed } = membersThatGo(old, coming);
    const unwanted = old.filter((set) => !coming.some(({ type }) => set.type === type) && !needed.has(typeKey(set)));
    const puts = putSets(
      old.filter((set) => !displaced.includes(set)),
      coming,
    );
    const changes = [...displaced.map(remove), ...puts, ...[...trimmed, ...unwanted].map(remove)];
    if (changes.length > 0) before.push({ name, isUrgent: old.length > 0, changes });
  }
  const after = bottomUp(there)
    .reverse()
    .filter((name) => !wanted.has(name))
    .map((name) => ({
      name,
      isUrgent: false,
      changes: there
        .get(name)!
        .filter((set) => !needed.has(typeKey(set)))
        .map(remove),
    }));
  return { before, after: after.filter(({ changes }) => changes.length > 0) };
}

const nameOf = ({ name }: RecordSet): string => name;
const typeKey = ({ name, type }: Pick<RecordSet, "name" | "type">): string => `${name} ${type}`;
const remove = (before: RecordSet): Change => ({ action: "Delete", before });

/** What helpers will be like, with everything that may have to stay. */
function standing(
  there: ReadonlyMap<string, readonly RecordSet[]>,
  wanted: ReadonlyMap<string, readonly RecordSet[]>,
): ReadonlyMap<string, readonly RecordSet[]> {
  const mixed = Array.from(wanted, ([name, coming]) => {
    const others = (there.get(name) ?? []).filter(({ type }) => !coming.some((set) => set.type === type));
    return [name, [...coming, ...others]] as const;
  });
  return new Map([...there, ...mixed]);
}

/** Names and types that sets come to by aliases, however many steps away. */
function reachable(from: readonly RecordSet[], helpers: ReadonlyMap<string, readonly RecordSet[]>): ReadonlySet<string> {
  const found = new Set<string>();
  const follow = ({ alias, type }: RecordSet): void => {
    if (alias === undefined || found.has(typeKey({ name: alias.target, type }))) return;
    found.add(typeKey({ name: alias.target, type }));
    for (const set of helpers.get(alias.target) ?? []) if (set.type === type) follow(set);
  };
  for (const set of from) follow(set);
  return found;
}

/** Names with those before them that they alias; equals in their order. */
function bottomUp(helpers: ReadonlyMap<string, readonly RecordSet[]>): string[] {
  const done = new Set<string>();
  const visit = (name: string): void => {
    if (done.has(name)) return;
    done.add(name); // before its targets, so that a circle that somebody made ends
    for (const { alias } of helpers.get(name) ?? []) if (alias !== undefined && helpers.has(alias.target)) visit(alias.target);
    order.push(name);
  };
  const order: string[] = [];
  for (const name of [...helpers.keys()].sort()) visit(name);
  return order;
}
