/** Follows each failover from the table to the answers: who serves it when, and who is seen to answer it when. */
import type { AnswerWatch, LookoutEnd } from "../dns/watch/answer-watch.ts";
import type { FailoverNotice, MovedSample } from "../engine/failover-notice.ts";
import type { Publisher } from "../engine/source.ts";
import { type Override, type Route, type RouteKey, routeKey, type Zone } from "../model/inventory.ts";
import type { ListenAddress } from "../model/listen-address.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Timeline } from "../observe/timeline.ts";
import { peopleOf } from "../routing/moves.ts";
import { reaches } from "../routing/orders.ts";
import { type SampleNetwork, sampleClient } from "../routing/sample-client.ts";
import type { RoutingTable } from "../routing/table.ts";
import { createBeforeDrills } from "./before-drills.ts";
import { createConcerned } from "./concerned.ts";
import { type Aim, drillAims, foreignAims, questionOf, resolverVias, type Via, viasOf, zoneVias } from "./failover-aims.ts";
import { firstHostHere, firstHostIn } from "./published-hosts.ts";
import { createToldOnce } from "./told-once.ts";

export interface FailoverFollowerOptions {
  readonly metrics: Pick<Metrics, "failoverLeg" | "failoverWatch">;
  readonly timeline: Timeline;
  readonly log: Pick<Log, "warn">;
  readonly watch: AnswerWatch;
  /** Our own DNS server; undefined before it listens. */
  readonly self: () => ListenAddress | undefined;
  /** Recursive resolvers to ask, with the words that options name them by. */
  readonly resolvers: readonly ListenAddress[];
  /** Country → people. */
  readonly population: ReadonlyMap<string, number>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly setTimer: (milliseconds: number, callback: () => void) => () => void;
}

/** A publisher only to know which routes and zones there are. */
export interface FailoverFollower extends Publisher {
  /** The table says so. Never throws. */
  readonly began: (notice: FailoverNotice) => void;
  /** A zone that is kept elsewhere was written, and these are in it. */
  readonly published: (zone: Zone, notices: readonly FailoverNotice[]) => void;
  /** Today's overrides: shortly before a drill, everybody who may see it is asked once, so that it is in caches and known whom it concerns. */
  readonly overrides: (overrides: readonly Override[]) => void;
  /** Somebody is still being looked at for the newest failover of a route. */
  readonly isWatching: (route: RouteKey) => boolean;
  readonly close: () => void;
}

/** Routes looked out for at once. */
export const MOST_WATCHED = 20;
/** Events of one written zone: thousands of routes may have failed over in it. */
const MOST_EVENTS = 20;
/** Ms between questions of one route to our own server, and to others. */
const OWN_GAP = 50;
const FOREIGN_GAP = 200;

