/**
 * Who is served where, now and before: one frame for each change, drawn behind the answers, in slices, and kept in memory within a bound.
 * Nothing is drawn while nothing changes.
 */
import type { GeoTable } from "../geo/geo-table.ts";
import type { Partition } from "../geo/partition.ts";
import { sampleNetworks } from "../geo/sample-networks.ts";
import { type RouteKey, routeKey } from "../model/inventory.ts";
import { type CountryClasses, countryClasses, servedCountries, servingKey } from "../routing/served-countries.ts";
import type { RoutingTable } from "../routing/table.ts";
import { type Assignment, createAssignments } from "./assignment.ts";
import { ifDrained } from "./if-drained.ts";
import type { MapFrame, ServedCountry, ServedShare, ServingMap } from "./view.ts";

export interface ServingMapInput {
  readonly table: () => RoutingTable | undefined;
  readonly watch: (listener: (route: RouteKey | "all") => void) => () => void;
  readonly clusters: () => MapFrame["clusters"];
  /** Country → people. */
  readonly population: ReadonlyMap<string, number>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly setTimer: (delay: number, callback: () => void) => () => void;
}

export interface ServingMapKeeper extends ServingMap {
  close(): void;
}

/** A flip comes as many changes: they become one frame. */
const SETTLE_MS = 100;
/** The parts of a failover come one after the other, and each is shown at once… */
const BETWEEN_FRAMES_MS = 200;
/** …but a ramp changes with every look: after this many frames in a row, the next ones lie further apart. */
const BURST = 10;
const BETWEEN_MANY_MS = 1000;
/** Milliseconds of drawing at a time: probes and the API wait for it. */
const SLICE_MS = 8;
/** Routes that are drawn into frames; of the others the map of this moment can be had. */
export const MOST_ROUTES = 2000;
export const MOST_FRAMES = 600;
export const MOST_BYTES = 32 << 20;

interface Frame {
  readonly id: number;
  readonly at: number;
  readonly version: number;
  readonly routes: readonly RouteKey[];
  readonly assignments: readonly Assignment[];
  readonly clusters: MapFrame["clusters"];
  readonly bytes: number;
}

/** What is being drawn. */
interface Drawing {
  readonly table: RoutingTable;
  readonly routes: readonly RouteKey[];
  readonly assignments: (Assignment | undefined)[];
  /** Indices of routes that are to be drawn anew. */
  readonly todo: number[];
  readonly memo: Map<string, Assignment>;
}

