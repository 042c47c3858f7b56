/** Which route has which host, where several ask for one. Pure: every replica comes to the same answer. */
import { compareTexts } from "./hub-object.ts";

export interface Claim {
  /** Of the route. */
  readonly key: string;
  readonly hosts: readonly string[];
  /** Its status says that it is accepted as it is today: other replicas go by that. */
  readonly isConfirmed: boolean;
  /** RFC 3339; empty = not on the hub yet. */
  readonly created: string;
}

/**
 * A host is its holder's for as long as the holder asks for it, whoever asks besides and however old they are. Among those who never had it
 * the oldest object gets it.
 */
export interface HostClaims {
  /** What the routes of a namespace ask for from now on. */
  put(namespace: string, claims: readonly Claim[]): void;
  /**
   * Decides who has the hosts that several ask for.
   *
   * @param holderOf the route that is served under a host now
   * @returns namespaces that ask for a host which has another owner now, whatever was put since the last call
   */
  settle(holderOf: (host: string) => string | undefined): ReadonlySet<string>;
  /** The route that has a host, as was settled last; undefined when nobody asks for it. */
  ownerOf(host: string): string | undefined;
}

/** Those who ask for one host. */
interface Contest {
  /** By key of the route. */
  readonly claims: Map<string, Contender>;
  owner: string | undefined;
  /** Somebody came or went since it was settled. */
  isNew: boolean;
  /** As it was settled. */
  holder: string | undefined;
}

interface Contender {
  readonly namespace: string;
  readonly isConfirmed: boolean;
  /** Sorts before those of younger routes. */
  readonly age: string;
}

export function createHostClaims(): HostClaims {
  const byNamespace = new Map<string, readonly Claim[]>();
  const contests = new Map<string, Contest>();
  /** Hosts that several ask for, or did when it was settled. */
  const disputed = new Set<string>();
  function withdraw(host: string, key: string): void {
    const contest = contests.get(host);
    if (contest?.claims.delete(key) !== true) return;
    contest.isNew = true;
    if (contest.claims.size === 0) {
      contests.delete(host);
      disputed.delete(host);
    }
  }

  function enter(host: string, key: string, contender: Contender): void {
    const contest = contests.get(host) ?? { claims: new Map(), owner: undefined, isNew: true, holder: undefined };
    contests.set(host, contest);
    contest.claims.set(key, contender);
    contest.isNew = true;
    if (contest.claims.size > 1) disputed.add(host);
    else contest.owner = key;
  }

  return {
    put(namespace, claims) {
      for (const { key, hosts } of byNamespace.get(namespace) ?? []) for (const host of hosts) withdraw(host, key);
      for (const { key, hosts, isConfirmed, created } of claims) {
        const contender = { namespace, isConfirmed, age: `${created === "" ? "~" : created} ${key}` };
        for (const host of hosts) enter(host, key, contender);
      }
      if (claims.length === 0) byNamespace.delete(namespace);
      else byNamespace.set(namespace, claims);
    },
    settle(holderOf) {
      const changed = new Set<string>();
      for (const host of disputed) {
        const contest = contests.get(host)!;
        const holder = holderOf(host);
        if (!contest.isNew && contest.holder === holder) continue;
        const owner = bestOf(contest.claims, holder);
        if (owner !== contest.owner) for (const { namespace } of contest.claims.values()) changed.add(namespace);
        contest.owner = owner;
        contest.holder = holder;
        contest.isNew = false;
        if (contest.claims.size === 1) disputed.delete(host);
      }
      return changed;
    },
    ownerOf: (host) => contests.get(host)?.owner,
  };
}

function bestOf(claims: ReadonlyMap<string, Contender>, holder: string | undefined): string | undefined {
  let best: readonly [string, Contender] | undefined;
  for (const one of claims) if (best === undefined || isBetter(one, best, holder)) best = one;
  return best?.[0];
}

function isBetter([key, a]: readonly [string, Contender], [other, b]: readonly [string, Contender], holder: string | undefined): boolean {
  if (a.isConfirmed !== b.isConfirmed) return a.isConfirmed;
  if ((key === holder) !== (other === holder)) return key === holder;
  return compareTexts(a.age, b.age) < 0;
}
