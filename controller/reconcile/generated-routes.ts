/** GlobalRoutes made of annotations: for hosts that no route of people's lists, one for each source name of a namespace. */

import { policySpec } from "../../src/model/annotations.ts";
import { type RouteKey, routeKey } from "../../src/model/inventory.ts";
import { API_GROUP, API_VERSION } from "../../src/model/kinds.ts";
import { hashText } from "../../src/routing/hash.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { fieldOf, textsOf } from "../sources/fields.ts";
import { GENERATED_LABEL } from "./generated-label.ts";
import { compareTexts } from "./hub-object.ts";
import { type JoiningSource, warningOn } from "./joining-source.ts";
import { sameList } from "./keep-previous.ts";
import type { SourceWarning } from "./reconciled.ts";

/** One generated route as it is to be. */
export interface Draft {
  /** `namespace/name` */
  readonly key: RouteKey;
  readonly namespace: string;
  readonly name: string;
  readonly hosts: readonly string[];
  /** Id of the source whose policy counts. */
  readonly policySource: string;
  readonly policy: Policy;
}

/** A generated route that is there already: on the hub, or made in the pass before. */
export interface StoredRoute {
  readonly namespace: string;
  readonly name: string;
  /** RFC 3339; empty when it is not on the hub yet. */
  readonly created: string;
  readonly spec: unknown;
  readonly policySource: string | undefined;
}

export interface DraftInput {
  readonly namespace: string;
  /** Changes when one of the functions below may answer something else. */
  readonly reach: readonly unknown[];
  readonly joining: readonly JoiningSource[];
  readonly stored: readonly StoredRoute[];
  /** Whether people's routes of the namespace list the host. */
  readonly isListed: (host: string) => boolean;
  /** Whether people's GlobalRoute has the name. */
  readonly isNameTaken: (name: string) => boolean;
  /** Whether nobody can tell whether the source with the id is still there. */
  readonly isUnread: (id: string) => boolean;
}

/** Of one namespace. */
export interface Drafter {
  /**
   * A route that is there stays with the source that made it (the incumbent), under its name, for as long as that source is there or cannot
   * be looked at; then it goes to the oldest source that shares a host with it. What is left of hosts makes new routes, oldest sources first.
   * The order of the input makes no difference. The same drafts (===) as before where nothing has changed.
   *
   * @returns sorted by key
   */
  draft(input: DraftInput): readonly Draft[];
}

interface LastDrafts extends Pick<DraftInput, "reach" | "joining" | "stored"> {
  readonly drafts: readonly Draft[];
}

export function createDrafter(): Drafter {
  let last: LastDrafts | undefined;
  return {
    draft(input) {
      const { reach, joining, stored } = input;
      const isSame = last !== undefined && sameList(last.reach, reach) && sameAsked(last.joining, joining) && sameStored(last, stored);
      const drafts = last !== undefined && isSame ? withPolicies(last, joining) : draftNamespace(input);
      last = { reach, joining, stored, drafts };
      return drafts;
    },
  };
}

/** Whether the sources ask for the same, whatever their policies say by now. */
const sameAsked = (a: readonly JoiningSource[], b: readonly JoiningSource[]): boolean =>
  a.length === b.length && a.every((source, i) => source === b[i] || asksTheSame(source, b[i]!));

const asksTheSame = (a: JoiningSource, b: JoiningSource): boolean =>
  a.id === b.id && a.age === b.age && a.isInvalid === b.isInvalid && sameList(a.hosts, b.hosts);

/** The drafts of before with the policies of today. */
function withPolicies({ joining: before, drafts }: LastDrafts, joining: readonly JoiningSource[]): readonly Draft[] {
  const others = new Map<unknown, JoiningSource>();
  joining.forEach((source, i) => {
    if (source !== before[i]) others.set(before[i], source);
  });
  if (others.size === 0) return drafts;
  return drafts.map((draft) => {
    const policy = others.get(draft.policy);
    return policy === undefined ? draft : { ...draft, policy };
  });
}

/** Whether the routes that are there make the same drafts: of their specs only the hosts count, but where a draft keeps its spec. */
function sameStored({ stored, drafts }: LastDrafts, next: readonly StoredRoute[]): boolean {
  if (stored.length !== next.length) return false;
  const keepsSpecs = drafts.some(({ policy }) => "kept" in policy);
  return stored.every((route, i) => {
    const other = next[i]!;
    return (
      route.name === other.name &&
      route.created === other.created &&
      route.policySource === other.policySource &&
      (route.spec === other.spec || (!keepsSpecs && sameList(textsOf(route.spec, "hosts"), textsOf(other.spec, "hosts"))))
    );
  });
}

