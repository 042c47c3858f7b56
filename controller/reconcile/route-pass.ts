/** All GlobalRoutes of a pass: which there are, what each is made of, and who has which host. */
import type { Route, RouteKey } from "../../src/model/inventory.ts";
import type { Problem } from "../../src/model/problem.ts";
import { readApiObject } from "../../src/model/read-api-object.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { createDrafter, type Draft, generatedObject, policyWarnings, type StoredRoute } from "./generated-routes.ts";
import { settleClaims } from "./host-claims.ts";
import { type HubObject, isGenerated, type Reading } from "./hub-object.ts";
import { addOnce, joinListed, listHosts, push } from "./join-routes.ts";
import { type JoiningSource, warningOn } from "./joining-source.ts";
import { sameList } from "./keep-previous.ts";
import { keyOfObject } from "./object-keys.ts";
import type { BackendReport, Reconciled, SourceWarning } from "./reconciled.ts";
import { createRouteWorker, type RouteUnit, type RouteWork, type World } from "./route-work.ts";
import { isConfirmed } from "./served-before.ts";

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

/** A draft with the object that it is written as. */
export interface WrittenDraft extends Draft {
  readonly object: KubeObject;
  readonly text: string;
}

export interface RoutePass {
  /** Sorted by key. */
  readonly settled: readonly SettledRoute[];
  readonly warnings: readonly SourceWarning[];
  /** Objects with the label of generated routes for which there is no source. */
  readonly forsaken: readonly HubObject<"GlobalRoute">[];
}

export interface RoutePassInput {
  readonly routes: readonly HubObject<"GlobalRoute">[];
  readonly joining: readonly JoiningSource[];
  readonly world: World;
  readonly previous: Reconciled | undefined;
  readonly isUnread: (sourceId: string) => boolean;
}

export interface RoutePasses {
  run(input: RoutePassInput): RoutePass;
}

export function createRoutePasses(): RoutePasses {
  const worker = createRouteWorker();
  const drafter = createDrafter();
  const draftReadings = new WeakMap<KubeObject, Reading<"GlobalRoute">>();
  /** Equal drafts keep their object, so that nothing is read or worked out anew. */
  let written = new Map<RouteKey, WrittenDraft>();
  let settledBefore: ReadonlyMap<RouteKey, SettledRoute> = new Map();

  function writeDrafts(drafts: readonly Draft[]): readonly WrittenDraft[] {
    const all = drafts.map((draft) => {
      const before = written.get(draft.key);
      const isSame = before?.policy === draft.policy && before.policySource === draft.policySource && sameList(before.hosts, draft.hosts);
      if (isSame) return before;
      const object = generatedObject(draft);
      const text = JSON.stringify(object);
      return { ...draft, text, object: before?.text === text ? before.object : object };
    });
    written = new Map(all.map((draft) => [draft.key, draft]));
    return all;
  }

  /** The value of the pass before, if nothing of it has changed: whoever remembers what follows from it finds it again. */
  function settledAsBefore(route: SettledRoute): SettledRoute {
    const before = settledBefore.get(route.unit.key);
    return before !== undefined && isSameSettled(before, route) ? before : route;
  }

  function readDraft(object: KubeObject): Reading<"GlobalRoute"> {
    const known = draftReadings.get(object);
    if (known !== undefined) return known;
    const { object: read, problems, unsupported } = readApiObject(object);
    const reading = { object: read?.kind === "GlobalRoute" ? read : undefined, problems, unsupported };
    draftReadings.set(object, reading);
    return reading;
  }

  return {
    run({ routes, joining, world, previous, isUnread }) {
      const own = routes.filter((route) => !isGenerated(route));
      const generated = new Map(routes.flatMap((route) => (isGenerated(route) ? [[route.key, route]] : [])));
      const listed = listHosts(own, world.before.route);
      const { byRoute, warnings } = joinListed(joining, listed);
      const candidates = own.map((hub) => {
        const unit: RouteUnit = { key: hub.key, hub, reading: hub.reading, joined: byRoute.get(hub.key) ?? [] };
        return { unit, work: worker.work(unit, world), draft: undefined };
      });

      // A route that cannot be served at all must not take hosts from one that is.
      const dead = new Set(candidates.flatMap(({ unit, work }) => ((work.converted.route ?? work.remains) ? [] : [unit.key])));
      const ownKeys = new Set(own.map(({ key }) => key));
      const drafts = writeDrafts(
        drafter.draft({
          reach: [world.environment, world.reach, ...own, ...own.map(({ key }) => world.before.route(key)), ...dead],
          joining,
          stored: storedRoutes(generated, previous, world),
          isListed: (namespace, host) => {
            const key = listed.routeOf(namespace, host)?.key;
            return key !== undefined && !dead.has(key);
          },
          isNameTaken: (namespace, name) => ownKeys.has(`${namespace}/${name}`),
          isUnread,
        }),
      );
      const joinedDrafts = joinDrafts(joining, drafts);
      const made = drafts.map((draft) => {
        const { key, object } = draft;
        const unit: RouteUnit = { key, hub: generated.get(key), reading: readDraft(object), joined: joinedDrafts.get(key) ?? [] };
        return { unit, work: worker.work(unit, world), draft };
      });
      const all = [...candidates, ...made];
      const keys = new Set(all.map(({ unit }) => unit.key));
      worker.keep(keys);

      const settled = settle(all, world).map(settledAsBefore);
      settledBefore = new Map(settled.map((route) => [route.unit.key, route]));
      return {
        settled: settled.sort((a, b) => (a.unit.key < b.unit.key ? -1 : 1)),
        warnings: [
          ...warnings,
          ...candidates.flatMap(({ unit }) => policyWarnings(unit.key, unit.joined, undefined)),
          ...made.flatMap(({ unit, draft }) => draftWarnings(unit, draft)),
          ...settled.flatMap(lostHosts),
        ],
        forsaken: [...generated.values()].filter(({ key }) => !keys.has(key)),
      };
    },
  };
}

