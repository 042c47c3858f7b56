/** Brings tables to the proxies of ProxyFleets: Envoys ask us, HAProxies are commanded. What they serve goes on whatever becomes of us. */
import { type AddressPolicy, forbiddenAddress } from "../../health/probes/address-check.ts";
import type { Publisher } from "../engine/source.ts";
import type { FleetStatus, HealthFeed } from "../engine/view.ts";
import type { EnvoyFleetSpec, ProxyFleet, RouteKey } from "../model/inventory.ts";
import type { ListenAddress } from "../model/listen-address.ts";
import { type Milliseconds, ms } from "../model/units.ts";
import type { Log } from "../observe/log.ts";
import type { CertificateReading } from "../observe/metric-readings.ts";
import type { Timeline } from "../observe/timeline.ts";
import { createEdgeWorlds, type FleetRoute } from "../proxy/edge-worlds.ts";
import { createEnvoyFleets, type EnvoyFleets } from "../proxy/envoy/envoy-fleets.ts";
import type { FleetTls } from "../proxy/envoy/fleet-tls.ts";
import type { WorkOutClasses } from "../proxy/known-classes.ts";
import { unfollowedBy } from "../proxy/unfollowed.ts";
import { measuresOf } from "../routing/measure.ts";
import { envoyFleetStatus, strangerTo, toldFleet } from "./fleet-envoys.ts";
import { createFleetNews } from "./fleet-news.ts";
import type { FleetOptions } from "./fleet-options.ts";
import { createHaproxyMembers } from "./haproxy-members.ts";
import { followXdsCertificates, xdsCertificateEnds } from "./xds-certificates.ts";

export interface ProxyFleetsOptions extends FleetOptions {
  /** What the files of `xds` hold at the start. */
  readonly tls: FleetTls | undefined;
  /** Whoever writes a route or a fleet must not reach by proxies, or by us, what we would not probe. */
  readonly addresses: AddressPolicy;
  /** By a table that was just compiled, on the thread that did it. */
  readonly classes: WorkOutClasses;
  /** Monotonic. */
  readonly now: () => Milliseconds;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
  readonly every: (milliseconds: number, tick: () => void) => () => void;
  /** [0, 1) */
  readonly random: () => number;
  readonly timeline: Pick<Timeline, "add">;
  readonly log: Pick<Log, "info" | "warn">;
}

export interface ProxyFleets extends Publisher {
  /** Opens the listener for Envoys, if there is to be one. @throws ListenError */
  start(): Promise<ListenAddress | undefined>;
  /** Health changes are told as soon as they are known. */
  follow(feed: Pick<HealthFeed, "watch">): void;
  /** Those of the table that is served, by name. */
  status(): readonly FleetStatus[];
  /** Route → what a proxy has not taken of it, in its words. */
  refusals(): ReadonlyMap<RouteKey, string>;
  /** Calls back when a fleet's status may be another. @param listener is given the routes whose refusal is another @returns ends it */
  watch(listener: (routes: readonly RouteKey[]) => void): () => void;
  /** Envoys that say that they are of no fleet here, or at no place of theirs; undefined where none may ask. */
  strangers(): number | undefined;
  /** By which Envoys and we prove ourselves to each other; none where that is in the clear. */
  certificates(): readonly CertificateReading[];
  close(): Promise<void>;
}

/** Routes that are planned in one turn of the event loop. */
const SLICE = 50;
/** Between looks at who has taken what, and at what ramps, ms. */
const LOOK = 1_000;
/** Routes that are told by name, of those whose rules proxies of a fleet cannot see, and of those whose `http` they do not follow. */
const MOST_TOLD = 3;

