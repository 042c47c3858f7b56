/** Gives each host to one route: from what routes would be to what is served of each. */
import type { Route, RouteKey } from "../../src/model/inventory.ts";
import type { Problem } from "../../src/model/problem.ts";
import { warningOn } from "./joining-source.ts";
import { sameList } from "./keep-previous.ts";
import type { Candidate, WrittenDraft } from "./namespace-candidates.ts";
import type { BackendReport, SourceWarning } from "./reconciled.ts";
import type { RouteUnit, RouteWork } from "./route-work.ts";

/** What became of one route. */
export interface SettledRoute {
  readonly unit: RouteUnit;
  readonly work: RouteWork;
  /** What is served: as the object says, or what stays of it; undefined = nothing. */
  readonly route: Route | undefined;
  readonly isAccepted: boolean;
  readonly problems: readonly Problem[];
  readonly backends: readonly BackendReport[];
  /** Present on generated routes. */
  readonly draft: WrittenDraft | undefined;
}

/**
 * Who asks for another's host is refused as a whole, but for generated routes, which go without it.
 *
 * @param ownerOf the route that has a host; undefined when nobody asks for it
 */
export function settleRoute({ unit, work, draft }: Candidate, ownerOf: (host: string) => RouteKey | undefined): SettledRoute {
  const { converted, remains } = work;
  const problems = converted.problems.length === 0 ? unit.reading.problems : [...unit.reading.problems, ...converted.problems];
  const has = (host: string): boolean => (ownerOf(host) ?? unit.key) === unit.key;
  const { route } = converted;
  const backends = work.assembled.reports;
  if (route?.hosts.every(has) === true) return { unit, work, draft, route, problems, backends, isAccepted: converted.isAnswered };
  const lost = (route?.hosts ?? []).filter((host) => !has(host));
  if (route !== undefined && draft !== undefined) {
    const left = withHosts(route, has);
    const severity = left === undefined ? "error" : "warning";
    const told = [...problems, ...lost.map((host) => overlap(unit, host, ownerOf(host) ?? "", severity))];
    return { unit, work, draft, route: left, problems: told, backends, isAccepted: left !== undefined && converted.isAnswered };
  }
  const overlaps = lost.map((host) => overlap(unit, host, ownerOf(host) ?? "", "error"));
  const told = [...problems, ...overlaps];
  return { unit, work, draft, route: remains && withHosts(remains, has), problems: told, backends: work.remaining, isAccepted: false };
}

/** The value of the pass before, if nothing of it has changed: whoever remembers what follows from it finds it again. */
export const asBefore = (before: SettledRoute | undefined, route: SettledRoute): SettledRoute =>
  before !== undefined && isSameSettled(before, route) ? before : route;

const isSameSettled = (a: SettledRoute, b: SettledRoute): boolean =>
  a.work === b.work &&
  a.route === b.route &&
  a.draft === b.draft &&
  a.isAccepted === b.isAccepted &&
  a.backends === b.backends &&
  a.unit.hub === b.unit.hub &&
  a.unit.reading === b.unit.reading &&
  sameList(a.unit.joined, b.unit.joined) &&
  sameList(a.problems, b.problems);

function withHosts(route: Route, has: (host: string) => boolean): Route | undefined {
  if (route.hosts.every(has)) return route;
  const hosts = route.hosts.filter(has);
  return hosts.length === 0 ? undefined : { ...route, hosts };
}

/** In the words of buildInventory. */
function overlap({ key, reading }: RouteUnit, host: string, owner: RouteKey, severity: Problem["severity"]): Problem {
  const index = reading.object?.spec.hosts.indexOf(host) ?? 0;
  const title = `GlobalRoute ${key}`;
  return {
    severity,
    code: "host-overlap",
    file: title,
    line: 0,
    column: 0,
    path: `${title} spec.hosts[${index}]`,
    message: `${host} is GlobalRoute ${owner}'s already`,
    remedy: "Remove it from one of them.",
  };
}

/** Hosts of generated routes that a route of another namespace has. */
export function lostHosts({ unit, work, route, draft }: SettledRoute): readonly SourceWarning[] {
  if (draft === undefined || work.converted.route === undefined || route === work.converted.route) return [];
  const kept = new Set(route?.hosts);
  const lost = work.converted.route.hosts.filter((host) => !kept.has(host));
  if (lost.length === 0) return [];
  return unit.joined.flatMap(({ reading, hosts }) => {
    const own = lost.filter((host) => hosts.includes(host));
    const message = `${own.join(", ")} is served by a route of another namespace already. Remove it here, or have it removed there.`;
    return own.length === 0 ? [] : [warningOn(reading, "HostTaken", message)];
  });
}
