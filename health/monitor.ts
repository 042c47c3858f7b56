/**
 * Watches all endpoints from one vantage: schedules their probes, forms an opinion of each, counts it with the votes of other sites,
 * and reports every change of health.
 */
import type { Endpoint, EndpointHealth, EndpointKey, Observation, ProbeResult } from "../src/model/health.ts";
import { isInferred } from "../src/model/health.ts";
import { createEvidenceBook } from "./cluster-evidence.ts";
import type { Surroundings } from "./distrust.ts";
import { earliestChange, isDoubted } from "./judge.ts";
import { type Held, NO_VIEW, observe, opine, presumedView, type View } from "./opinion.ts";
import type { HealthPorts } from "./ports.ts";
import { freshFor, tally, type Vote } from "./quorum.ts";
import { createScheduler, fastInterval, type ProbeTiming } from "./scheduler.ts";
import { rememberedFor, type Traffic, weigh, withLoad } from "./traffic.ts";

/** What the vantage does not dare to vote because its own network could be the cause. */
export interface Holds {
  /** True while failures are put down to the vantage itself. */
  readonly suspect: boolean;
  /** From when the last of them is believed all the same, ms since the epoch; absent = as long as the control targets are silent. */
  readonly until?: number;
  /** Names of the clusters that are silent, sorted. */
  readonly clusters: readonly string[];
}

export interface MonitorOptions {
  /** Name of this site. */
  readonly vantage: string;
  /** Tells the replicas of this site apart; any text. */
  readonly replica?: string;
  readonly ports: HealthPorts;
  /** Control targets whose answers prove that this vantage's network works; probed like endpoints, by their own policy. */
  readonly references?: readonly Endpoint[];
  /** Most probes under way at one time. */
  readonly concurrency?: number;
  /** What became of users' requests to an endpoint since it was asked for last: at the end of each of its probes. Absent = none pass here. */
  readonly traffic?: (key: EndpointKey) => Traffic;
  /**
   * Each probe of an endpoint, after it has been counted. `counted` is false for a failure that this process caused itself: it was
   * stopped or starved while the probe ran, or had no descriptor for it. `lateness` is how long after its time the probe started, ms.
   */
  readonly onObservation?: (observation: Observation, note: { readonly counted: boolean; readonly lateness: number }) => void;
  /** This vantage's own vote, after each probe that counted. */
  readonly onVote?: (key: EndpointKey, vote: Vote) => void;
  /** Each change of an endpoint's health, and of `proven` while it is Unhealthy. */
  readonly onChange?: (key: EndpointKey, health: EndpointHealth, previous: EndpointHealth) => void;
  /** The vantage begins to suspect itself, or ceases to: then `clusters` are those whose silence was put down to it meanwhile. */
  readonly onSuspect?: (holds: Holds) => void;
}

export interface Monitor {
  /**
   * Replaces the endpoints. An endpoint whose probe or policy changed inherits the health of its predecessor at the same address.
   *
   * @param isMine whether this instance probes it; others are judged by the votes of others alone. Absent = all
   */
  setEndpoints(endpoints: readonly Endpoint[], isMine?: (key: EndpointKey) => boolean): void;
  /** @returns undefined for an endpoint that is not watched */
  health(key: EndpointKey): EndpointHealth | undefined;
  snapshot(): ReadonlyMap<EndpointKey, EndpointHealth>;
  /**
   * Takes the health known before a restart as the verdict of endpoints that have not been probed yet; only full counts overturn it.
   * It is for the endpoints that are there, and for those of the next {@link setEndpoints}.
   */
  restore(saved: ReadonlyMap<EndpointKey, EndpointHealth>): void;
  /** Counts a vote of another site, or of another replica of this one. Votes on endpoints that are not watched are ignored. */
  offer(key: EndpointKey, vote: Vote): void;
  /** This vantage's own vote, to be offered elsewhere; undefined for an endpoint that is not watched. */
  vote(key: EndpointKey): Vote | undefined;
  /** A site has left for good: it is no longer counted among those that could vote. */
  forgetSite(site: string): void;
  /** The same of one replica of a site. */
  forgetVoter(site: string, replica: string): void;
  holds(): Holds;
  close(): void;
}

