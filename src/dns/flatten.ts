/**
 * Host names among backends' addresses, kept resolved: an answer holds addresses, never a chain (what "ALIAS" records do elsewhere).
 * The engine compiles the inventory that {@link flattenInventory} makes, and again whenever something changed.
 */
import type { Inventory, Route } from "../model/inventory.ts";
import { formatIp, type Network, networkContains, parseIp } from "../model/ip.ts";
import { rememberedMap } from "../model/remembered-map.ts";
import { isSpecial } from "../model/special-addresses.ts";
import { type Milliseconds, ms } from "../model/units.ts";

/** Errors have a `code`: `ENODATA` = the name has no such record, `ENOTFOUND` = there is no such name, others = no answer. */
export interface HostResolver {
  /** TTLs in seconds. */
  readonly resolve4: (name: string) => Promise<readonly { readonly address: string; readonly ttl: number }[]>;
  readonly resolve6: (name: string) => Promise<readonly { readonly address: string; readonly ttl: number }[]>;
  /** The targets of the name's own alias; rejects with `ENODATA` when it has none. */
  readonly resolveCname: (name: string) => Promise<readonly string[]>;
  readonly close: () => void;
}

export interface FlattenOptions {
  readonly resolver: Omit<HostResolver, "close">;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
  /** Networks whose addresses are taken although they are private, loopback or link-local. */
  readonly allow?: readonly Network[];
}

export type FlattenFault = "loop" | "forbidden-address" | "not-found" | "no-address" | "unreachable";

export interface FlattenedName {
  readonly name: string;
  /** Canonical, IPv4 first, sorted; the last good ones while a refresh fails. Empty before the first success. */
  readonly addresses: readonly string[];
  /** Why the last refresh failed; absent when it succeeded or none has ended yet. */
  readonly fault?: FlattenFault;
  /** Milliseconds since the addresses were last confirmed; absent before that. */
  readonly age?: number;
}

export interface Flattener {
  /** {@link flattenInventory} with what is known now; from here on exactly this inventory's names are kept fresh. */
  readonly apply: (inventory: Inventory) => Inventory;
  /** The listener is called after the addresses of a name have changed. */
  readonly onChange: (listener: () => void) => void;
  /** What a name resolves to now; empty if nothing is known. */
  readonly addresses: (name: string) => readonly string[];
  /** Sorted by name. */
  readonly status: () => readonly FlattenedName[];
  readonly close: () => void;
}

const SHORTEST = 5;
const LONGEST = 300;
const SLOWEST_RETRY = 60;
const MAX_CHAIN = 8;

interface Entry {
  readonly name: string;
  addresses: readonly string[];
  fault: FlattenFault | undefined;
  confirmed: number | undefined;
  failures: number;
  cancel: () => void;
  closed: boolean;
}

type Resolved = { readonly addresses: readonly string[]; readonly ttl: number } | { readonly fault: FlattenFault };

