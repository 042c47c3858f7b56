/** One GlobalRoute from its object and its sources to what would be served of it; done again only when something of that has changed. */
import { discoveryOf } from "../../src/model/api-context.ts";
import type { Route, RouteKey } from "../../src/model/inventory.ts";
import type { ObjectOf } from "../../src/model/manifest-object.ts";
import { rolloutWeights } from "../rollout/rollout-weights.ts";
import { fieldOf } from "../sources/fields.ts";
import type { ClusterSources } from "../sources/read-cluster.ts";
import { type ConvertedRoute, convertRoute, remainsOf } from "./convert-route.ts";
import type { Environment } from "./environment.ts";
import type { HubObject, Reading } from "./hub-object.ts";
import type { JoiningSource } from "./joining-source.ts";
import { sameList } from "./keep-previous.ts";
import type { BackendReport } from "./reconciled.ts";
import { type AssembledBackends, assembleBackends, type ServedBackends } from "./route-backends.ts";
import type { ServedBefore } from "./served-before.ts";

/** A route that there should be: people's own, or a generated one. */
export interface RouteUnit {
  readonly key: RouteKey;
  readonly hub: HubObject<"GlobalRoute"> | undefined;
  /** Of the object whose spec counts: the hub's, or the one that is generated. */
  readonly reading: Reading<"GlobalRoute">;
  readonly joined: readonly JoiningSource[];
}

export interface RouteWork {
  readonly assembled: AssembledBackends;
  readonly converted: ConvertedRoute;
  /** What stays of the route that is served, when the object has errors. */
  readonly remains: Route | undefined;
  /** Where the backends of `remains` come from. */
  readonly remaining: readonly BackendReport[];
}

export interface World {
  readonly environment: Environment;
  /** By name of the cluster. */
  readonly sources: ReadonlyMap<string, ClusterSources>;
  /** Changes when another kind of another cluster has been read, or a cluster can be asked again or not any more. */
  readonly reach: string;
  readonly before: ServedBefore;
}

export interface RouteWorker {
  work(unit: RouteUnit, world: World): RouteWork;
  /** Forgets routes that are gone. */
  keep(keys: ReadonlySet<RouteKey>): void;
}

const NO_BACKENDS: AssembledBackends = { backends: [], reports: [], sources: new Map() };

export function createRouteWorker(): RouteWorker {
  const known = new Map<
    RouteKey,
    { readonly inputs: readonly unknown[]; readonly before: Route | undefined; readonly served: ServedBackends; readonly result: RouteWork }
  >();
  return {
    work(unit, world) {
      const before = world.before.route(unit.key);
      const served = world.before.backends(unit.key, unit.hub);
      const last = known.get(unit.key);
      const inputs = last !== undefined && areStill(last.inputs, unit, world) ? last.inputs : inputsOf(unit, world);
      if (last !== undefined && last.inputs === inputs) {
        if (last.before === before && last.served === served) return last.result;
        if (isOwnResult(last.result, before, served)) {
          const result = { ...last.result, remains: before };
          known.set(unit.key, { inputs, before, served, result });
          return result;
        }
      }
      const result = workOut(unit, world, before, served);
      known.set(unit.key, { inputs, before, served, result });
      return result;
    },
    keep(keys) {
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key);
    },
  };
}

/** What is served now is what was worked out last: from that the same comes again. */
const isOwnResult = ({ assembled, converted }: RouteWork, before: Route | undefined, served: ServedBackends): boolean =>
  before !== undefined && before === converted.route && served.backends === before.backends && served.reports === assembled.reports;

/** Everything that {@link workOut} looks at, but for what is served now. */
function inputsOf({ reading, hub, joined }: RouteUnit, world: World): readonly unknown[] {
  const { object } = reading;
  const inputs: unknown[] = [reading, world.environment, world.reach, ...joined];
  for (const { cluster, sourceRef } of object?.spec.backends ?? []) {
    if (sourceRef !== undefined) inputs.push(world.sources.get(cluster)?.find(sourceRef.kind, object?.namespace ?? "", sourceRef.name));
  }
  if (object?.spec.rollout !== undefined) inputs.push(JSON.stringify(fieldOf(hub?.raw.status, "rollout")));
  return inputs;
}

/** Whether {@link inputsOf} would give the same again. */
function areStill(inputs: readonly unknown[], unit: RouteUnit, world: World): boolean {
  const { reading, joined } = unit;
  const { spec } = reading.object ?? {};
  // Of most routes these are all: thousands are looked at in each pass.
  if (spec === undefined || (spec.backends.length === 0 && spec.rollout === undefined)) {
    if (inputs.length !== 3 + joined.length) return false;
    if (inputs[0] !== reading || inputs[1] !== world.environment || inputs[2] !== world.reach) return false;
    return joined.every((source, i) => source === inputs[3 + i]);
  }
  return sameList(inputs, inputsOf(unit, world));
}

function workOut(
  { reading, hub, joined }: RouteUnit,
  { environment, sources }: World,
  before: Route | undefined,
  served: ServedBackends,
): RouteWork {
  const { object } = reading;
  const remains = before && remainsOf(before, environment);
  if (object === undefined) {
    const converted = { route: undefined, problems: [], isAnswered: false };
    return { assembled: NO_BACKENDS, converted, remains, remaining: remainingReports(remains, NO_BACKENDS, served) };
  }
  const mayJoin = discoveryOf(object.spec) === "SameNamespace" ? joined : [];
  const assembled = assembleBackends(object, mayJoin, { environment, sources, served });
  const converted = convertRoute(withBackends(object, assembled, hub), environment);
  return { assembled, converted, remains, remaining: remainingReports(remains, assembled, served) };
}

/** Today's word on backends, and the last one on those that are not looked at any more. */
function remainingReports(remains: Route | undefined, { reports }: AssembledBackends, served: ServedBackends): readonly BackendReport[] {
  const isNew = ({ name, cluster }: { readonly name: string; readonly cluster: string }): boolean =>
    !reports.some((report) => report.name === name && report.cluster === cluster);
  const kept = served.reports.filter(
    (report) => isNew(report) && remains?.backends.some(({ name, cluster }) => name === report.name && cluster === report.cluster),
  );
  return kept.length === 0 ? reports : [...reports, ...kept];
}

/** Backends that still have no address keep their place in the list, so that messages point to where they stand in the spec. */
function withBackends(
  object: ObjectOf<"GlobalRoute">,
  { backends }: AssembledBackends,
  hub: HubObject<"GlobalRoute"> | undefined,
): ObjectOf<"GlobalRoute"> {
  const { spec } = object;
  const weights = rolloutWeights(spec.rollout, fieldOf(hub?.raw.status, "rollout"));
  const filled = new Map(backends.map((backend) => [backend.name, backend]));
  const listed = spec.backends.map((backend) => filled.get(backend.name) ?? backend);
  const names = new Set(listed.map(({ name }) => name));
  const all = [...listed, ...backends.filter(({ name }) => !names.has(name))];
  return {
    ...object,
    spec: { ...spec, backends: all.map((backend) => ({ ...backend, weight: weights.get(backend.name) ?? backend.weight })) },
  };
}
