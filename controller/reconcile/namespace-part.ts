/** What is served, told and written of one namespace. */
import type { Override, Route, RouteKey } from "../../src/model/inventory.ts";
import type { Problem } from "../../src/model/problem.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { compareTexts, type HubObject } from "./hub-object.ts";
import { sameList, sameMap } from "./keep-previous.ts";
import type { NamespaceCandidates } from "./namespace-candidates.ts";
import { drainsOf } from "./obey-overrides.ts";
import { reportOn, sameReport } from "./object-report.ts";
import type { ObjectReport, SourceWarning } from "./reconciled.ts";
import type { ServedBefore } from "./served-before.ts";
import { generationsOfRoutes, type WrittenMemo } from "./serving-facts.ts";
import { asBefore, lostHosts, type SettledRoute, settleRoute } from "./settle-hosts.ts";

/** Each list is sorted by the key of the route, and the very same as long as its entries are. */
export interface NamespacePart {
  readonly settled: readonly SettledRoute[];
  readonly served: readonly Route[];
  /** Of what is served. */
  readonly hosts: readonly string[];
  readonly reports: readonly ObjectReport[];
  /** Reports on objects with the label of generated routes for which there is no source. */
  readonly forsaken: readonly ObjectReport[];
  readonly generated: readonly KubeObject[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly SourceWarning[];
  readonly drains: readonly Override[];
  /** `programmedKey` → `metadata.generation` of routes that are served as they are written. */
  readonly generations: ReadonlyMap<string, number>;
}

/** What follows from what became of one route alone. */
interface Followed {
  readonly report: ObjectReport;
  readonly drains: readonly Override[];
}

/** One for each namespace. */
export interface PartMaker {
  /**
   * @param ownerOf the route that has a host
   * @returns the part of before (===) when nothing of it has changed
   */
  make(found: NamespaceCandidates, ownerOf: (host: string) => RouteKey | undefined, before: ServedBefore): NamespacePart;
}

export function createPartMaker(): PartMaker {
  const written: WrittenMemo = new WeakMap();
  const shared = new WeakMap<Route, Route>();
  const followed = new WeakMap<SettledRoute, Followed>();
  let settledBefore: ReadonlyMap<RouteKey, SettledRoute> = new Map();
  let last: NamespacePart | undefined;

  /** Equal routes are one value, so that whoever compares by identity sees what has changed. */
  function share(route: Route, before: Route | undefined): Route {
    const known = shared.get(route);
    if (known !== undefined && (before === undefined || known === before)) return known;
    const same = before !== undefined && (before === route || JSON.stringify(before) === JSON.stringify(route)) ? before : route;
    shared.set(route, same);
    return same;
  }

  function follow(settled: SettledRoute): Followed {
    const known = followed.get(settled);
    if (known !== undefined) return known;
    const made = { report: reportOnRoute(settled), drains: drainsOf(settled) };
    followed.set(settled, made);
    return made;
  }

  return {
    make({ candidates, warnings, forsaken }, ownerOf, before) {
      const told = (key: RouteKey, next: ObjectReport): ObjectReport => {
        const known = before.report(key);
        return known !== undefined && sameReport(next, known) ? known : next;
      };
      const settled = candidates
        .map((candidate) => asBefore(settledBefore.get(candidate.unit.key), settleRoute(candidate, ownerOf)))
        .sort((a, b) => compareTexts(a.unit.key, b.unit.key));
      settledBefore = new Map(settled.map((route) => [route.unit.key, route]));
      const served = settled.flatMap(({ unit, route }) => (route === undefined ? [] : [share(route, before.route(unit.key))]));
      const next: NamespacePart = {
        settled,
        served,
        hosts: served.flatMap(({ hosts }) => hosts),
        reports: settled.map((route) => told(route.unit.key, follow(route).report)),
        forsaken: forsaken.map((hub) => told(hub.key, reportOnForsaken(hub))),
        generated: settled.flatMap(({ draft }) => draft?.object ?? []),
        problems: settled.flatMap(({ problems }) => problems),
        warnings: [...warnings, ...settled.flatMap(lostHosts)],
        drains: settled.flatMap((route) => follow(route).drains),
        generations: generationsOfRoutes(settled, written),
      };
      last = last === undefined ? next : keepPart(last, next);
      return last;
    },
  };
}

function keepPart(before: NamespacePart, next: NamespacePart): NamespacePart {
  const keep = <T>(a: readonly T[], b: readonly T[]): readonly T[] => (sameList(a, b) ? a : b);
  const part: NamespacePart = {
    settled: keep(before.settled, next.settled),
    served: keep(before.served, next.served),
    hosts: keep(before.hosts, next.hosts),
    reports: keep(before.reports, next.reports),
    forsaken: keep(before.forsaken, next.forsaken),
    generated: keep(before.generated, next.generated),
    problems: keep(before.problems, next.problems),
    warnings: sameWarnings(before.warnings, next.warnings) ? before.warnings : next.warnings,
    drains: keep(before.drains, next.drains),
    generations: sameMap(before.generations, next.generations) ? before.generations : next.generations,
  };
  return Object.entries(part).every(([name, value]) => Reflect.get(before, name) === value) ? before : part;
}

const sameWarnings = (a: readonly SourceWarning[], b: readonly SourceWarning[]): boolean =>
  a.length === b.length &&
  a.every(({ object, reason, message }, i) => object === b[i]!.object && reason === b[i]!.reason && message === b[i]!.message);

function reportOnRoute({ unit, backends, problems, isAccepted, draft }: SettledRoute): ObjectReport {
  const [namespace = "", name = ""] = unit.key.split("/");
  return reportOn(
    { kind: "GlobalRoute", namespace, name, raw: unit.hub?.raw },
    { problems, isAccepted, unsupported: unit.reading.unsupported, backends, policySource: draft?.policySource },
  );
}

/** Why an object with the label of generated routes is not accepted when no source makes it. */
export const NOT_GENERATED = "NotGenerated";

function reportOnForsaken({ namespace, name, raw }: HubObject<"GlobalRoute">): ObjectReport {
  const report = reportOn({ kind: "GlobalRoute", namespace, name, raw }, { problems: [], isAccepted: false });
  const message =
    "It has the label of routes that are made of annotations, and no annotated source has its hosts, so it will be deleted. Remove the label to keep it as your own.";
  return { ...report, accepted: { status: "False", reason: NOT_GENERATED, message } };
}
