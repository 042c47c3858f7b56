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
  [431, "head-too-large"],
  [501, "not-implemented"],
  [502, "lost"],
  [503, "no-endpoint"],
  [504, "slow-endpoint"],
  [505, "version"],
]);

/** @param servers one for each listener; their counts are added up */
export function proxyReading(
  servers: readonly Pick<ProxyServer, "counters" | "connections" | "ejections">[],
  tally: Pick<RequestTally, "requests">,
  book: Pick<TrafficBook, "attempts">,
): ProxyReading {
  const sum = (of: (server: (typeof servers)[number]) => number): number => servers.reduce((total, server) => total + of(server), 0);
  const refused = new Map<string, number>();
  for (const { counters } of servers) {
    for (const [status, count] of counters.ownAnswers) {
      const reason = REASONS.get(status) ?? "other";
      refused.set(reason, (refused.get(reason) ?? 0) + count);
    }
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