function draftNamespace({ namespace, joining, stored, isListed, isNameTaken, isUnread }: DraftInput): readonly Draft[] {
  const drafts: Draft[] = [];
  const taken = new Set<string>();
  const names = new Set<string>();
  const byAge = [...joining].sort((a, b) => compareTexts(a.age, b.age));
  const byId = new Map(joining.map((source) => [source.id, source]));
  const free = (hosts: readonly string[]) => hosts.filter((host) => !taken.has(host) && !isListed(host));
  const make = (name: string, hosts: readonly string[], policySource: string, policy: Policy) => {
    names.add(name);
    drafts.push({ key: routeKey({ namespace, name }), namespace, name, hosts, policySource, policy });
  };
  const take = (hosts: readonly string[]): readonly string[] => {
    const own = free(hosts);
    for (const host of own) taken.add(host);
    return own;
  };

  const inOrder = stored.filter(({ name }) => !isNameTaken(name)).sort((a, b) => compareTexts(storedAge(a), storedAge(b)));
  // What a route has already comes before what others would like to add.
  const kept = inOrder.flatMap(({ name, spec, policySource }): readonly Kept[] => {
    const had = new Set(textsOf(spec, "hosts"));
    const incumbent = policySource === undefined ? undefined : byId.get(policySource);
    const retained = (hosts: readonly string[]) => take(hosts.filter((host) => had.has(host)));
    if (incumbent !== undefined && !incumbent.isInvalid && free(incumbent.hosts).some((host) => had.has(host))) {
      return [{ name, had: retained(incumbent.hosts), asked: incumbent.hosts, policySource: incumbent.id, policy: incumbent }];
    }
    if (policySource !== undefined && (incumbent === undefined ? isUnread(policySource) : incumbent.isInvalid)) {
      return [{ name, had: retained([...had]), asked: [], policySource, policy: { kept: spec } }];
    }
    const heirs = byAge.filter((source) => !source.isInvalid && free(source.hosts).some((host) => had.has(host)));
    const heir = heirs.find(({ reading }) => reading.name === name) ?? heirs[0];
    return heir === undefined ? [] : [{ name, had: retained(heir.hosts), asked: heir.hosts, policySource: heir.id, policy: heir }];
  });
  for (const { name, had, asked, policySource, policy } of kept) {
    const own = new Set([...had, ...take(asked)]);
    const hosts = asked.length === 0 ? had : asked.filter((host) => own.has(host));
    if (hosts.length > 0) make(name, hosts, policySource, policy);
  }
  for (const source of byAge) {
    const { isInvalid, hosts, reading } = source;
    const left = isInvalid ? [] : free(hosts);
    if (left.length === 0) continue;
    const isUsed = (name: string) => names.has(name) || isNameTaken(name);
    const name = isUsed(reading.name) ? hashedName(reading.name, left) : reading.name;
    if (!isUsed(name)) make(name, take(left), source.id, source);
  }
  return drafts.sort((a, b) => compareTexts(a.key, b.key));
}

const storedAge = ({ created, name }: StoredRoute): string => `${created === "" ? "~" : created} ${name}`;

const hashedName = (name: string, hosts: readonly string[]): string =>
  `${name.slice(0, 244)}-${hashText([...hosts].sort().join())
    .toString(16)
    .padStart(8, "0")}`;

/** A route that goes on: the hosts that it has of those it had, and all that its source asks for. */
interface Kept {
  readonly name: string;
  readonly had: readonly string[];
  readonly asked: readonly string[];
  readonly policySource: string;
  readonly policy: Policy;
}

/** The source whose policy counts, or the spec that was made of one which cannot be read now. */
type Policy = JoiningSource | { readonly kept: unknown };

/** What of a spec annotations can say; whatever else somebody has written into a generated route is not kept. */
const POLICY_FIELDS = ["ttl", "routing", "health", "failover", "publish"] as const;

/** The object that a draft is written as. */
export function generatedObject({ namespace, name, hosts, policy }: Draft): KubeObject {
  const fields =
    "wishes" in policy
      ? policySpec(policy.wishes.policy)
      : Object.fromEntries(
          POLICY_FIELDS.flatMap((field) => (fieldOf(policy.kept, field) === undefined ? [] : [[field, fieldOf(policy.kept, field)]])),
        );
  return {
    apiVersion: `${API_GROUP}/${API_VERSION}`,
    kind: "GlobalRoute",
    metadata: { name, namespace, labels: { [GENERATED_LABEL]: "true" } },
    spec: { hosts, discovery: "SameNamespace", ...fields },
  };
}

/**
 * Warnings on sources whose policy does not count.
 *
 * @param incumbent the source whose policy the route has; undefined when the route is people's own, or its source cannot be looked at
 */
export function policyWarnings(
  route: string,
  joined: readonly JoiningSource[],
  incumbent: JoiningSource | undefined,
): readonly SourceWarning[] {
  return joined.flatMap(({ id, reading, wishes }) => {
    if (id === incumbent?.id) return [];
    const policy = Object.entries(wishes.policy);
    if (policy.length === 0) return [];
    if (incumbent === undefined) {
      const message = `${named(policy)} does nothing: GlobalRoute ${route} has a spec of its own. Write it there, or remove the annotation.`;
      return [warningOn(reading, "PolicyIgnored", message)];
    }
    const winning = new Map<string, unknown>(Object.entries(incumbent.wishes.policy));
    const other = policy.filter(([field, value]) => JSON.stringify(winning.get(field)) !== JSON.stringify(value));
    if (other.length === 0) return [];
    const message = `${named(other)} differs from that of ${incumbent.id}, which GlobalRoute ${route} goes by. Give both the same annotations, or remove them here.`;
    return [warningOn(reading, "PolicyConflict", message)];
  });
}

const named = (policy: readonly (readonly [string, unknown])[]): string =>
  policy.map(([field]) => (field === "healthPath" ? "health-path" : field)).join(", ");
