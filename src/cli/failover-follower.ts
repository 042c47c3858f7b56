/** Follows each failover from the table to the answers: who serves it when, and who is seen to answer it when. */
import { serverLabel } from "../dns/check/read-reply.ts";
import type { AnswerWatch, LookoutEnd } from "../dns/watch/answer-watch.ts";
import { Type } from "../dns/wire/codes.ts";
import type { FailoverNotice, MovedSample } from "../engine/failover-notice.ts";
import type { Publisher } from "../engine/source.ts";
import { zoneOf } from "../model/host-zones.ts";
import { type Route, type RouteKey, routeKey, type Zone } from "../model/inventory.ts";
import { parseIp } from "../model/ip.ts";
import type { ListenAddress } from "../model/listen-address.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Timeline } from "../observe/timeline.ts";
import { peopleOf } from "../routing/moves.ts";
import { type SampleNetwork, sampleClient } from "../routing/sample-client.ts";
import type { RoutingTable } from "../routing/table.ts";
import { isPublishedIn } from "./published-hosts.ts";
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
  /** Runs it soon: routes that fail over together are written before the first of them is looked out for. */
  readonly defer: (work: () => void) => void;
}

/** A publisher only to know which zones there are. */
export interface FailoverFollower extends Publisher {
  /** The table says so. Never throws. */
  readonly began: (notice: FailoverNotice) => void;
  /** A zone that is kept elsewhere was written, and these are in it. */
  readonly published: (zone: Zone, notices: readonly FailoverNotice[]) => void;
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
  const { metrics, timeline, log, watch, self, resolvers, now } = options;
  let byDomain: ReadonlyMap<string, Zone> = new Map();
  /** Route → what cancels its lookouts, by `via`. */
  const open = new Map<RouteKey, { readonly event: number; readonly lookouts: Map<string, () => void> }>();
  const told = createToldOnce(now);
  let people: { readonly geo: RoutingTable["geo"]; readonly ofPlace: Float64Array } | undefined;
  /** `partition/class` of the table → its sample. */
  let isClosed = false;
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

  /** The newest failover of a route takes its place: what went before cannot be told from it any more. */
  function place(notice: FailoverNotice): Map<string, () => void> | undefined {
    if (isClosed) return undefined;
    const key = routeKey(notice.route);
    const known = open.get(key);
    if (known?.event === notice.event) return known.lookouts;
    if (known !== undefined && known.event > notice.event) return undefined; // a zone elsewhere was written late
    if (known !== undefined) supersede(key, known.lookouts);
    if (notice.sample === undefined || open.size >= MOST_WATCHED) {
      metrics.failoverWatch("", "unwatched");
      return undefined;
    }
    const lookouts = new Map<string, () => void>();
    open.set(key, { event: notice.event, lookouts });
    return lookouts;
  }

  function supersede(key: RouteKey, lookouts: ReadonlyMap<string, () => void>): void {
    for (const [via, cancel] of lookouts) {
      cancel();
      metrics.failoverWatch(via, "superseded");
    }
    open.delete(key);
  }

  interface Aim {
    readonly via: string;
    readonly server: ListenAddress;
    readonly host: string;
    readonly network?: SampleNetwork;
  }

  function lookOut(
    notice: FailoverNotice,
    sample: MovedSample,
    publishedAt: number,
    aims: readonly Aim[],
    lookouts: Map<string, () => void>,
  ): void {
    for (const { via, server, host, network } of aims) {
      if (lookouts.has(via)) continue;
      const isOwn = via === "self";
      const cancel = watch.start(
        {
          ...{ server, gone: sample.gone, shortestGap: isOwn ? OWN_GAP : FOREIGN_GAP, patience: 2000 * notice.route.ttl.max + 60_000 },
          question: {
            name: host.replace(/^\*/, "globalroute-watch"),
            type: sample.family === 4 ? Type.A : Type.AAAA,
            recursionDesired: via.startsWith("resolver "),
            edns: network === undefined ? {} : { clientSubnet: { ...network, source: network.length } },
          },
        },
        (end) => ended(notice, via, publishedAt, end),
      );
      lookouts.set(via, cancel);
    }
  }

