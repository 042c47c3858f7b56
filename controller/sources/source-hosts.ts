/** Host names as member clusters write them: what cannot be a DNS name is left out and told. */
import { parseHost } from "../../src/model/host-name.ts";
import { unique } from "./fields.ts";
import type { SourceProblem } from "./source-reading.ts";

/** More names than a GlobalRoute can hold; the rest is left out and told. */
const MOST_HOSTS = 64;

export interface CheckedHosts {
  readonly hosts: readonly string[];
  readonly problems: readonly SourceProblem[];
}

/** @param texts as they stand in the object; capital letters are folded, since names do not differ by them (RFC 4343) */
export function checkHosts(texts: readonly string[]): CheckedHosts {
  const problems: SourceProblem[] = [];
  const hosts = unique(texts.map((text) => text.toLowerCase())).filter((text) => {
    const host = parseHost(text, { wildcard: true });
    if ("value" in host) return true;
    const { message, remedy } = host.fault;
    problems.push({ reason: "HostRefused", message: `the host ${JSON.stringify(text)} ${message}. ${remedy}` });
    return false;
  });
  if (hosts.length > MOST_HOSTS) {
    const message = `names ${hosts.length} hosts, and the first ${MOST_HOSTS} count. Split it.`;
    problems.push({ reason: "HostRefused", message });
  }
  return { hosts: hosts.slice(0, MOST_HOSTS), problems };
}

/**
 * The names that both a route and its listener serve (Gateway API, `hostnames` of HTTPRoute): the more specific of two that overlap. A
 * wildcard covers names of any depth below it, but not the name that it stands on.
 *
 * @returns undefined when they have none in common
 */
export function intersectHosts(a: string, b: string): string | undefined {
  if (a === b || covers(b, a)) return a;
  return covers(a, b) ? b : undefined;
}

const covers = (wildcard: string, host: string): boolean => wildcard.startsWith("*.") && host.endsWith(wildcard.slice(1));
