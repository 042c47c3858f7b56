/** Which drills are under way and which were given up: a drill ends for good, everywhere, at the first failure that is not its own. */
import { type DrillAbort, type Inventory, type Override, type Route, routeKey } from "../model/inventory.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Timeline } from "../observe/timeline.ts";
import type { RouteEvaluation } from "../routing/evaluate-route.ts";
import { isInForce, reaches } from "../routing/orders.ts";
import { overrideTitle } from "./order-reports.ts";

export interface DrillBookPorts {
  readonly evaluation: (route: string) => Pick<RouteEvaluation, "drills"> | undefined;
  /** Our own probes are not believed at present: nobody would see a second failure. */
  readonly isSuspect: () => boolean;
  readonly timeline: Timeline;
  readonly metrics: Pick<Metrics, "drill">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface DrillBook {
  /**
   * Marks those that were given up, and learns of those that are marked already (by an earlier process, by another replica).
   *
   * @returns the same list when there is nothing to mark
   */
  mark(overrides: readonly Override[]): readonly Override[];
  /** Looks at those in force. @returns true when one was given up just now: {@link DrillBook.mark} marks it */
  review(inventory: Pick<Inventory, "routes" | "overrides">): boolean;
}

/** Units that a drill has withdrawn: `namespace/name/backend/family`. */
type Withdrawn = Set<string>;

export function createDrillBook({ evaluation, isSuspect, timeline, metrics, now }: DrillBookPorts): DrillBook {
  /** By {@link idOf}. */
  const aborts = new Map<string, { readonly override: Override; readonly abort: DrillAbort }>();
  const running = new Map<string, { readonly override: Override; readonly withdrawn: Withdrawn }>();

  function abort(override: Override, reason: string, facts: Readonly<Record<string, string>>): void {
    const at = now();
    aborts.set(idOf(override), { override, abort: { reason, at } });
    metrics.drill("aborted");
    const message = `given up, and everything is put back: ${reason}`;
    timeline.add({ kind: "DrillAborted", object: overrideTitle(override), message, details: { reason, ...facts }, at });
  }

  /** @returns the failure that it has to yield to, if there is one */
  function secondFailure(override: Override, routes: readonly Route[], withdrawn: Withdrawn): readonly [string, Route] | undefined {
    for (const route of routes) {
      const drilled = route.backends.filter((backend) => reaches(override, route, backend)).map(({ name }) => name);
      if (drilled.length === 0) continue;
      const key = routeKey(route);
      for (const { backend, family, held } of evaluation(key)?.drills ?? []) {
        if (!drilled.includes(backend)) continue;
        const unit = `${key}/${backend}/${family}`;
        if (held === undefined) withdrawn.add(unit);
        else if (withdrawn.has(unit)) return [`${key}: ${held}`, route];
      }
    }
    return undefined;
  }

  function endOthers(drills: readonly Override[]): void {
    const still = new Set(drills.map(idOf));
    for (const [id, { override, withdrawn }] of running) {
      if (still.has(id)) continue;
      running.delete(id);
      if (!aborts.has(id)) metrics.drill(withdrawn.size === 0 ? "held" : now() < override.until! ? "ended-early" : "completed");
    }
  }

  return {
    mark(overrides) {
      for (const override of overrides) {
        if (override.aborted !== undefined) aborts.set(idOf(override), { override, abort: override.aborted });
      }
      for (const [id, { override }] of aborts)
        if (override.until! <= now() && !overrides.some((one) => idOf(one) === id)) aborts.delete(id);
      const isMarked = (override: Override): boolean => override.aborted !== undefined || !aborts.has(idOf(override));
      if (overrides.every(isMarked)) return overrides;
      return overrides.map((override) => (isMarked(override) ? override : { ...override, aborted: aborts.get(idOf(override))!.abort }));
    },
    review({ routes, overrides }) {
      const drills = overrides.filter(
        (override) => override.action === "Drill" && isInForce(override, now()) && !aborts.has(idOf(override)),
      );
      if (drills.length + running.size === 0) return false;
      endOthers(drills);
      let isNews = false;
      for (const override of drills) {
        const id = idOf(override);
        const { withdrawn } = running.get(id) ?? { withdrawn: new Set<string>() };
        running.set(id, { override, withdrawn });
        const failure = secondFailure(override, routes, withdrawn);
        if (failure !== undefined) abort(override, failure[0], { route: routeKey(failure[1]) });
        else if (withdrawn.size > 0 && isSuspect()) abort(override, "this server's own network is suspect", {});
        else continue;
        isNews = true;
      }
      return isNews;
    },
  };
}

/** A drill of the same name at another time is another one. */
const idOf = ({ namespace, name, start, until }: Override): string => `${namespace}/${name} ${start} ${until}`;