  function ended(notice: FailoverNotice, via: string, publishedAt: number, end: LookoutEnd): void {
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
    metrics.failoverWatch(via, "timeout");
    const fact = end.heard ? `still answered with ${notice.from}` : "did not answer";
    timeline.add({ kind: "FailoverUnseen", object, at, message: `${via} ${fact} after ${seconds.toFixed(0)} s`, details: facts });
    const news = end.heard ? "goes on answering with what went out of service: look at its cache and at the zone" : "does not answer";
    if (told.isNew(via, news)) log.warn({ via, route: key }, `whether failovers arrive cannot be seen there: ${via} ${news}`);
  }

  const totalSeconds = ({ beganAt }: FailoverNotice, at: number): number => Math.max(0, at - beganAt) / 1000;
  const hostIn = (route: Route, zone: Zone): string | undefined => route.hosts.find((host) => isPublishedIn(zone, byDomain)(route, host));

  /** Resolvers have the names of everybody; what they answer depends on where they are, so only what concerns everybody can be seen there. */
  const resolverAims = (host: string, { isForAll }: MovedSample): readonly Aim[] =>
    isForAll ? resolvers.map((server) => ({ via: `resolver ${serverLabel({ name: "", server })}`, server, host })) : [];

  return {
    publish(_table, { zones }) {
      byDomain = new Map(zones.map((zone) => [zone.domain, zone]));
      return [];
    },
    began(notice) {
      const { route, sample, writtenAt } = notice;
      const host = route.hosts.find((one) => {
        const zone = zoneOf(one, byDomain);
        return zone !== undefined && zone.provider === undefined && isPublishedIn(zone, byDomain)(route, one);
      });
      if (host === undefined) return;
      metrics.failoverLeg("publish", "embedded", Math.max(0, now() - writtenAt) / 1000, pointer(notice));
      const own = self();
      if (own === undefined) return; // it does not listen yet
      options.defer(() => {
        const lookouts = place(notice);
        if (lookouts === undefined || sample === undefined) return;
        const network = networkOf(sample);
        const aims = [{ via: "self", server: own, host, ...(network === undefined ? {} : { network }) }, ...resolverAims(host, sample)];
        lookOut(notice, sample, writtenAt, aims, lookouts);
      });
    },
    published(zone, notices) {
      const at = now();
      notices.forEach((notice, i) => {
        const { route, sample, writtenAt } = notice;
        const seconds = Math.max(0, at - writtenAt) / 1000;
        metrics.failoverLeg("publish", zone.domain, seconds, pointer(notice));
        if (i < MOST_EVENTS) {
          timeline.add({
            ...{ kind: "FailoverPublished", object: `GlobalRoute ${routeKey(route)}`, at },
            message: `the zone ${zone.domain} was written ${inWords(seconds)} after the failover from ${notice.from} to ${notice.to}`,
            details: { failover: notice.event, via: zone.domain, seconds, totalSeconds: totalSeconds(notice, at) },
          });
        }
        const host = hostIn(route, zone);
        if (host === undefined || sample?.isForAll !== true) return;
        const server = serverOf(zone);
        const aims = [...(server === undefined ? [] : [{ via: `zone ${zone.domain}`, server, host }]), ...resolverAims(host, sample)];
        const lookouts = aims.length === 0 ? undefined : place(notice);
        if (lookouts !== undefined) lookOut(notice, sample, at, aims, lookouts);
      });
    },
    close() {
      isClosed = true;
      for (const { lookouts } of open.values()) for (const cancel of lookouts.values()) cancel();
      open.clear();
    },
  };
}

const inWords = (seconds: number): string => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`);

/** The server that is asked for a zone elsewhere, as far as its objects name one by address. */
function serverOf({ provider }: Zone): ListenAddress | undefined {
  if (provider?.type !== "RFC2136" || parseIp(provider.server.host) === undefined) return undefined;
  return { address: provider.server.host, port: provider.server.port };
}
