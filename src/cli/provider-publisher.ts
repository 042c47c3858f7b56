/** Brings tables to zones that are kept elsewhere: one keeper for each, told whenever what is answered may have changed. */

import type { RecordRemoval } from "../../controller/deletion/zone-finalizers.ts";
import type { DesiredSet } from "../../dns-providers/change.ts";
import type { DesiredDelegation } from "../../dns-providers/delegation/delegation.ts";
import { createDelegationWatch, type DelegationPorts } from "../../dns-providers/delegation/delegation-watch.ts";
import { type Provider, ProviderError, type ProviderNews } from "../../dns-providers/provider.ts";
import { recordSetKey } from "../../dns-providers/record-set.ts";
import { aliasZone } from "../../dns-providers/route53/alias-zones.ts";
import { setDifferences } from "../../dns-providers/set-differences.ts";
import { createDrawZone } from "../../dns-providers/sets-of.ts";
import { createZoneKeeper, type Term, type ZoneKeeper } from "../../dns-providers/zone-keeper.ts";
import { createZoneSync, type SyncOutcome, type ZoneSync } from "../../dns-providers/zone-sync.ts";
import type { FailoverNotice } from "../engine/failover-notice.ts";
import type { Publisher } from "../engine/source.ts";
import type { HealthFeed } from "../engine/view.ts";
import { count } from "../model/count.ts";
import { type Inventory, type Route, routeKey, type Zone, type ZoneProvider } from "../model/inventory.ts";
import type { Log } from "../observe/log.ts";
import type { ProviderZoneReading } from "../observe/metric-readings.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { RoutingTable } from "../routing/table.ts";
import { openLater } from "./open-later.ts";
import { isPublishedIn } from "./published-hosts.ts";
import { createToldOnce } from "./told-once.ts";
import { authorityAt, watchedZones } from "./watched-zones.ts";
import { firstThree, newsOf } from "./zone-news.ts";

export type ProvidedZone = Zone & { readonly provider: ZoneProvider };

export interface ProviderPublisherOptions {
  /** Hash of a text: hexadecimal, at least ten characters. */
  readonly digest: (text: string) => string;
  /** Opens a provider for a zone. @throws ProviderError when it cannot even be tried */
  readonly open: (zone: ProvidedZone, onNews: (news: ProviderNews) => void) => Provider;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Aborts after so many milliseconds. */
  readonly deadline: (milliseconds: number) => AbortSignal;
  readonly setTimer: (milliseconds: number, callback: () => void) => () => void;
  /** How servers are looked at before anybody is sent to them. */
  readonly delegations: DelegationPorts;
  readonly metrics: Pick<Metrics, "providerChanges" | "providerError">;
  /** A zone was found or made as it should be, with these failovers in it; oldest first. */
  readonly onPublished?: (zone: Zone, failovers: readonly FailoverNotice[]) => void;
  readonly log: Log;
}

export interface ProviderPublisher extends Publisher {
  /** Who writes: from now on this process with this term, or another one. */
  readonly term: (term: Term) => void;
  /** Health changes are written as soon as they are known. */
  readonly follow: (feed: Pick<HealthFeed, "route" | "watch">) => void;
  /** The table says so: it is told when the zones do. */
  readonly began: (failover: FailoverNotice) => void;
  /** How far the zones are, of the process that writes them; none of another one. */
  readonly readings: () => readonly ProviderZoneReading[];
  /** Removals that are held back pass for a minute. @returns what was let go, in words */
  readonly confirm: () => readonly string[];
  readonly degraded: () => readonly string[];
  /** What is kept elsewhere, for whoever plans by hand; undefined before the first table. */
  readonly zones: () => readonly ZoneInHand[] | undefined;
  /** Removes all of ours in a zone that is leaving, as the writer. Never rejects. @param zone name of the DNSZone */
  readonly removeRecords: (zone: string) => Promise<RecordRemoval>;
  /** Whether this process has the writer's term. */
  readonly isWriter: () => boolean;
  readonly close: () => Promise<void>;
}

/** A zone that is kept elsewhere, as somebody sees it who plans by hand. */
export interface ZoneInHand {
  readonly zone: ProvidedZone;
  /** Zones that it delegates, as far as is known of them. */
  readonly delegations: () => Promise<readonly DesiredDelegation[]>;
  /** What it should have now; undefined while nobody has looked yet at a backend. */
  readonly desired: (capabilities: Provider["capabilities"]) => readonly DesiredSet[] | undefined;
  /** Works with the zone's own sync, between two syncs. @returns undefined, and nothing is done, when another process is the writer */
  readonly act: <T>(work: (sync: ZoneSync, provider: Provider, epoch: number, signal: AbortSignal) => Promise<T>) => Promise<T | undefined>;
}