export function createProxyFleets(options: ProxyFleetsOptions): ProxyFleets {
  const { xds, tls, addresses, now, setTimer, timeline, log } = options;
  const worlds = createEdgeWorlds((address, port) => forbiddenAddress(address, port, addresses) === undefined);
  const listeners = new Set<(routes: readonly RouteKey[]) => void>();
  const changed = (routes: readonly RouteKey[] = []): void => {
    for (const listener of listeners) listener(routes);
  };
  let refusals: ReadonlyMap<RouteKey, string> = new Map();
  const files = xds?.files;
  let certificateEnds = files && tls && xdsCertificateEnds(files, tls);
  const envoys: EnvoyFleets | undefined =
    xds === undefined
      ? undefined
      : createEnvoyFleets({
          ...{ listen: xds.listen, flag: xds.flag, wallClock: options.wallClock, tls },
          onTurnedAway: (why) => news.turnedAway(why),
        });
  const haproxies = createHaproxyMembers({
    ...{ folder: options.haproxyFolder, addresses },
    ports: { now, random: options.random, setTimer: (delay, callback) => setTimer(ms(delay), callback) },
    onStatus: () => changed(),
  });
  const news = createFleetNews({ timeline, log, now });
  let fleets: readonly ProxyFleet[] = [];
  let untold: ReadonlyMap<string, readonly string[]> = new Map();
  /** Fleet → what HAProxies were told last. */
  const told = new Map<string, readonly FleetRoute[]>();
  /** Fleet → what Envoys were told last, and its part that they are told. */
  const edges = new Map<string, { readonly from: readonly FleetRoute[]; readonly routes: readonly FleetRoute["edge"][] }>();
  let cancelWork: (() => void) | undefined;
  let seen = "";
  const ends: (() => void)[] = [];

  function edgesOf(fleet: string): readonly FleetRoute["edge"][] {
    const from = worlds.routes(fleet);
    const known = edges.get(fleet);
    if (known?.from === from) return known.routes;
    const routes = from.map(({ edge }) => edge);
    edges.set(fleet, { from, routes });
    return routes;
  }

  function tell(): void {
    if (!worlds.isWhole()) return; // a part of the world would be taken for all there is
    envoys?.update(envoyFleets().map((spec) => toldFleet(spec, edgesOf(spec.name), worlds.classes())));
    for (const { name, type } of fleets) {
      const routes = worlds.routes(name);
      if (type !== "HAProxy" || told.get(name) === routes) continue;
      told.set(name, routes);
      haproxies.update(name, routes, worlds.classes());
    }
  }

  /** A few sentences tell what is wrong with thousands of routes. */
  function few(fleet: string, sentences: readonly string[]): readonly string[] {
    const more = sentences.length > MOST_TOLD ? [`${sentences.length - MOST_TOLD} more routes are alike.`] : [];
    return [...sentences.slice(0, MOST_TOLD), ...more].map((sentence) => `ProxyFleet ${fleet}: ${sentence}`);
  }

  const envoyFleets = (): readonly EnvoyFleetSpec[] => fleets.flatMap((spec) => (spec.type === "Envoy" ? [spec] : []));

  function work(): void {
    cancelWork = undefined;
    const { isNews, isDone } = worlds.work(SLICE);
    // Whoever failed just now is told of at once; the rest of a new world when all of it is known.
    if (isNews) tell();
    if (!isDone) schedule();
  }

  /** In the next turn, so that what changes together is told together. */
  function schedule(): void {
    cancelWork ??= setTimer(ms(0), work);
  }

  function status(): readonly FleetStatus[] {
    const nodes = envoys?.nodes();
    return fleets.map((spec): FleetStatus => {
      if (spec.type === "HAProxy") return haproxyFleetStatus(spec.name, haproxies.status(spec.name), untold.get(spec.name) ?? []);
      const strangers = nodes?.strangers.filter(({ cluster }) => cluster === spec.name) ?? [];
      const found = envoyFleetStatus(spec, nodes?.byFleet.get(spec.name) ?? [], strangers);
      return envoys === undefined ? { ...found, problems: [NO_XDS] } : found;
    });
  }

  /** What `publish` has answered is logged already. */
  const toldAtOnce = (fleet: string, problem: string): boolean => problem === NO_XDS || untold.get(fleet)?.includes(problem) === true;

  /** Where there are no fleets, and never were, nothing is worked out. */
  const isIdle = (): boolean => fleets.length === 0 && !worlds.isWhole();

  /** What came of what was told: Envoys do not call, they answer. */
  function look(): void {
    if (isIdle() && envoys === undefined) return;
    envoys?.look();
    worlds.touchRamping();
    schedule();
    const found = status();
    const names = envoyFleets().map(({ name }) => name);
    const lost = envoys?.nodes().strangers.filter(({ cluster }) => !names.includes(cluster)) ?? [];
    news.review(
      found.map((fleet) => ({ ...fleet, problems: fleet.problems.filter((problem) => !toldAtOnce(fleet.name, problem)) })),
      lost.map((node) => strangerTo(node, names)),
    );
    const text = JSON.stringify(found);
    if (text === seen) return;
    seen = text;
    const before = refusals;
    refusals = refusalsOf(found);
    changed([...new Set([...before.keys(), ...refusals.keys()])].filter((route) => before.get(route) !== refusals.get(route)));
  }

  return {
    async prepare(table, inventory) {
      try {
        await worlds.prepare({ table, inventory }, options.classes);
      } catch (error) {
        // Nobody else's table is to wait for it.
        log.warn({ err: error }, "which clients proxies tell apart is worked out on the main thread, which stands still meanwhile");
      }
    },
    publish(table, inventory, latency) {
      fleets = inventory.fleets ?? [];
      untold = haproxies.use(fleets);
      for (const name of [...told.keys()]) if (!fleets.some((fleet) => fleet.name === name)) told.delete(name);
      for (const [name] of untold) told.delete(name); // those that were made anew know nothing yet
      if (isIdle()) return [];
      worlds.adopt({ table, inventory, measures: measuresOf(inventory.clusters, latency) });
      schedule();
      return [
        ...[...untold].flatMap(([name, why]) => why.map((sentence) => `ProxyFleet ${name}: ${sentence}`)),
        ...fleets.flatMap(({ name }) => few(name, worlds.unseen(name))),
        ...fleets.flatMap((fleet) => few(fleet.name, unfollowedBy(fleet, inventory.routes))),
        ...(envoys === undefined ? envoyFleets().map(({ name }) => `ProxyFleet ${name}: ${NO_XDS}`) : []),
      ];
    },
    async start() {
      const bound = await envoys?.start();
      if (files !== undefined && envoys !== undefined)
        ends.push(
          followXdsCertificates(files, {
            every: options.every,
            renew: (next) => {
              envoys.renew(next);
              certificateEnds = xdsCertificateEnds(files, next);
            },
            onChange: () => log.info({ file: files.certificate }, "the changed certificates for Envoys are in use"),
            onTrouble: (error) =>
              log.warn(
                {},
                `the changed certificates for Envoys cannot be used; those before count on: ${error instanceof Error ? error.message : error}`,
              ),
          }),
        );
      ends.push(options.every(LOOK, look));
      return bound;
    },
    follow(feed) {
      ends.push(
        feed.watch((route) => {
          if (isIdle()) return;
          if (route === "all") worlds.touchAll();
          else worlds.touch(route);
          schedule();
        }),
      );
    },
    status,
    refusals: () => refusals,
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    strangers: () => envoys?.nodes().strangers.length,
    certificates: () =>
      Array.from(certificateEnds ?? [], ([certificate, end]) => ({
        listener: "xds" as const,
        certificate,
        seconds: (end - options.wallClock()) / 1000,
      })),
    degraded: () => (status().some(isFailing) || (envoys?.nodes().strangers.length ?? 0) > 0 ? ["proxy-failing"] : []),
    async close() {
      cancelWork?.();
      for (const end of ends.splice(0)) end();
      await Promise.all([envoys?.close(), haproxies.close()]);
    },
  };
}

const NO_XDS = "This server tells Envoys nothing. Start it with --xds ADDR:PORT.";

const haproxyFleetStatus = (name: string, members: FleetStatus["members"], problems: readonly string[]): FleetStatus => ({
  ...{ name, type: "HAProxy", members, problems },
  proxies: {
    connected: members.filter(({ state }) => state !== "Unreachable").length,
    current: members.filter(({ state }) => state === "Current").length,
    rejected: 0,
  },
});

const refusalsOf = (fleets: readonly FleetStatus[]): ReadonlyMap<RouteKey, string> =>
  new Map(
    fleets.flatMap(({ members }) =>
      members.flatMap(({ name, routes = [], problem = "" }) => routes.map((route) => [route, `${name}: ${problem}`] as const)),
    ),
  );

/** What somebody has to do something about: not a proxy that is merely being told. */
const isFailing = ({ members, problems }: FleetStatus): boolean =>
  problems.length > 0 || members.some(({ state }) => state !== "Current" && state !== "Pending");