export function createFlattener({ resolver, now, setTimer, allow = [] }: FlattenOptions): Flattener {
  const entries = new Map<string, Entry>();
  const listeners: (() => void)[] = [];
  let routes: Inventory["routes"] = [];
  /** Of `routes`, made when somebody asks: most clusters publish addresses. */
  let hosts: ReadonlySet<string> | undefined;
  const namesOfAll = rememberedMap(routeNames);
  const flattened = new WeakMap<Route, Route>();

  function ownHosts(): ReadonlySet<string> {
    hosts ??= new Set(routes.flatMap((route) => route.hosts));
    return hosts;
  }

  async function refresh(entry: Entry): Promise<void> {
    const outcome = await resolve(entry.name);
    if (entry.closed) return;
    let delay: number;
    if ("fault" in outcome) {
      entry.fault = outcome.fault;
      delay = Math.min(SHORTEST * 2 ** entry.failures++, SLOWEST_RETRY);
    } else {
      const changed = outcome.addresses.join() !== entry.addresses.join();
      entry.addresses = outcome.addresses;
      entry.fault = undefined;
      entry.confirmed = now();
      entry.failures = 0;
      delay = Math.min(Math.max(outcome.ttl, SHORTEST), LONGEST);
      if (changed) for (const listener of listeners) listener();
    }
    if (!entry.closed) entry.cancel = setTimer(ms(delay * 1000), () => void refresh(entry));
  }

  /** Never rejects. */
  async function resolve(name: string): Promise<Resolved> {
    if (await isLoop(name)) return { fault: "loop" };
    const [v4, v6] = await Promise.all([settled(resolver.resolve4(name)), settled(resolver.resolve6(name))]);
    const records = [...(v4.records ?? []), ...(v6.records ?? [])];
    // One family that does not answer fails the whole: half an answer would withdraw the other half.
    const failure = [v4, v6].map(({ code }) => code).find((code) => code !== undefined && code !== "ENODATA" && code !== "ENOTFOUND");
    if (failure !== undefined) return { fault: "unreachable" };
    if (records.length === 0) return { fault: v4.code === "ENOTFOUND" ? "not-found" : "no-address" };
    const usable = records.filter(({ address }) => isUsable(address, allow));
    if (usable.length === 0) return { fault: "forbidden-address" };
    const addresses = [...new Set(usable.map(({ address }) => formatIp(parseIp(address)!)))];
    return { addresses: addresses.sort(byFamily), ttl: Math.min(...records.map(({ ttl }) => ttl)) };
  }

  /** A name, or an alias on its way, that our own routes answer would be resolved by asking ourselves. */
  async function isLoop(name: string): Promise<boolean> {
    const seen = new Set<string>();
    for (let target: string | undefined = name; target !== undefined && seen.size < MAX_CHAIN; ) {
      if (isOwn(target, ownHosts()) || seen.has(target)) return true;
      seen.add(target);
      const aliases: readonly string[] = await resolver.resolveCname(target).catch(() => []);
      target = aliases[0]?.toLowerCase().replace(/\.$/, "");
    }
    return seen.size >= MAX_CHAIN;
  }

  function watch(wanted: ReadonlySet<string>): void {
    for (const [name, entry] of entries) {
      if (wanted.has(name)) continue;
      entry.closed = true;
      entry.cancel();
      entries.delete(name);
    }
    for (const name of wanted) {
      if (entries.has(name)) continue;
      const entry: Entry = {
        name,
        addresses: [],
        fault: undefined,
        confirmed: undefined,
        failures: 0,
        cancel: () => undefined,
        closed: false,
      };
      entries.set(name, entry);
      void refresh(entry);
    }
  }

  /** The very same route while its names resolve to what they did: whoever compares by identity sees what has changed. */
  function flattenAgain(route: Route): Route {
    const next = flattenRoute(route, addressesOf);
    const before = flattened.get(route);
    if (before !== undefined && next.backends.every(({ addresses }, i) => addresses.join() === before.backends[i]!.addresses.join())) {
      return before;
    }
    flattened.set(route, next);
    return next;
  }

  const addressesOf = (name: string): readonly string[] => entries.get(name)?.addresses ?? [];

  return {
    apply: (inventory) => {
      if (inventory.routes !== routes) hosts = undefined;
      routes = inventory.routes;
      const names = namesOfAll(routes);
      watch(new Set(names.flat()));
      return flattenInventory(inventory, addressesOf, names, flattenAgain);
    },
    onChange: (listener) => {
      listeners.push(listener);
    },
    addresses: addressesOf,
    status: () =>
      [...entries.values()]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, addresses, fault, confirmed }) => ({
          name,
          addresses,
          ...(fault === undefined ? {} : { fault }),
          ...(confirmed === undefined ? {} : { age: now() - confirmed }),
        })),
    close: () => {
      for (const entry of entries.values()) {
        entry.closed = true;
        entry.cancel();
      }
      entries.clear();
    },
  };
}

/** The host names among the addresses of a route's backends. */
const routeNames = ({ backends }: Route): readonly string[] =>
  backends.flatMap(({ addresses }) => addresses.filter((address) => parseIp(address) === undefined));

/**
 * Pure. The inventory with every host name replaced by its addresses, each once; a name without any vanishes, its backend stays.
 *
 * @param names   of each route, by position
 * @param flatten a route that has names
 * @returns the very same object when there is nothing to replace; routes without host names are the same objects as well
 */
export function flattenInventory(
  inventory: Inventory,
  addresses: (name: string) => readonly string[],
  names: readonly (readonly string[])[] = inventory.routes.map(routeNames),
  flatten: (route: Route) => Route = (route) => flattenRoute(route, addresses),
): Inventory {
  if (names.every((own) => own.length === 0)) return inventory;
  return { ...inventory, routes: inventory.routes.map((route, i) => (names[i]!.length === 0 ? route : flatten(route))) };
}

function flattenRoute(route: Route, addresses: (name: string) => readonly string[]): Route {
  const flatten = (address: string): readonly string[] => (parseIp(address) === undefined ? addresses(address) : [address]);
  return {
    ...route,
    backends: route.backends.map((backend) => {
      const resolvedFrom = backend.addresses.filter((address) => parseIp(address) === undefined);
      const addresses = [...new Set(backend.addresses.flatMap(flatten))];
      return { ...backend, addresses, ...(resolvedFrom.length === 0 ? {} : { resolvedFrom }) };
    }),
  };
}

/** Whether our routes answer for a name; a wildcard takes in all names below it (RFC 4592). */
function isOwn(name: string, hosts: ReadonlySet<string>): boolean {
  if (hosts.has(name)) return true;
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) if (hosts.has(`*${name.slice(dot)}`)) return true;
  return false;
}

interface Settled {
  readonly records?: readonly { readonly address: string; readonly ttl: number }[];
  /** Why there are none. */
  readonly code?: string;
}

const settled = (records: Promise<NonNullable<Settled["records"]>>): Promise<Settled> =>
  records.then(
    (found): Settled => (found.length === 0 ? { code: "ENODATA" } : { records: found }),
    (error: unknown): Settled => ({ code: error instanceof Error && "code" in error ? String(error.code) : "unknown" }),
  );

/** What no public client should be sent to is refused when somebody else's zone says so. */
function isUsable(address: string, allow: readonly Network[]): boolean {
  const ip = parseIp(address);
  if (ip === undefined) return false;
  return allow.some((network) => networkContains(network, ip)) || !isSpecial(ip);
}

const byFamily = (a: string, b: string): number => Number(a.includes(":")) - Number(b.includes(":")) || (a < b ? -1 : 1);
