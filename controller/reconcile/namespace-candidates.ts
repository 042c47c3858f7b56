/** The GlobalRoutes of one namespace: which there are, what each is made of, and which hosts it asks for. */
import type { RouteKey } from "../../src/model/inventory.ts";
import { readApiObject } from "../../src/model/read-api-object.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { createDrafter, type Draft, generatedObject, policyWarnings, type StoredRoute } from "./generated-routes.ts";
import { type HubObject, isGenerated, type Reading } from "./hub-object.ts";
import { joinListed, listHosts, push } from "./join-routes.ts";
import type { JoiningSource } from "./joining-source.ts";
import { sameList } from "./keep-previous.ts";
import { keyOfObject } from "./object-keys.ts";
import type { SourceWarning } from "./reconciled.ts";
import { createRouteWorker, type RouteUnit, type RouteWork, type World } from "./route-work.ts";

/** A route as it would be if all hosts that it asks for were its own. */
export interface Candidate {
  readonly unit: RouteUnit;
  readonly work: RouteWork;
  /** Present on generated routes. */
  readonly draft: WrittenDraft | undefined;
}

/** A draft with the object that it is written as. */
export interface WrittenDraft extends Draft {
  readonly object: KubeObject;
  readonly text: string;
}

export interface NamespaceInput {
  readonly namespace: string;
  readonly routes: readonly HubObject<"GlobalRoute">[];
  readonly joining: readonly JoiningSource[];
  /** Made in the pass before. */
  readonly generatedBefore: readonly KubeObject[];
  readonly world: World;
  readonly isUnread: (sourceId: string) => boolean;
}

export interface NamespaceCandidates {
  readonly candidates: readonly Candidate[];
  readonly warnings: readonly SourceWarning[];
  /** Objects with the label of generated routes for which there is no source. */
  readonly forsaken: readonly HubObject<"GlobalRoute">[];
  /** Some route names sources, which it finds whether they are annotated or not. */
  readonly hasReferences: boolean;
}

/** One for each namespace. */
export interface CandidateFinder {
  find(input: NamespaceInput): NamespaceCandidates;
}

export function createCandidateFinder(): CandidateFinder {
  const worker = createRouteWorker();
  const drafter = createDrafter();
  const draftReadings = new WeakMap<KubeObject, Reading<"GlobalRoute">>();
  /** Equal drafts keep their object, so that nothing is read or worked out anew. */
  let written = new Map<RouteKey, WrittenDraft>();

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

  function readDraft(object: KubeObject): Reading<"GlobalRoute"> {
    const known = draftReadings.get(object);
    if (known !== undefined) return known;
    const { object: read, problems, unsupported } = readApiObject(object);
    const reading = { object: read?.kind === "GlobalRoute" ? read : undefined, problems, unsupported };
    draftReadings.set(object, reading);
    return reading;
  }

  return {
    find({ namespace, routes, joining, generatedBefore, world, isUnread }) {
      const own = routes.filter((route) => !isGenerated(route));
      const generated = new Map(routes.flatMap((route) => (isGenerated(route) ? [[route.key, route]] : [])));
      const listed = listHosts(own, world.before.route);
      const { byRoute, warnings } = joinListed(joining, listed);
      const people = own.map((hub): Candidate => {
        const unit: RouteUnit = { key: hub.key, hub, reading: hub.reading, joined: byRoute.get(hub.key) ?? [] };
        return { unit, work: worker.work(unit, world), draft: undefined };
      });

      // A route that cannot be served at all must not take hosts from one that is.
      const dead = new Set(people.flatMap(({ unit, work }) => ((work.converted.route ?? work.remains) ? [] : [unit.key])));
      const names = new Set(own.map(({ name }) => name));
      const drafts = writeDrafts(
        drafter.draft({
          namespace,
          reach: [world.environment, world.reach, ...own, ...own.map(({ key }) => world.before.route(key)), ...dead],
          joining,
          stored: storedRoutes(generated, generatedBefore, world),
          isListed(host) {
            const key = listed.get(host)?.key;
            return key !== undefined && !dead.has(key);
          },
          isNameTaken: (name) => names.has(name),
          isUnread,
        }),
      );
      const joinedDrafts = joinDrafts(joining, drafts);
      const made = drafts.map((draft) => {
        const { key, object } = draft;
        const unit: RouteUnit = { key, hub: generated.get(key), reading: readDraft(object), joined: joinedDrafts.get(key) ?? [] };
        return { unit, work: worker.work(unit, world), draft };
      });
      const candidates: readonly Candidate[] = [...people, ...made];
      const keys = new Set(candidates.map(({ unit }) => unit.key));
      worker.keep(keys);
      return {
        candidates,
        warnings: [
          ...warnings,
          ...people.flatMap(({ unit }) => policyWarnings(unit.key, unit.joined, undefined)),
          ...made.flatMap(({ unit, draft }) => draftWarnings(unit, draft)),
        ],
        forsaken: [...generated.values()].filter(({ key }) => !keys.has(key)),
        hasReferences: own.some(({ reading }) => reading.object?.spec.backends.some(({ sourceRef }) => sourceRef !== undefined) === true),
      };
    },
  };
}

/** Generated routes of the hub, and those of the pass before that have not got there yet. */
function storedRoutes(
  generated: ReadonlyMap<RouteKey, HubObject<"GlobalRoute">>,
  generatedBefore: readonly KubeObject[],
  { before }: World,
): readonly StoredRoute[] {
  // The hub's copy may be older than what was made here.
  const made = new Map(generatedBefore.map((object) => [keyOfObject(object), object.spec]));
  const onHub = [...generated.values()].map((hub) => ({
    namespace: hub.namespace,
    name: hub.name,
    created: hub.raw.metadata.creationTimestamp ?? "",
    spec: made.get(hub.key) ?? hub.raw.spec,
    policySource: before.policySource(hub.key, hub),
  }));
  const notYet = generatedBefore.flatMap((object) => {
    const key = keyOfObject(object);
    if (generated.has(key)) return [];
    const { namespace = "", name } = object.metadata;
    return [{ namespace, name, created: "", spec: object.spec, policySource: before.policySource(key, undefined) }];
  });
  return [...onHub, ...notYet];
}

function joinDrafts(joining: readonly JoiningSource[], drafts: readonly Draft[]): ReadonlyMap<RouteKey, readonly JoiningSource[]> {
  const byHost = new Map<string, RouteKey>();
  for (const { hosts, key } of drafts) for (const host of hosts) if (!byHost.has(host)) byHost.set(host, key);
  const byRoute = new Map<RouteKey, JoiningSource[]>();
  for (const source of joining) {
    for (const host of source.hosts) {
      const key = byHost.get(host);
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
