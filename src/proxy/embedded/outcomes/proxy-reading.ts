/** What a scrape reads of the embedded proxy. */
import type { ProxyReading } from "../../../observe/metric-readings.ts";
import type { ProxyServer } from "../forward/proxy-server.ts";
import type { RequestTally } from "./request-tally.ts";
import type { TrafficBook } from "./traffic-book.ts";

/** Why the proxy answered by itself, by the status that it gave; what is not named is `other`. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [400, "bad-request"],
  [404, "no-route"],
  [408, "slow-client"],
  [413, "body-too-large"],
  [414, "target-too-long"],
  [417, "expectation"],
  [421, "misdirected"],
  [431, "head-too-large"],
  [501, "not-implemented"],
  [502, "lost"],
  [503, "no-endpoint"],
  [504, "slow-endpoint"],
  [505, "version"],
]);

/** One listener, and what stands in front of it. */
export interface ReadServer extends Pick<ProxyServer, "counters" | "connections" | "ejections"> {
  /** `refused`: connections and streams that were turned away before they were requests. Reason → how many. */
  readonly front?: { readonly refused: ReadonlyMap<string, number> };
}

/** @param servers one for each listener; their counts are added up */
export function proxyReading(
  servers: readonly ReadServer[],
  tally: Pick<RequestTally, "requests">,
  book: Pick<TrafficBook, "attempts">,
): ProxyReading {
  const sum = (of: (server: ReadServer) => number): number => servers.reduce((total, server) => total + of(server), 0);
  const refused = new Map<string, number>();
  const add = (reason: string, count: number): unknown => refused.set(reason, (refused.get(reason) ?? 0) + count);
  for (const { counters, front } of servers) {
    for (const [status, count] of counters.ownAnswers) add(REASONS.get(status) ?? "other", count);
    for (const [reason, count] of front?.refused ?? []) add(reason, count);
  }
  return {
    requests: tally.requests(),
    attempts: book.attempts(),
    connections: [
      { state: "client", count: sum(({ connections }) => connections().clients) },
      { state: "busy", count: sum(({ connections }) => connections().open - connections().idle) },
      { state: "idle", count: sum(({ connections }) => connections().idle) },
    ],
    retries: [
      { result: "made", count: sum(({ counters }) => counters.retries) },
      { result: "denied", count: sum(({ counters }) => counters.retriesDenied) },
    ],
    ejections: sum(({ ejections }) => ejections().total),
    ejected: sum(({ ejections }) => ejections().now),
    refused: Array.from(refused, ([reason, count]) => ({ reason, count })),
  };
}