export function createServingMap(input: ServingMapInput): ServingMapKeeper {
  const { now, setTimer, population } = input;
  const countries = [...population.keys()].sort();
  const positions = new Map(countries.map((country, i) => [country, i]));
  const assignments = createAssignments();
  const frames: Frame[] = [];
  const listeners = new Set<(frame: { readonly id: number; readonly at: number }) => void>();
  const classes = new WeakMap<Partition, readonly CountryClasses[]>();
  const shares = new WeakMap<Assignment, readonly Omit<ServedShare, "countries">[]>();
  let samples: { readonly of: GeoTable; readonly networks: ReadonlyMap<string, string> } | undefined;
  /** Of the newest frame's routes. */
  let indexed: { readonly of: readonly RouteKey[]; readonly index: ReadonlyMap<RouteKey, number> } | undefined;
  const dirty = new Set<RouteKey>();
  let allDirty = true;
  let drawing: Drawing | undefined;
  let bytes = 0;
  let next = 1;
  let cancel: (() => void) | undefined;

  const unwatch = input.watch((route) => {
    if (route === "all") allDirty = true;
    else dirty.add(route);
    schedule();
  });
  schedule();

  function schedule(): void {
    const at = now();
    const isBusy = at - (frames.at(-BURST)?.at ?? Number.NEGATIVE_INFINITY) < BURST * BETWEEN_MANY_MS;
    const earliest = (frames.at(-1)?.at ?? Number.NEGATIVE_INFINITY) + (isBusy ? BETWEEN_MANY_MS : BETWEEN_FRAMES_MS);
    const wait = Math.max(SETTLE_MS, earliest - at);
    cancel ??= setTimer(wait, step);
  }

  function classesOf({ hot, partitions, geo }: RoutingTable, route: number): readonly CountryClasses[] {
    const partition = partitions[hot.policyPartition[hot.routePolicy[route]!]!]!;
    const known = classes.get(partition) ?? countryClasses(geo, partition, positions);
    classes.set(partition, known);
    return known;
  }

  function draw(table: RoutingTable, route: number, memo: Map<string, Assignment>): Assignment {
    const key = servingKey(table, route);
    const known = memo.get(key);
    if (known !== undefined) return known;
    const fresh = assignments.pack(servedCountries(table, route, classesOf(table, route)), table.names.clusters);
    memo.set(key, fresh);
    return fresh;
  }

  /** @returns waits for others when a slice is over */
  function slices(): () => Promise<void> {
    let until = now() + SLICE_MS;
    return async () => {
      if (now() < until) return;
      await new Promise<void>((resolve) => setTimer(1, resolve));
      until = now() + SLICE_MS;
    };
  }

  function begin(table: RoutingTable): Drawing {
    const last = frames.at(-1);
    const isSameTable = last !== undefined && last.version === table.version;
    const routes = isSameTable ? last.routes : table.names.routes.slice(0, MOST_ROUTES).map(routeKey);
    const todo = routes.flatMap((route, i) => (!isSameTable || allDirty || dirty.has(route) ? [i] : []));
    allDirty = false;
    dirty.clear();
    return { table, routes, todo, assignments: isSameTable ? [...last.assignments] : new Array(routes.length), memo: new Map() };
  }

  function step(): void {
    cancel = undefined;
    const table = input.table();
    if (table === undefined) {
      cancel = setTimer(BETWEEN_MANY_MS, step);
      return;
    }
    if (drawing === undefined || drawing.table !== table) {
      if (drawing !== undefined) allDirty = true; // of a table that is no longer served
      drawing = begin(table);
    }
    const until = now() + SLICE_MS;
    for (let route = drawing.todo.pop(); route !== undefined; route = drawing.todo.pop()) {
      drawing.assignments[route] = assignments.intern(draw(table, route, drawing.memo));
      if (now() >= until) break;
    }
    if (drawing.todo.length > 0) {
      cancel = setTimer(1, step);
      return;
    }
    const done = drawing;
    drawing = undefined;
    finish(done);
    if (allDirty || dirty.size > 0) schedule();
  }

  function finish({ table, routes, assignments: all }: Drawing): void {
    const frame = {
      at: now(),
      version: table.version,
      routes,
      assignments: all.flatMap((one) => (one === undefined ? [] : [one])),
      clusters: input.clusters(),
    };
    const last = frames.at(-1);
    if (last !== undefined && isSame(last, frame)) return;
    const old = new Set(last?.assignments);
    const fresh = [...new Set(frame.assignments)].filter((one) => !old.has(one));
    const size = 8 * routes.length + 100 * frame.clusters.length + fresh.reduce((sum, one) => sum + one.bytes, 0);
    frames.push({ ...frame, id: next++, bytes: size });
    bytes += size;
    const kept = frames.length;
    while (frames.length > 1 && (frames.length > MOST_FRAMES || bytes > MOST_BYTES)) bytes -= frames.shift()!.bytes;
    if (frames.length < kept) assignments.keepOnly(new Set(frames.flatMap((one) => one.assignments)));
    for (const listener of listeners) listener({ id: next - 1, at: frame.at });
  }

  function sharesOf(assignment: Assignment): readonly Omit<ServedShare, "countries">[] {
    const known = shares.get(assignment);
    if (known !== undefined) return known;
    const people = new Map<string, number>();
    let total = 0;
    for (const { country, served } of spell([{ assignment, weight: 1 }])) {
      for (const { cluster, share } of served) {
        const part = share * (population.get(country) ?? 0);
        people.set(cluster, (people.get(cluster) ?? 0) + part);
        total += part;
      }
    }
    const list = [...people].flatMap(([cluster, part]) => (part === 0 ? [] : [{ cluster, population: part / total }]));
    list.sort((a, b) => b.population - a.population || a.cluster.localeCompare(b.cluster));
    shares.set(assignment, list);
    return list;
  }

  const isSame = (a: Frame, b: Omit<Frame, "id" | "bytes">): boolean =>
    a.routes === b.routes &&
    a.assignments.every((one, i) => one === b.assignments[i]) &&
    a.clusters.length === b.clusters.length &&
    a.clusters.every(({ name, state, health }, i) => {
      const other = b.clusters[i]!;
      return name === other.name && state === other.state && health === other.health; // another place comes with another table
    });

  const spell = (served: readonly { readonly assignment: Assignment; readonly weight: number }[]): ServedCountry[] =>
    assignments.mix(served).map(([position, shares]) => ({ country: countries[position]!, served: shares }));

  function frameOf({ id, at, version, clusters, routes, assignments: all }: Frame, route: RouteKey | undefined): MapFrame | undefined {
    const index = route === undefined ? -1 : routes.indexOf(route);
    const shown = route === undefined ? all : all[index] === undefined ? undefined : [all[index]];
    return shown && { id, at, version, clusters, countries: spell(shown.map((assignment) => ({ assignment, weight: 1 }))) };
  }

  function current(route: RouteKey | undefined): MapFrame | undefined {
    const last = frames.at(-1);
    const shown = last && frameOf(last, route);
    const table = input.table();
    if (shown !== undefined || last === undefined || route === undefined || table === undefined) return shown;
    const index = table.names.routes.findIndex((one) => routeKey(one) === route);
    if (index < 0) return undefined;
    const assignment = draw(table, index, new Map());
    return { ...frameOf({ ...last, routes: [route], assignments: [assignment] }, route)!, at: now() };
  }

  return {
    frames: () => frames.map(({ id, at, version }) => ({ id, at, version })),
    frame(route, id) {
      if (id === undefined) return current(route);
      const frame = frames.find((one) => one.id === id);
      return frame && frameOf(frame, route);
    },
    shares(route) {
      const last = frames.at(-1);
      if (last === undefined) return [];
      if (indexed?.of !== last.routes) indexed = { of: last.routes, index: new Map(last.routes.map((key, i) => [key, i])) };
      const assignment = last.assignments[indexed.index.get(route) ?? -1];
      return assignment === undefined ? [] : sharesOf(assignment);
    },
    sample(country) {
      const geo = input.table()?.geo;
      if (geo === undefined) return undefined;
      if (samples?.of !== geo) samples = { of: geo, networks: sampleNetworks(geo) };
      return samples.networks.get(country);
    },
    async ifDrained(cluster) {
      const table = input.table();
      const index = table?.names.clusters.indexOf(cluster) ?? -1;
      if (table === undefined || index < 0) return undefined;
      const people = (position: number) => population.get(countries[position]!) ?? 0;
      const everybody = [...population.values()].reduce((sum, one) => sum + one, 0);
      return ifDrained(table, index, { draw, moves: assignments.moves, people, everybody, mostRoutes: MOST_ROUTES, breathe: slices() });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      unwatch();
      cancel?.();
    },
  };
}