/** Generated routes of the hub, and those of the pass before that have not got there yet. */
function storedRoutes(
  generated: ReadonlyMap<RouteKey, HubObject<"GlobalRoute">>,
  previous: Reconciled | undefined,
  { before }: World,
): readonly StoredRoute[] {
  // The hub's copy may be older than what was made here.
  const made = new Map((previous?.generated ?? []).map((object) => [keyOfObject(object), object.spec]));
  const onHub = [...generated.values()].map((hub) => ({
    namespace: hub.namespace,
    name: hub.name,
    created: hub.raw.metadata.creationTimestamp ?? "",
    spec: made.get(hub.key) ?? hub.raw.spec,
    policySource: before.policySource(hub.key, hub),
  }));
  const notYet = (previous?.generated ?? []).flatMap((object) => {
    const key = keyOfObject(object);
    if (generated.has(key)) return [];
    const { namespace = "", name } = object.metadata;
    return [{ namespace, name, created: "", spec: object.spec, policySource: before.policySource(key, undefined) }];
  });
  return [...onHub, ...notYet];
}

function joinDrafts(joining: readonly JoiningSource[], drafts: readonly Draft[]): ReadonlyMap<RouteKey, readonly JoiningSource[]> {
  const byHost = new Map<string, Map<string, RouteKey>>();
  for (const { namespace, hosts, key } of drafts) for (const host of hosts) addOnce(byHost, namespace, host, key);
  const byRoute = new Map<RouteKey, JoiningSource[]>();
  for (const source of joining) {
    const routes = byHost.get(source.reading.namespace);
    for (const host of routes === undefined ? [] : source.hosts) {
      const key = routes?.get(host);
      if (key !== undefined) push(byRoute, key, source);
    }
  }
  return byRoute;
}

function draftWarnings({ key, joined }: RouteUnit, { policySource }: Draft): readonly SourceWarning[] {
  if (joined.length < 2) return [];
  const incumbent = joined.find(({ id }) => id === policySource);
  return incumbent === undefined ? [] : policyWarnings(key, joined, incumbent);
}

interface Candidate {
  readonly unit: RouteUnit;
  readonly work: RouteWork;
  readonly draft: WrittenDraft | undefined;
}

/** Gives each host to one route. Who asks for another's is refused as a whole, but for generated routes, which go without it. */
function settle(all: readonly Candidate[], { before }: World): SettledRoute[] {
  const owners = settleClaims(
    all.map(({ unit, work: { converted, remains } }) => ({
      key: unit.key,
      hosts: (converted.route ?? remains)?.hosts ?? [],
      isConfirmed: unit.hub !== undefined && converted.route !== undefined && isConfirmed(unit.hub),
      created: unit.hub?.raw.metadata.creationTimestamp ?? "",
    })),
    before.holderOf,
  );
  return all.map(({ unit, work, draft }) => {
    const { converted, remains } = work;
    const problems = converted.problems.length === 0 ? unit.reading.problems : [...unit.reading.problems, ...converted.problems];
    const has = (host: string): boolean => (owners.get(host)?.key ?? unit.key) === unit.key;
    const { route } = converted;
    const backends = work.assembled.reports;
    if (route?.hosts.every(has) === true) return { unit, work, draft, route, problems, backends, isAccepted: converted.isAnswered };
    const lost = (route?.hosts ?? []).filter((host) => !has(host));
    if (route !== undefined && draft !== undefined) {
      const left = withHosts(route, has);
      const severity = left === undefined ? "error" : "warning";
      const told = [...problems, ...lost.map((host) => overlap(unit, host, owners.get(host)?.key ?? "", severity))];
      return { unit, work, draft, route: left, problems: told, backends, isAccepted: left !== undefined && converted.isAnswered };
    }
    const overlaps = lost.map((host) => overlap(unit, host, owners.get(host)?.key ?? "", "error"));
    const told = [...problems, ...overlaps];
    return { unit, work, draft, route: remains && withHosts(remains, has), problems: told, backends: work.remaining, isAccepted: false };
  });
}

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
function lostHosts({ unit, work, route, draft }: SettledRoute): readonly SourceWarning[] {
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
