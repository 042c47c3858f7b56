/**
 * All GlobalRoutes of a pass, namespace by namespace. Routes of different namespaces have nothing in common but hosts that several ask for,
 * so that a pass looks only at those in which something has changed.
 */
import { byNamespace } from "./by-namespace.ts";
import { type Claim, createHostClaims } from "./host-claims.ts";
import { compareTexts, type HubObject } from "./hub-object.ts";
import type { JoiningSource } from "./joining-source.ts";
import { sameList } from "./keep-previous.ts";
import {
  type Candidate,
  type CandidateFinder,
  createCandidateFinder,
  type NamespaceCandidates,
  type NamespaceInput,
} from "./namespace-candidates.ts";
import { createPartMaker, type NamespacePart, type PartMaker } from "./namespace-part.ts";
import type { Reconciled } from "./reconciled.ts";
import type { World } from "./route-work.ts";
import { isConfirmed } from "./served-before.ts";

export interface RoutePassInput {
  /** By namespace, as are the next; the same lists (===) for as long as their entries are. */
  readonly routes: ReadonlyMap<string, readonly HubObject<"GlobalRoute">[]>;
  readonly joining: ReadonlyMap<string, readonly JoiningSource[]>;
  readonly world: World;
  readonly previous: Reconciled | undefined;
  /** Whether `previous` is what the last run's parts were made into. */
  readonly followsLast: boolean;
  readonly isUnread: (sourceId: string) => boolean;
}

export interface RoutePasses {
  /** @returns in the order of their routes' keys; parts of which nothing has changed are those of before (===) */
  run(input: RoutePassInput): readonly NamespacePart[];
}

/** What is kept of a namespace's input: the whole of it would keep the world of that time, for each namespace another. */
interface Asked extends Pick<NamespaceInput, "routes" | "joining">, Pick<World, "environment" | "reach"> {
  /** Of each cluster; only of a namespace some of whose routes name sources. */
  readonly sources: readonly unknown[] | undefined;
}

interface Known {
  readonly asked: Asked;
  readonly found: NamespaceCandidates;
  readonly part: NamespacePart;
  /** From what is served now the same follows again. */
  readonly isSettled: boolean;
}

interface Namespace {
  readonly finder: CandidateFinder;
  readonly maker: PartMaker;
  last: Known | undefined;
}

const NONE: readonly never[] = [];

export function createRoutePasses(): RoutePasses {
  const namespaces = new Map<string, Namespace>();
  const claims = createHostClaims();
  let order: readonly string[] = [];

  /** @returns names of all namespaces in which something is or was, in the order of the keys of their routes */
  function present({ routes, joining, followsLast }: RoutePassInput, generated: ReadonlyMap<string, unknown>): readonly string[] {
    const names = new Set([...routes.keys(), ...joining.keys()]);
    if (followsLast) for (const [name, { last }] of namespaces) if (last !== undefined && last.part.generated.length > 0) names.add(name);
    for (const name of generated.keys()) names.add(name);
    if (names.size !== order.length || !order.every((name) => names.has(name))) {
      order = [...names].sort((a, b) => compareTexts(`${a}/`, `${b}/`));
    }
    return order;
  }

  function forget(names: readonly string[]): void {
    if (names.length === namespaces.size) return;
    const kept = new Set(names);
    for (const name of namespaces.keys()) {
      if (kept.has(name)) continue;
      namespaces.delete(name);
      claims.put(name, []);
    }
  }

  return {
    run(pass) {
      const { world, followsLast, isUnread } = pass;
      const generated = followsLast
        ? new Map<string, never>()
        : byNamespace(pass.previous?.generated ?? [], ({ metadata }) => metadata.namespace ?? "");
      const names = present(pass, generated);
      const steps = names.map((name) => {
        const namespace = namespaces.get(name) ?? { finder: createCandidateFinder(), maker: createPartMaker(), last: undefined };
        namespaces.set(name, namespace);
        const { last } = namespace;
        const input: NamespaceInput = {
          namespace: name,
          routes: pass.routes.get(name) ?? NONE,
          joining: pass.joining.get(name) ?? NONE,
          generatedBefore: (followsLast ? last?.part.generated : generated.get(name)) ?? NONE,
          world,
          isUnread,
        };
        if (followsLast && last?.isSettled === true && isAsBefore(last, input)) return { namespace, input, found: last.found };
        const found = namespace.finder.find(input);
        claims.put(name, found.candidates.map(claimOf));
        return { namespace, input, found };
      });
      forget(names);

      const { before } = world;
      const disputed = claims.settle(before.holderOf);
      return steps.map(({ namespace, input, found }) => {
        const { last } = namespace;
        if (last?.found === found && !disputed.has(input.namespace)) return last.part;
        const part = namespace.maker.make(found, claims.ownerOf, before);
        namespace.last = { asked: askedOf(input, found), found, part, isSettled: followsLast && last?.part === part };
        return part;
      });
    },
  };
}

const askedOf = ({ routes, joining, world }: NamespaceInput, { hasReferences }: NamespaceCandidates): Asked => ({
  routes,
  joining,
  environment: world.environment,
  reach: world.reach,
  sources: hasReferences ? [...world.sources.values()] : undefined,
});

/**
 * Whether the input leads to the same again, what is served being the same. What was generated before is the part's own, and which sources
 * are unread follows from the environment and the reach.
 */
const isAsBefore = ({ asked }: Known, { routes, joining, world }: NamespaceInput): boolean =>
  asked.routes === routes &&
  asked.joining === joining &&
  asked.environment === world.environment &&
  asked.reach === world.reach &&
  (asked.sources === undefined || sameList(asked.sources, [...world.sources.values()]));

const claimOf = ({ unit, work: { converted, remains } }: Candidate): Claim => ({
  key: unit.key,
  hosts: (converted.route ?? remains)?.hosts ?? [],
  isConfirmed: unit.hub !== undefined && converted.route !== undefined && isConfirmed(unit.hub),
  created: unit.hub?.raw.metadata.creationTimestamp ?? "",
});
