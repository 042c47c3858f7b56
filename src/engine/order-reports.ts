/** Tells the timeline when operators' acts begin and end. */
import type { Override } from "../model/inventory.ts";
import type { Timeline } from "../observe/timeline.ts";
import { isInForce } from "../routing/orders.ts";

/**
 * @param now milliseconds since the epoch
 * @returns to be called with today's overrides whenever they change, and now and then because time begins and ends them
 */
export function createOrderReports(timeline: Timeline, now: () => number): (overrides: readonly Override[]) => void {
  let known: ReadonlyMap<string, string> = new Map();
  return (overrides) => {
    const inForce = new Map(
      overrides.filter((override) => isInForce(override, now())).map((override) => [nameOf(override), sentence(override)]),
    );
    for (const [name, message] of inForce)
      if (!known.has(name)) timeline.add({ kind: "OverrideBegan", object: name, message, details: {} });
    for (const [name, text] of known) {
      if (!inForce.has(name)) timeline.add({ kind: "OverrideEnded", object: name, message: `no longer in force: ${text}`, details: {} });
    }
    known = inForce;
  };
}

const nameOf = ({ namespace, name }: Override): string => `TrafficOverride ${namespace}/${name}`;
const sentence = ({ action, target, reason }: Override): string => `${action} ${target.kind} ${target.name}: ${reason}`;