export function createFailoverFollower(options: FailoverFollowerOptions): FailoverFollower {
  const { metrics, timeline, log, watch, self, resolvers, now, setTimer } = options;
  let routes: readonly Route[] = [];
  let byDomain: ReadonlyMap<string, Zone> = new Map();
  /** Route → what cancels its lookouts, by `via`. */
  const open = new Map<RouteKey, { readonly event: number; readonly lookouts: Map<string, () => void> }>();
  /** Cancels questions before drills. */
  const asking = new Set<() => void>();
  const concerned = createConcerned();
  const told = createToldOnce(now);
  const beforeDrills = createBeforeDrills({ now, setTimer, onNear: askAhead });
  let people: { readonly geo: RoutingTable["geo"]; readonly ofPlace: Float64Array } | undefined;
  let isClosed = false;
  /** `partition/class` of the table → its sample. */
  let samples: { readonly table: RoutingTable; readonly networks: Map<string, SampleNetwork | undefined> } | undefined;

  function networkOf({ table, route, class: cls }: MovedSample): SampleNetwork | undefined {
    if (people?.geo !== table.geo) people = { geo: table.geo, ofPlace: peopleOf(table.geo, options.population) };
    if (samples?.table !== table) samples = { table, networks: new Map() };
    const partition = table.hot.policyPartition[table.hot.routePolicy[route]!]!;
    const key = `${partition}/${cls}`;
    if (!samples.networks.has(key)) samples.networks.set(key, sampleClient(table, partition, cls, people.ofPlace));
    return samples.networks.get(key);
  }

  const pointer = ({ route, event }: FailoverNotice) => ({ route: routeKey(route), event });

  /**
   * The newest failover of a route takes its place: what went before cannot be told from it any more.
   *
   * @returns false when it is not the newest: a zone elsewhere was written late
   */
  function supersede({ route, event }: FailoverNotice): boolean {
    const key = routeKey(route);
    const known = open.get(key);
    if (known === undefined || known.event === event) return true;
    if (known.event > event) return false;
    for (const [via, cancel] of known.lookouts) {
      cancel();
      metrics.failoverWatch(via, "superseded");
    }
    open.delete(key);
    return true;
  }

  function lookOut(notice: FailoverNotice, publishedAt: number, aims: readonly Aim[]): void {
    if (isClosed || !supersede(notice)) return;
    const { route, backend } = notice;
    const key = routeKey(route);
    if (aims.length === 0 || (!open.has(key) && open.size >= MOST_WATCHED)) {
      metrics.failoverWatch("", "unwatched");
      return;
    }
    const { lookouts } = open.get(key) ?? { lookouts: new Map<string, () => void>() };
    open.set(key, { event: notice.event, lookouts });
    for (const aim of aims) {
      const { via, server, addresses, until, family } = aim;
      if (lookouts.has(via)) continue;
      const shortestGap = via === "self" ? OWN_GAP : FOREIGN_GAP;
      const cancel = watch.start(
        { server, addresses, until, shortestGap, patience: 2000 * route.ttl.max + 60_000, question: questionOf(aim) },
        (end) => ended(notice, aim, publishedAt, end),
        () => via !== "self" && concerned.heard({ route: key, backend, family, via }),
      );
      lookouts.set(via, cancel);
    }
  }

  function ended(notice: FailoverNotice, { via, until, family }: Aim, publishedAt: number, end: LookoutEnd): void {
    const at = now();
    const key = routeKey(notice.route);
    const mine = open.get(key);
    mine?.lookouts.delete(via);
    if (mine?.lookouts.size === 0) open.delete(key);
    const seconds = Math.max(0, at - publishedAt) / 1000;
    const facts = { failover: notice.event, via, seconds };
    const object = `GlobalRoute ${key}`;
    if (end.kind === "Seen") {
      metrics.failoverWatch(via, "seen");
      metrics.failoverLeg("propagate", via, seconds, pointer(notice));
      timeline.add({
        ...{ kind: "FailoverPropagated", object, at },
        message: `${via === "self" ? "our own DNS server" : via} was seen to answer with ${notice.to} ${inWords(seconds)} after it was published`,
        details: { ...facts, totalSeconds: totalSeconds(notice, at) },
      });
      return;
    }
    const isReturn = until === "Present";
    if (isReturn) concerned.forget({ route: key, backend: notice.backend, family, via });
    const fact = !end.heard ? "did not answer" : isReturn ? `did not answer with ${notice.to} again` : `still answered with ${notice.from}`;
    timeline.add({ kind: "FailoverUnseen", object, at, message: `${via} ${fact} after ${seconds.toFixed(0)} s`, details: facts });
    if (isReturn && end.heard && notice.sample === undefined) {
      metrics.failoverWatch("", "unwatched"); // it has some of all clients, and whoever asked was perhaps never one of them
      return;
    }
    metrics.failoverWatch(via, "timeout");
    const cause = isReturn ? "answering without what serves again" : "answering with what went out of service";
    const news = end.heard ? `goes on ${cause}: look at its cache and at the zone` : "does not answer";
    if (told.isNew(via, news)) log.warn({ via, route: key }, `whether failovers arrive cannot be seen there: ${via} ${news}`);
  }

  const totalSeconds = ({ beganAt }: FailoverNotice, at: number): number => Math.max(0, at - beganAt) / 1000;

  function ownAims(server: ListenAddress, host: string, sample: MovedSample | undefined): readonly Aim[] {
    if (sample === undefined) return [];
    const network = networkOf(sample);
    const { family, gone: addresses } = sample;
    return [{ via: "self", server, host, family, addresses, until: "Absent", ...(network === undefined ? {} : { network }) }];
  }

  const aimsAt = (notice: FailoverNotice, vias: readonly Via[]): readonly Aim[] => foreignAims(notice, vias, concerned.has);

  function askAhead(drill: Override): void {
    const touched = routes.filter((route) => route.backends.some((backend) => reaches(drill, route, backend)));
    for (const route of touched.slice(0, MOST_WATCHED)) {
      for (const aim of drillAims(drill, route, viasOf(route, byDomain, resolvers))) {
        const { via, server, addresses, until, family, backend } = aim;
        const cancel = watch.start(
          { server, addresses, until, shortestGap: FOREIGN_GAP, patience: 0, question: questionOf(aim) },
          () => asking.delete(cancel),
          () => concerned.heard({ route: routeKey(route), backend, family, via }),
        );
        asking.add(cancel);
      }
    }
  }

  return {
    publish(_table, inventory) {
      routes = inventory.routes;
      byDomain = new Map(inventory.zones.map((zone) => [zone.domain, zone]));
      concerned.keepOnly(new Set(routes.map(routeKey)));
      return [];
    },
    began(notice) {
      const { route, sample, writtenAt } = notice;
      const host = firstHostHere(byDomain)(route);
      if (host === undefined) return;
      metrics.failoverLeg("publish", "embedded", Math.max(0, now() - writtenAt) / 1000, pointer(notice));
      const own = self();
      if (own === undefined) return; // it does not listen yet
      // Soon: routes that fail over together are written before the first of them is looked out for.
      setTimer(0, () => lookOut(notice, writtenAt, [...ownAims(own, host, sample), ...aimsAt(notice, resolverVias(resolvers, host))]));
    },
    published(zone, notices) {
      const at = now();
      notices.forEach((notice, i) => {
        const { route, writtenAt } = notice;
        const seconds = Math.max(0, at - writtenAt) / 1000;
        metrics.failoverLeg("publish", zone.domain, seconds, pointer(notice));
        if (i < MOST_EVENTS) {
          timeline.add({
            ...{ kind: "FailoverPublished", object: `GlobalRoute ${routeKey(route)}`, at },
            message: `the zone ${zone.domain} was written ${inWords(seconds)} after the failover from ${notice.from} to ${notice.to}`,
            details: { failover: notice.event, via: zone.domain, seconds, totalSeconds: totalSeconds(notice, at) },
          });
        }
        const host = firstHostIn(zone, byDomain)(route);
        if (host === undefined) return;
        const aims = aimsAt(notice, [...zoneVias(zone, host), ...resolverVias(resolvers, host)]);
        if (aims.length > 0) lookOut(notice, at, aims);
        else supersede(notice);
      });
    },
    overrides: beforeDrills.overrides,
    isWatching: (route) => open.has(route),
    close() {
      isClosed = true;
      beforeDrills.close();
      for (const cancel of asking) cancel();
      asking.clear();
      for (const { lookouts } of open.values()) for (const cancel of lookouts.values()) cancel();
      open.clear();
    },
  };
}

const inWords = (seconds: number): string => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`);
