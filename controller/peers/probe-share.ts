/**
 * Which endpoints this replica probes, when others of its site probe too. Each endpoint is probed by two of them, chosen by rendezvous hash,
 * so that a replica that comes or goes moves only its own. Whoever is not heard of an endpoint that should be probed elsewhere is not relied on:
 * then this replica probes it itself.
 */

import { freshFor } from "../../health/quorum.ts";
import type { Endpoint, EndpointKey } from "../../src/model/health.ts";

/** Replicas that probe an endpoint. */
const PROBERS = 2;
/**
 * With fewer endpoints everybody probes them all: it costs little, and a replica that distrusts its own network compares clusters, of which it
 * should see as many as there are.
 */
const FEWEST_SHARED = 1000;

export interface ProbeShare {
  /** Other replicas of this site that are heard now. */
  setOthers(instances: readonly string[]): void;
  setEndpoints(endpoints: ReadonlyMap<EndpointKey, Endpoint>): void;
  /** Another replica of this site has an opinion of it. */
  heard(key: EndpointKey): void;
  /** Looks for endpoints that nobody is heard of, each few seconds. */
  check(): void;
}

export interface ProbeShareOptions {
  readonly self: string;
  /** Monotonic, ms. */
  readonly now: () => number;
  /** The answer may be another for any endpoint. */
  readonly onShare: (isMine: (key: EndpointKey) => boolean) => void;
}

export function createProbeShare({ self, now, onShare }: ProbeShareOptions): ProbeShare {
  let others: readonly string[] = [];
  let endpoints: ReadonlyMap<EndpointKey, Endpoint> = new Map();
  /** Endpoints of others → when the last of them was heard, or could have been first. */
  const heardAt = new Map<EndpointKey, number>();
  let orphans: ReadonlySet<EndpointKey> = new Set();
  let isShared = false;

  const isMine = (key: EndpointKey): boolean => !isShared || orphans.has(key) || isChosen(self, others, key);

  function renew(): void {
    const wasShared = isShared;
    isShared = others.length >= PROBERS && endpoints.size >= FEWEST_SHARED;
    orphans = new Set([...orphans].filter((key) => endpoints.has(key)));
    const at = now();
    for (const key of heardAt.keys()) if (!endpoints.has(key)) heardAt.delete(key);
    for (const key of endpoints.keys()) {
      if (!heardAt.has(key) || !wasShared) heardAt.set(key, at);
    }
    if (isShared || wasShared) onShare(isMine);
  }

  return {
    setOthers(instances) {
      const next = [...instances].sort();
      if (next.join("\n") === others.join("\n")) return;
      others = next;
      renew();
    },
    setEndpoints(next) {
      endpoints = next;
      renew();
    },
    heard(key) {
      if (isShared) heardAt.set(key, now());
    },
    check() {
      if (!isShared) return;
      const at = now();
      const next = new Set<EndpointKey>();
      for (const [key, { policy }] of endpoints) {
        if (isChosen(self, others, key)) continue;
        if (at - (heardAt.get(key) ?? at) > freshFor(policy)) next.add(key);
      }
      if (next.size === orphans.size && [...next].every((key) => orphans.has(key))) return;
      orphans = next;
      onShare(isMine);
    },
  };
}

/** True when fewer than {@link PROBERS} of the others come before `self` in the order that this key gives them. */
export function isChosen(self: string, others: readonly string[], key: EndpointKey): boolean {
  const of = hash(key);
  const own = score(self, of);
  let before = 0;
  for (const other of others) {
    const theirs = score(other, of);
    if (theirs > own || (theirs === own && other < self)) before++;
  }
  return before < PROBERS;
}

const score = (instance: string, key: number): number => finish(hash(instance) ^ Math.imul(key, 0x9e3779b1));

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return finish(value);
}

/** As MurmurHash3 ends: equal beginnings leave no trace. */
function finish(value: number): number {
  const mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  const more = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (more ^ (more >>> 16)) >>> 0;
}