interface Entry {
  endpoint: Endpoint;
  view: View;
  vote: Vote;
  readonly others: Map<string, Vote>;
  health: EndpointHealth;
  held: Held | undefined;
  /** What was known of the other clusters when the newest probe started, while this endpoint is silent. */
  around: Surroundings | undefined;
  /** When the next probe starts, monotonic. */
  nextProbe: number;
  /** Users' requests fail since then, monotonic (`weigh`). */
  requestsFailedAt: number | undefined;
  /** When the load that is held was told, ms since the epoch. */
  loadAt: number;
  /** Probed by this instance. */
  isMine: boolean;
}

/** A failure that took this much longer than its timeout was caused by this process, ms. */
const STALL_SLACK = 250;

export function createMonitor(options: MonitorOptions): Monitor {
  const { vantage, ports, references = [] } = options;
  const entries = new Map<EndpointKey, Entry>();
  const referenceKeys = new Set(references.map((reference) => reference.key));
  const evidence = createEvidenceBook(references);
  /** Endpoints whose silence is put down to the vantage. */
  const suspects = new Set<Entry>();
  /**
   * Everybody else who ever voted and has not left. A new endpoint begins with their abstentions, so that what they all could judge is not
   * decided by whoever happened to look first.
   */
  const voters = new Map<string, Voter>();
  /** Clusters whose silence was put down to it since it began to suspect itself. */
  const distrusted = new Set<string>();
  let saved: ReadonlyMap<EndpointKey, EndpointHealth> = new Map();

  const scheduler = createScheduler({
    ports,
    onStart,
    onResult,
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  });
  scheduler.setTargets(references);

  /** From the monotonic clock to ms since the epoch. */
  const toWall = (instant: number): number => ports.wallClock() + (instant - ports.now());

  function onStart({ key }: Endpoint): void {
    const entry = entries.get(key);
    if (entry !== undefined) entry.around = entry.view.silentSince === undefined ? undefined : evidence.since(entry.view.silentSince);
  }

  function onResult(endpoint: Endpoint, probed: ProbeResult, timing: ProbeTiming): "usual" | "soon" {
    const starved = probed.reason === "descriptors" || timing.endedAt - timing.startedAt > endpoint.policy.timeout + STALL_SLACK;
    const counted = probed.ok || !starved;
    if (referenceKeys.has(endpoint.key)) {
      if (counted) evidence.noteReference(endpoint.key, !isInferred(probed.reason), timing.startedAt);
      return "usual";
    }
    const entry = entries.get(endpoint.key);
    if (entry?.isMine !== true) return "usual";
    const at = ports.wallClock();
    const { result, isSilent } = weighRequests(entry, probed, timing);
    if (counted) {
      evidence.note(endpoint.cluster, !isInferred(probed.reason), timing.startedAt);
      if (!isSilent)
        entry.view = observe(entry.view, result, { startedAt: timing.startedAt, endedAt: timing.endedAt, at }, endpoint.policy);
    }
    // Of requests the next whole interval says more than a probe that comes early.
    const isDue = isDoubted(entry.view.judgement) && !(probed.ok && entry.requestsFailedAt !== undefined);
    entry.nextProbe = isDue ? timing.next.soon : timing.next.usual;
    if (counted) {
      form(entry, at);
      settle(entry, result);
    }
    // One more silent probe confirms what is held for want of evidence; while the vantage itself is suspect, haste helps nobody.
    const pace = isDue || entry.held?.suspect === false ? "soon" : "usual";
    entry.nextProbe = timing.next[pace];
    options.onObservation?.({ ...result, endpoint: endpoint.key, vantage, at }, { counted, lateness: timing.lateness });
    return pace;
  }

  /** What a probe's result is beside users' requests. `isSilent`: it neither speaks for the endpoint nor against it. */
  function weighRequests(entry: Entry, probed: ProbeResult, { endedAt, lateness }: ProbeTiming) {
    const traffic = options.traffic?.(entry.endpoint.key);
    if (traffic === undefined) return { result: probed, isSilent: false };
    const told = withLoad(probed, traffic);
    // The first probe decides by itself, and what this process slept through was not the endpoint's fault.
    if (entry.view.judgement.verdict === "Unknown" || lateness > STALL_SLACK) return { result: told, isSilent: false };
    const { counts, failedAt } = weigh(told, traffic, entry.requestsFailedAt, endedAt, rememberedFor(entry.endpoint.policy));
    entry.requestsFailedAt = failedAt;
    return { result: counts ?? told, isSilent: counts === undefined };
  }

  /** Forms this vantage's vote from its view. @param at when its newest probe ended */
  function form(entry: Entry, at: number): void {
    const { policy, cluster } = entry.endpoint;
    // the first silent probe knows of nothing that happened since it started
    const around = entry.around ?? evidence.since(Number.POSITIVE_INFINITY);
    const { opinion, view, held } = opine(entry.view, around, 3 * policy.interval, ports.now());
    entry.view = view;
    entry.held = held;
    suspect(entry, held?.suspect === true);
    if (view.believed && view.silentSince !== undefined) evidence.believe(cluster, view.silentSince);
    entry.vote = {
      ...entry.vote,
      opinion,
      at,
      reason: view.judgement.verdict === "Unhealthy" ? (view.failure ?? "ok") : "ok",
      proven: opinion === "unhealthy" && view.proven,
      firstSign: view.judgement.verdict === "Unknown" ? at : view.judgement.firstSign,
      // what is held can be believed at any moment
      nextChange: held === undefined ? toWall(earliestChange(view.judgement, entry.nextProbe, fastInterval(policy), policy)) : at,
    };
    options.onVote?.(entry.endpoint.key, entry.vote);
  }

  /** Counts the votes on an endpoint and reports a change. */
  function settle(entry: Entry, result?: ProbeResult): void {
    const previous = entry.health;
    const { policy, key } = entry.endpoint;
    const now = ports.wallClock();
    const count = tally([entry.vote, ...entry.others.values()], policy.quorum, previous.health, freshFor(policy), now);
    const changed = count.health !== previous.health;
    const latency = result?.ok ? result.latency : previous.latency;
    if (result?.load !== undefined) entry.loadAt = now;
    const load = result?.load ?? (now - entry.loadAt > freshFor(policy) ? undefined : previous.load);
    entry.health = {
      health: count.health,
      since: changed ? now : previous.since,
      reason: count.grounds?.reason ?? previous.reason,
      proven: count.frozen ? previous.proven : count.proven,
      votes: count.votes,
      firstSign: changed ? (count.grounds?.firstSign ?? now) : previous.firstSign,
      nextChange: Math.max(now, count.nextChange),
      ...(latency === undefined ? {} : { latency }),
      ...(load === undefined ? {} : { load }),
    };
    if (changed || entry.health.proven !== previous.proven) options.onChange?.(key, entry.health, previous);
  }

  /** Notes whether an endpoint's silence is put down to the vantage, and reports the first and the end of the last. */
  function suspect(entry: Entry, isSuspect: boolean): void {
    const before = suspects.size;
    if (isSuspect) {
      suspects.add(entry);
      distrusted.add(entry.endpoint.cluster);
    } else suspects.delete(entry);
    if (before > 0 === suspects.size > 0) return;
    if (isSuspect) {
      const begun = holds();
      for (const cluster of begun.clusters) distrusted.add(cluster);
      options.onSuspect?.(begun);
    } else {
      options.onSuspect?.({ suspect: false, clusters: [...distrusted].sort() });
      distrusted.clear();
    }
  }

  function holds(): Holds {
    if (suspects.size === 0) return { suspect: false, clusters: [] };
    let until: number | null = 0;
    for (const { held } of suspects) {
      if (held !== undefined) until = until === null || held.until === null ? null : Math.max(until, held.until);
    }
    return { suspect: true, ...(until === null ? {} : { until: toWall(until) }), clusters: evidence.silentClusters() };
  }

  function newEntry(endpoint: Endpoint, known: EndpointHealth | undefined): Entry {
    const now = ports.wallClock();
    const unknown: EndpointHealth = {
      health: "Unknown",
      since: now,
      reason: "not-probed",
      proven: false,
      votes: 0,
      firstSign: now,
      nextChange: now,
    };
    return {
      endpoint,
      view: known === undefined ? NO_VIEW : presumedView(known, endpoint.policy),
      vote: { ...silentVote(now), site: vantage, replica: options.replica ?? "" },
      others: new Map([...voters].map(([id, voter]) => [id, { ...silentVote(now), ...voter }])),
      health: known === undefined ? unknown : { ...known, votes: 0, nextChange: now },
      held: undefined,
      around: undefined,
      nextProbe: ports.now(),
      requestsFailedAt: undefined,
      loadAt: now,
      isMine: true,
    };
  }

  /** From its first vote on it counts for every endpoint. */
  function welcome(id: string, voter: Voter): void {
    voters.set(id, voter);
    const now = ports.wallClock();
    for (const { others } of entries.values()) if (!others.has(id)) others.set(id, { ...silentVote(now), ...voter });
  }

  function forget(isGone: (voter: Voter) => boolean): void {
    const gone = [...voters].flatMap(([id, voter]) => (isGone(voter) ? [id] : []));
    if (gone.length === 0) return;
    for (const id of gone) voters.delete(id);
    for (const entry of entries.values()) {
      for (const id of gone) entry.others.delete(id);
      settle(entry);
    }
  }

  /** Somebody else probes it from now on: this vantage has no opinion of it, and begins with what is known when it probes it again. */
  function handOver(entry: Entry): void {
    suspect(entry, false);
    entry.held = undefined;
    entry.around = undefined;
    entry.requestsFailedAt = undefined;
    entry.view = presumedView(entry.health, entry.endpoint.policy);
    entry.vote = { ...entry.vote, ...silentVote(ports.wallClock()) };
    options.onVote?.(entry.endpoint.key, entry.vote);
  }

  function setEndpoints(endpoints: readonly Endpoint[], isMine: (key: EndpointKey) => boolean = () => true): void {
    const gone = new Map(entries);
    for (const { key } of endpoints) gone.delete(key);
    const predecessors = new Map([...gone.values()].map((entry) => [placeOf(entry.endpoint), entry.health]));
    for (const [key, entry] of gone) {
      entries.delete(key);
      suspect(entry, false);
    }
    for (const endpoint of endpoints) {
      const kept = entries.get(endpoint.key);
      if (kept !== undefined) kept.endpoint = endpoint;
      else entries.set(endpoint.key, newEntry(endpoint, saved.get(endpoint.key) ?? predecessors.get(placeOf(endpoint))));
    }
    saved = new Map(); // of endpoints that come later it would be old news
    for (const entry of entries.values()) {
      const wasMine = entry.isMine;
      entry.isMine = isMine(entry.endpoint.key);
      if (wasMine && !entry.isMine) handOver(entry);
    }
    const mine = endpoints.filter(({ key }) => entries.get(key)?.isMine === true);
    evidence.setClusters(new Set(mine.map((endpoint) => endpoint.cluster)));
    scheduler.setTargets([...mine, ...references]);
  }

  return {
    setEndpoints,
    health: (key) => entries.get(key)?.health,
    snapshot: () => new Map([...entries].map(([key, entry]) => [key, entry.health])),
    restore: (known) => {
      saved = known;
      for (const [key, entry] of entries) {
        const health = known.get(key);
        if (health !== undefined && entry.view.newest === undefined) entries.set(key, newEntry(entry.endpoint, health));
      }
    },
    offer: (key, vote) => {
      const entry = entries.get(key);
      if (entry === undefined || (vote.site === vantage && vote.replica === entry.vote.replica)) return;
      const { site, replica } = vote;
      const id = voterId({ site, replica });
      if (!voters.has(id)) welcome(id, { site, replica });
      entry.others.set(id, vote);
      settle(entry);
    },
    vote: (key) => entries.get(key)?.vote,
    forgetSite: (site) => forget((voter) => voter.site === site),
    forgetVoter: (site, replica) => forget((voter) => voter.site === site && voter.replica === replica),
    holds,
    close: scheduler.close,
  };
}

type Voter = Pick<Vote, "site" | "replica">;

const voterId = ({ site, replica }: Voter): string => `${site}\n${replica}`;

/** Of somebody who could vote and has not looked yet. */
const silentVote = (now: number): Omit<Vote, "site" | "replica"> => ({
  opinion: "abstain",
  at: 0,
  reason: "ok",
  proven: false,
  firstSign: now,
  nextChange: now,
});

/** Where an endpoint is, whatever it is asked. */
const placeOf = ({ cluster, address, probe }: Endpoint): string => `${cluster}|${address}|${probe.port}`;
