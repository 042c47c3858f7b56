/** Which operator's act is over: what then changes is due to its end, whatever probes have said meanwhile. Pure. */
import type { RouteOrders } from "../routing/evaluate-route.ts";

/** Strongest first, as in `ordersOf`. */
const ENDS = [
  ["cordoned", "no longer cordoned"],
  ["forcedUp", "no longer forced up"],
  ["draining", "no longer draining"],
  ["drilled", "no longer drilled"],
  ["frozen", "no longer frozen"],
] as const;

/**
 * @param before orders that the route was evaluated with before, if it was
 * @returns backend → the end of the strongest act on it that is over, in words; undefined while another act decides its standing, and when
 *          none has ended
 */
export function orderEnds(before: RouteOrders | undefined, now: RouteOrders): (backend: string) => string | undefined {
  return (backend) => {
    if (before === undefined || before === now) return undefined;
    if (now.cordoned.has(backend) || now.forcedUp.has(backend) || now.draining.has(backend) || now.drilled.has(backend)) return undefined;
    return ENDS.find(([act]) => before[act].has(backend) && !now[act].has(backend))?.[1];
  };
}