interface Kept {
  readonly inHand: ZoneInHand;
  readonly provider: Provider;
  /** What it was made of. */
  readonly from: string;
  readonly keeper: ZoneKeeper;
  readonly close: () => void;
  isFailing: boolean;
  /** Failovers that no sync has begun with, and those of the sync that runs or failed last. */
  unpublished: FailoverNotice[];
  underWay: FailoverNotice[];
  /** What the zone should have had at its last good sync, and when that was. */
  synced: { readonly sets: readonly DesiredSet[]; readonly at: number } | undefined;
  /** Record sets that are to be otherwise than they were written last; undefined before the first try. */
  pending: number | undefined;
  held: number;
  /** Names that somebody else keeps changing. */
  contested: number;
  /** Whoever takes what is written from there does not. */
  isStuck: boolean;
  /** Names that somebody else has too. */
  disputed: readonly string[];
  /** Delegations that somebody has to do something about. */
  undelegated: number;
  /** What was said of it last. */
  told: string;
}

/** How long a new process waits for health before it writes what it takes for unknown, ms: what was written before is better than a guess. */
const PATIENCE = 30_000;
/** How long a confirmation counts, ms: what it confirms has to be compiled first. */
const CONFIRMED = 60_000;
/** Failovers that wait for one zone: more are told only by the metrics of the next ones. */
const MOST_UNPUBLISHED = 10_000;

