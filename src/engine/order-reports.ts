/** Tells the timeline when operators' acts begin and end. */
import type { Override } from "../model/inventory.ts";
import type { Timeline, TimelineEvent } from "../observe/timeline.ts";
import { isInForce } from "../routing/orders.ts";

/**
 * @param now milliseconds since the epoch
 * @returns to be called with today's overrides whenever they change, and now and then because time begins and ends them
 */
export function createOrderReports(timeline: Timeline, now: () => number): (overrides: readonly Override[]) => void {
  let known: ReadonlyMap<string, Override> = new Map();
  return (overrides) => {
    const inForce = new Map(
      overrides.filter((override) => isInForce(override, now())).map((override) => [overrideTitle(override), override]),
    );
    for (const [object, override] of inForce) {
      if (!known.has(object)) timeline.add({ kind: "OverrideBegan", object, message: sentence(override), details: detailsOf(override) });
    }
    for (const [object, override] of known) {
      if (inForce.has(object)) continue;
      const message = `no longer in force: ${sentence(override)}`;
      timeline.add({ kind: "OverrideEnded", object, message, details: detailsOf(override) });
    }
    known = inForce;
  };
}

/** As the object of an event. */
export const overrideTitle = ({ namespace, name }: Pick<Override, "namespace" | "name">): string => `TrafficOverride ${namespace}/${name}`;

const sentence = ({ action, target, reason }: Override): string => `${action} ${target.kind} ${target.name}: ${reason}`;

const detailsOf = ({ action, target, reason, until }: Override): TimelineEvent["details"] => ({
  action,
  target: target.kind === "MemberCluster" ? `MemberCluster ${target.name}` : titleOfBackend(target),
  reason,
  ...(until === undefined ? {} : { until }),
});

const titleOfBackend = ({ namespace, name, backend }: Override["target"] & { readonly kind: "GlobalRoute" }): string =>
  `GlobalRoute ${namespace}/${name}${backend === undefined ? "" : `/${backend}`}`;
