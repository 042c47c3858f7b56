/** Pieces of PromQL that dashboards, recording rules and alerts share. */

/** Of our targets, as far as the dashboard's variables choose; "All" matches targets without a namespace too, which standalone servers are. */
export const CHOSEN = 'namespace=~"$namespace",job=~"$job"';

/** `name{…}` of the chosen targets. @param more further matchers, as they are written */
export const chosen = (name: string, more = ""): string => `${name}{${CHOSEN}${more === "" ? "" : `,${more}`}}`;

/**
 * By how much a counter has grown, exactly. Counters with labels begin with what they count, so that `increase` would miss the first of it,
 * and for rare things that is most of it: here a series that was not there before, or has begun anew since, counts whole.
 *
 * @param selector of a counter, or of a histogram's buckets or count
 * @param range    `30m`, `$__range`
 */
export const grown = (selector: string, range: string): string => `((${selector} - ${selector} offset ${range}) >= 0 or ${selector})`;

/** Every replica counts every failover, for each of them decides by itself: the replica that has seen most of them tells. */
export const grownOnce = (selector: string, range: string, by: string): string =>
  `max by (${by}) (sum by (${by === "" ? "" : `${by}, `}instance) (${grown(selector, range)}))`;

/** A bucket's bound as the Prometheus text format (`le="15"`) and OpenMetrics (`le="15.0"`) write it. @param bound a whole number */
export const atMost = (bound: number): string => `le=~"${bound}(\\\\.0)?"`;

/** Names of metrics in an expression: ours, recorded ones, and those of the process. */
export function metricNames(expression: string): readonly string[] {
  const bare = expression.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""'); // a name within a string is none
  const names = bare.matchAll(/(?<![\w:])(?:(?:job|instance):)?(?:globalroute|process|nodejs)_[a-z0-9_:]+|(?<![\w:])up(?=\s*(?:\{|==|$))/g);
  return [...new Set(Array.from(names, ([name]) => name))].sort();
}
