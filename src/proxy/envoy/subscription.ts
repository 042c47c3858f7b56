/** What a client asks for of one type, in either variant of the protocol. Pure. */
import type { ResourceSet, ResourceType } from "./resource-set.ts";

export interface Subscription {
  /** All that there is, whatever the names. */
  readonly isWildcard: boolean;
  readonly names: ReadonlySet<string>;
}

/** The state of the world: each request has the whole list. */
export interface WholeRequest {
  readonly variant: "StateOfTheWorld";
  readonly type: ResourceType;
  readonly names: readonly string[];
  /** Of the response that it answers; empty = of none. */
  readonly nonce: string;
  /** Why the response was rejected; undefined = it was not. */
  readonly error: string | undefined;
}

/** Delta: each request has what is to be added and taken away. */
export interface DeltaRequest {
  readonly variant: "Delta";
  readonly type: ResourceType;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Name → version of what the client has from a stream before. */
  readonly has: Readonly<Record<string, string>>;
  readonly nonce: string;
  readonly error: string | undefined;
}

export type StreamRequest = WholeRequest | DeltaRequest;

const EVERYTHING = "*";
/** Types that a client without names asks all of. */
const WHOLE: ReadonlySet<ResourceType> = new Set(["cluster", "listener"]);
/** Types of which each response of the state of the world has all: what it lacks is gone. */
export const isToldWhole = (type: ResourceType): boolean => WHOLE.has(type);

/** @param before undefined for the first request of the type */
export function subscribed(before: Subscription | undefined, request: StreamRequest): Subscription {
  return request.variant === "Delta" ? changed(before, request) : replaced(before, request);
}

/** An empty list asks for everything as long as the client never named anything. */
function replaced(before: Subscription | undefined, { type, names: list }: WholeRequest): Subscription {
  const { names, saysAll } = namesIn(list);
  const hasNamed = before !== undefined && !(before.isWildcard && before.names.size === 0);
  const isWildcard = saysAll || (names.size === 0 && !hasNamed && isToldWhole(type));
  if (before !== undefined && before.isWildcard === isWildcard && isSame(before.names, names)) return before;
  return { isWildcard, names };
}

interface Named {
  readonly names: ReadonlySet<string>;
  readonly saysAll: boolean;
}

/** Worked out once for each list: thousands of clients say the same one. */
function namesIn(list: readonly string[]): Named {
  const known = named.get(list);
  if (known !== undefined) return known;
  const names = new Set(list);
  const saysAll = names.delete(EVERYTHING);
  named.set(list, { names, saysAll });
  return { names, saysAll };
}

const named = new WeakMap<readonly string[], Named>();

function changed(before: Subscription | undefined, { type, subscribe, unsubscribe }: DeltaRequest): Subscription {
  if (before === undefined) {
    const { names, saysAll } = namesIn(subscribe);
    return { names, isWildcard: saysAll || (subscribe.length === 0 && isToldWhole(type)) };
  }
  if (subscribe.length === 0 && unsubscribe.length === 0) return before;
  const names = new Set(before.names);
  for (const name of subscribe) names.add(name);
  for (const name of unsubscribe) names.delete(name);
  const saysAll = names.delete(EVERYTHING) || (before.isWildcard && !unsubscribe.includes(EVERYTHING));
  return { isWildcard: saysAll, names };
}

/** Sets that are held here are never changed, so what was once found equal is: a list of thousands is compared once, not for each client. */
function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a === b || equals.get(b) === a) return true;
  if (a.size !== b.size) return false;
  for (const name of b) if (!a.has(name)) return false;
  equals.set(b, a);
  return true;
}

const equals = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>();

/** The subscription, with the set's own names instead of equal ones: thousands of streams then hold one object. */
export function sharing(subscription: Subscription, set: ResourceSet): Subscription {
  const { names } = subscription;
  return names !== set.names && names.size > 0 && isSame(names, set.names) ? { ...subscription, names: set.names } : subscription;
}

/** @returns those of the list that the client asks for: the same list, if it is all of them */
export function ofInterest<T>({ isWildcard, names }: Subscription, list: readonly T[], nameOf: (one: T) => string): readonly T[] {
  if (isWildcard || list.every((one) => names.has(nameOf(one)))) return list;
  return list.filter((one) => names.has(nameOf(one)));
}
