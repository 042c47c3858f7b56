/**
 * What several vantages together hold of one endpoint (docs/health.md). Pure. Sites vote: the replicas of one site share its network and
 * combine into one vote first. A vote that is stale, absent or withheld abstains, and too few votes leave the verdict as it was: not
 * being able to look is never a reason to take an endpoint out (Unknown is not down).
 */
import type { Health, ProbeReason } from "../src/model/health.ts";
import type { Quorum } from "../src/model/inventory.ts";
import type { Milliseconds } from "../src/model/units.ts";

export type Opinion = "healthy" | "unhealthy" | "abstain";

/** What one replica of one site says of one endpoint. Plain JSON. */
export interface Vote {
  readonly site: string;
  /** Tells replicas of one site apart. */
  readonly replica: string;
  readonly opinion: Opinion;
  /** When its newest probe ended, ms since the epoch. */
  readonly at: number;
  /** The newest reason that counts for the opinion. */
  readonly reason: ProbeReason;
  /** For `unhealthy`: true when a failure of this outage proves that something answered at the endpoint. */
  readonly proven: boolean;
  /** When the first probe of the run that led to the opinion ended, ms since the epoch. */
  readonly firstSign: number;
  /** The earliest instant at which the opinion can change, ms since the epoch. */
  readonly nextChange: number;
}

export interface Tally {
  /** The new verdict; equal to the previous one when the votes do not carry another. */
  readonly health: Health;
  /** Sites that voted for that verdict. */
  readonly votes: number;
  /** Unhealthy, and at least one of the votes for it is proven. */
  readonly proven: boolean;
  /** True when the votes carried no verdict and the previous one was kept. */
  readonly frozen: boolean;
  /** Of the votes for the verdict, if any: the earliest first sign, and the newest reason (a proven one before others). */
  readonly grounds?: { readonly firstSign: number; readonly reason: ProbeReason };
  /** The earliest instant at which the verdict can change, ms since the epoch; Infinity when no vote is in sight. */
  readonly nextChange: number;
}

/** How long a vote counts after its newest probe ended. */
export const freshFor = (policy: { readonly interval: Milliseconds; readonly timeout: Milliseconds }): number =>
  3 * policy.interval + policy.timeout;

/**
 * Counts the votes.
 *
 * - Majority: the verdict changes when more than half of the sites that vote say so, and at least half of all known sites vote.
 * - Count: Unhealthy when `count` sites say so; else Healthy when `count` sites say so. A count above the number of known sites
 *   means all of them, so that one vantage alone can decide before others have joined.
 *
 * @param votes every known replica's newest vote, stale ones included: a site that is known and silent still counts as a site
 * @param fresh how old a vote may be, ms ({@link freshFor})
 * @param now   ms since the epoch
 */
export function tally(votes: readonly Vote[], quorum: Quorum, previous: Health, fresh: number, now: number): Tally {
  const sites = combineSites(votes, fresh, now);
  const healthy = sites.filter((site) => site.opinion === "healthy");
  const unhealthy = sites.filter((site) => site.opinion === "unhealthy");
  const voting = healthy.length + unhealthy.length;
  const needed = quorum.type === "Count" ? Math.max(1, Math.min(quorum.count, sites.length)) : Math.floor(voting / 2) + 1;
  const enough = quorum.type === "Count" || 2 * voting >= sites.length;
  const carried: Health | undefined =
    !enough || voting === 0 ? undefined : unhealthy.length >= needed ? "Unhealthy" : healthy.length >= needed ? "Healthy" : undefined;

  const health = carried ?? previous;
  const supporters = health === "Healthy" ? healthy : health === "Unhealthy" ? unhealthy : [];
  const opponents = health === "Healthy" ? unhealthy : health === "Unhealthy" ? healthy : [];
  const others = sites.filter((site) => !opponents.includes(site));
  const firstSign = Math.min(...supporters.map((site) => site.firstSign));
  const newest = newestOf(supporters);
  return {
    health,
    votes: supporters.length,
    proven: health === "Unhealthy" && supporters.some((site) => site.proven),
    frozen: carried === undefined,
    ...(newest === undefined ? {} : { grounds: { firstSign, reason: newest.reason } }),
    nextChange: nextChange(others, needed - opponents.length),
  };
}

/** As many sites as are missing for another verdict must change their opinion, the quickest first. Sites that abstain may speak next. */
function nextChange(sites: readonly SiteVote[], missing: number): number {
  const instants = sites.map((site) => site.nextChange).sort((a, b) => a - b);
  return instants[Math.min(Math.max(1, missing), instants.length) - 1] ?? Number.POSITIVE_INFINITY;
}

type SiteVote = Pick<Vote, "opinion" | "at" | "reason" | "proven" | "firstSign" | "nextChange">;

/** A proven vote says more than one that rests on silence; among equals the newest. */
function newestOf<T extends Pick<Vote, "at" | "proven">>(votes: readonly T[]): T | undefined {
  return votes.reduce<T | undefined>((best, vote) => {
    if (best === undefined || vote.proven !== best.proven) return best === undefined || vote.proven ? vote : best;
    return vote.at > best.at ? vote : best;
  }, undefined);
}

/** One vote per site: the opinion of most of its replicas that vote; a tie abstains. */
function combineSites(votes: readonly Vote[], fresh: number, now: number): SiteVote[] {
  const bySite = new Map<string, Vote[]>();
  for (const vote of votes) {
    const replicas = bySite.get(vote.site);
    if (replicas === undefined) bySite.set(vote.site, [vote]);
    else replicas.push(vote);
  }
  return [...bySite.values()].map((replicas): SiteVote => {
    const current = replicas.filter((vote) => vote.opinion !== "abstain" && now - vote.at <= fresh);
    const down = current.filter((vote) => vote.opinion === "unhealthy");
    const up = current.filter((vote) => vote.opinion === "healthy");
    const opinion: Opinion = down.length > up.length ? "unhealthy" : up.length > down.length ? "healthy" : "abstain";
    const supporters = opinion === "unhealthy" ? down : opinion === "healthy" ? up : replicas;
    const newest = newestOf(supporters);
    return {
      opinion,
      at: newest?.at ?? 0,
      reason: newest?.reason ?? "ok",
      proven: opinion === "unhealthy" && down.some((vote) => vote.proven),
      firstSign: Math.min(...supporters.map((vote) => vote.firstSign)),
      nextChange: Math.min(...supporters.map((vote) => vote.nextChange)),
    };
  });
}