export function createProviderPublisher(options: ProviderPublisherOptions): ProviderPublisher {
  const { now, log, metrics, digest } = options;
  const kept = new Map<string, Kept>();
  const closing = new Set<Promise<void>>();
  let served: { readonly table: RoutingTable; readonly inventory: Inventory } | undefined;
  let byDomain: ReadonlyMap<string, Zone> = new Map();
  let term: Term;
  let confirmedUntil = Number.NEGATIVE_INFINITY;
  let feed: Pick<HealthFeed, "route"> | undefined;
  let unfollow = () => {};
  const startedAt = now();
  const cancelPatience = options.setTimer(PATIENCE, () => requestAll());

  const told = createToldOnce(now);

  const watch = createDelegationWatch({
    ...options.delegations,
    ...{ now, setTimer: options.setTimer, onChange: (parent) => kept.get(parent)?.keeper.request() },
  });

  const isInZone = (zone: Zone) => isPublishedIn(zone, byDomain);

  /** Whether nobody has looked yet at a backend that might be published. */
  const hasUnknown = (zone: Zone, routes: readonly Route[]): boolean =>
    routes.some(
      (route) =>
        route.hosts.some((host) => isInZone(zone)(route, host)) &&
        (feed?.route(routeKey(route))?.backends.some(({ health }) => health === "Unknown") ?? true),
    );

  function keep(zone: ProvidedZone, from: string): Kept {
    const provider = openLater(() => {
      [state.isStuck, state.disputed] = [false, []]; // it finds out anew
      return options.open(zone, (news) => hear(zone, state, news));
    }, `${zone.provider.type} ${zone.domain}`);
    const sync = createZoneSync({
      ...{ provider, domain: zone.domain, owner: zone.owner, now },
      policy: zone.provider.policy,
      adoptFrom: zone.provider.adoptFrom,
    });
    /** What was desired last; found by key once somebody looks. */
    let last: readonly DesiredSet[] = [];
    let byKey: ReadonlyMap<string, DesiredSet> | undefined;
    const before = (key: string): DesiredSet | undefined => {
      byKey ??= new Map(last.map((set) => [recordSetKey(set), set]));
      return byKey.get(key);
    };
    const inZone = remembered(() => isInZone(zone));
    const draw = createDrawZone();
    function desiredBy(capabilities: Provider["capabilities"]): readonly DesiredSet[] | undefined {
      if (served === undefined) return undefined;
      if (zone.isLeaving) return [];
      const { table, inventory } = served;
      if (now() - startedAt < PATIENCE && hasUnknown(zone, inventory.routes)) return undefined;
      const { sets, lost } = draw(capabilities, {
        ...{ table, routes: inventory.routes, clusters: inventory.clusters, isInZone: inZone(byDomain) },
        ...{ scope: { domain: zone.domain, owner: zone.owner }, digest, aliasZone, before },
      });
      for (const [route, { lost: parts, instead }] of lost) {
        const news = `${zone.provider.type} cannot follow ${parts.join(", ")}; instead ${instead}`;
        if (told.isNew(`${zone.name} ${route}`, news)) log.warn({ zone: zone.domain, route }, news);
      }
      return sets;
    }
    const state: Kept = {
      from,
      provider,
      inHand: {
        zone,
        delegations: async () => watch.of(zone.name),
        desired: desiredBy,
        act: (work) => state.keeper.act((epoch, signal) => work(sync, provider, epoch, signal)),
      },
      close: () => provider.close?.(),
      isFailing: false,
      unpublished: [],
      underWay: [],
      synced: undefined,
      pending: undefined,
      held: 0,
      contested: 0,
      isStuck: false,
      disputed: [],
      undelegated: 0,
      told: "",
      keeper: createZoneKeeper({
        sync: { ...sync, sync: (request) => sync.sync({ ...request, delegations: watch.of(zone.name) }) },
        capabilities: () => provider.capabilities,
        desired() {
          if (zone.isLeaving) return undefined; // it is emptied when the object's deletion says so
          const sets = desiredBy(provider.capabilities);
          if (sets === undefined) return undefined;
          [last, byKey] = [sets, undefined];
          state.underWay.push(...state.unpublished.splice(0));
          return sets;
        },
        isRemovalConfirmed: () => now() < confirmedUntil,
        now,
        deadline: options.deadline,
        setTimer: options.setTimer,
        onOutcome(outcome) {
          if (outcome.kind === "Synced") state.synced = { sets: last, at: now() };
          tell(zone, state, outcome);
        },
        onFailure(error, retryAfter) {
          state.pending = countDifferences(last, state.synced?.sets ?? []);
          metrics.providerError(zone.domain, error instanceof ProviderError ? error.code : "unknown");
          if (!state.isFailing) log.error({ err: error, zone: zone.domain, retryAfterMs: retryAfter }, "a zone could not be written");
          state.isFailing = true;
        },
      }),
    };
    state.keeper.term(term);
    return state;
  }

  function tell(zone: ProvidedZone, state: Kept, outcome: SyncOutcome): void {
    const isPartial = outcome.kind !== "LostFence" && outcome.refusal !== undefined;
    if (state.isFailing && outcome.kind !== "LostFence" && !isPartial) log.info({ zone: zone.domain }, "the zone can be written again");
    state.isFailing = outcome.kind === "LostFence" || (isPartial && state.isFailing);
    const published = isPartial ? [] : state.underWay.splice(0);
    if (outcome.kind === "Synced" && published.length > 0) options.onPublished?.(zone, published);
    if (outcome.kind === "LostFence") {
      const news = foreignWriter(zone);
      if (news !== state.told) log.error({ zone: zone.domain, epoch: outcome.epoch }, news);
      state.told = news;
      return;
    }
    const { plan, batches } = outcome;
    state.held = plan.held.length;
    state.contested = plan.contested.length;
    state.undelegated = plan.waiting.filter(({ isFault }) => isFault).length;
    const changes = plan.groups.flatMap((group) => group.changes);
    state.pending = plan.held.length + plan.contested.length + (outcome.kind === "Synced" ? 0 : changes.length);
    if (outcome.kind === "Synced") {
      for (const { action } of changes) metrics.providerChanges(zone.domain, action);
      if (changes.length > 0) log.info({ zone: zone.domain, changes: changes.length, batches }, "the zone was written");
    }
    const news = newsOf(zone.provider.policy, plan);
    if (news !== state.told && news !== "") log.warn({ zone: zone.domain }, news);
    state.told = news;
  }

  /** What a provider notices by itself. */
  function hear(zone: ProvidedZone, state: Kept, news: ProviderNews): void {
    const at = { zone: zone.domain };
    switch (news.kind) {
      case "Published":
        if (state.isStuck) log.info(at, "what was written is published again");
        state.isStuck = false;
        return;
      case "NotPublished":
        log.error(at, `${news.fact}. ${news.remedy}`);
        state.isStuck = true;
        return;
      case "Disputed":
        if (news.names.length > 0) log.warn(at, `somebody else has ${firstThree(news.names)} too. ${news.remedy}`);
        else if (state.disputed.length > 0) log.info(at, "nobody else has names of ours any more");
        state.disputed = news.names;
    }
  }

  const requestAll = (): void => {
    for (const { keeper } of kept.values()) keeper.request();
  };

  return {
    publish(table, inventory) {
      served = { table, inventory };
      byDomain = new Map(inventory.zones.map((zone) => [zone.domain, zone]));
      const zones = inventory.zones.filter((zone): zone is ProvidedZone => zone.provider !== undefined);
      const wanted = new Map(zones.map((zone) => [zone.name, { zone, from: JSON.stringify(zone) }]));
      for (const [name, { keeper, from, close }] of kept) {
        if (wanted.get(name)?.from === from) continue;
        kept.delete(name);
        const done = keeper
          .close()
          .finally(close)
          .finally(() => closing.delete(done));
        closing.add(done);
      }
      for (const [name, { zone, from }] of wanted) if (!kept.has(name)) kept.set(name, keep(zone, from));
      watch.use(watchedZones(inventory, (zone) => authorityAt(zone, kept.get(zone.name)?.provider, options.deadline)));
      requestAll();
      return [];
    },
    term(next) {
      term = next;
      for (const state of kept.values()) {
        state.keeper.term(next);
        if (next !== undefined) continue;
        state.unpublished = [];
        state.underWay = [];
      }
    },
    follow(next) {
      feed = next;
      unfollow = next.watch(requestAll);
    },
    began(failover) {
      if (term === undefined) return;
      const { route } = failover;
      for (const { inHand, unpublished, underWay } of kept.values()) {
        const { zone } = inHand;
        if (zone.provider.policy === "DryRun" || unpublished.length + underWay.length >= MOST_UNPUBLISHED) continue;
        if (route.hosts.some((host) => isInZone(zone)(route, host))) unpublished.push(failover);
      }
    },
    readings: () =>
      term === undefined
        ? []
        : [...kept.values()].map(({ inHand, synced, pending }) => ({
            zone: inHand.zone.domain,
            ...(synced === undefined ? {} : { syncAgeSeconds: (now() - synced.at) / 1000 }),
            ...(pending === undefined ? {} : { pendingChanges: pending }),
          })),
    confirm() {
      confirmedUntil = now() + CONFIRMED;
      requestAll();
      const held = [...kept.values()].reduce((sum, state) => sum + state.held, 0);
      return held === 0 ? [] : [`accepted: ${count(held, "record set")} leave zones that are kept elsewhere`];
    },
    degraded: () => [
      ...([...kept.values()].some(({ isFailing, isStuck }) => isFailing || isStuck) ? ["provider-failing"] : []),
      ...([...kept.values()].some(({ held }) => held > 0) ? ["removals-held"] : []),
      ...([...kept.values()].some(({ contested, disputed }) => contested + disputed.length > 0) ? ["names-contested"] : []),
      ...([...kept.values()].some(({ undelegated }) => undelegated > 0) ? ["delegation-waiting"] : []),
    ],
    zones: () => (served === undefined ? undefined : [...kept.values()].map(({ inHand }) => inHand)),
    isWriter: () => term !== undefined,
    async removeRecords(name) {
      const state = kept.get(name);
      if (state?.inHand.zone.isLeaving !== true) return { kind: "NotYet" };
      await Promise.all(closing); // what was begun before would be made again
      const { zone, act } = state.inHand;
      try {
        const removal = await act((sync, _, epoch, signal) => sync.remove({ epoch, signal }));
        if (removal === undefined) return { kind: "NotYet" };
        if (removal.kind === "LostFence") {
          state.isFailing = true;
          return { kind: "Failed", message: foreignWriter(zone) };
        }
        state.isFailing = false;
        for (const { action } of removal.changes) metrics.providerChanges(zone.domain, action);
        log.info({ zone: zone.domain, changes: removal.changes.length }, "our records in the zone are gone, as its DNSZone was deleted");
        return { kind: "Removed" };
      } catch (error) {
        const { code, message } = error instanceof ProviderError ? error : { code: "unknown", message: String(error) };
        metrics.providerError(zone.domain, code);
        if (!state.isFailing) log.error({ err: error, zone: zone.domain }, "our records in a zone could not be removed");
        state.isFailing = true;
        return { kind: "Failed", message };
      }
    },
    async close() {
      unfollow();
      cancelPatience();
      watch.close();
      await Promise.all([...closing, ...[...kept.values()].map(({ keeper, close }) => keeper.close().finally(close))]);
    },
  };
}

const foreignWriter = ({ owner }: Pick<Zone, "owner">): string =>
  `somebody else writes as owner ${owner}. Give each installation an owner of its own, or end one and start this one again.`;

/** @returns what was made for the same thing before, else what is made now */
function remembered<T>(make: () => T): (thing: unknown) => T {
  let known: { readonly thing: unknown; readonly made: T } | undefined;
  return (thing) => {
    if (known === undefined || known.thing !== thing) known = { thing, made: make() };
    return known.made;
  };
}

/** Record sets of which only one side knows, or both know something else. */
function countDifferences(wanted: readonly DesiredSet[], written: readonly DesiredSet[]): number {
  const { gone, come } = setDifferences(written, wanted);
  return new Set([...gone, ...come].map(recordSetKey)).size;
}
