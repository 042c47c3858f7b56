/** HTTPRoute, GRPCRoute and TLSRoute of the Gateway API: hosts that they share with their listeners, addresses of the Gateways that took them. */
import type { Network } from "../../src/model/ip.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { fieldOf, listOf, textOf, textsOf, unique } from "./fields.ts";
import { gatewayAddresses } from "./read-gateway.ts";
import { checkAddresses } from "./source-addresses.ts";
import { checkHosts, intersectHosts } from "./source-hosts.ts";
import type { SourceFacts, SourceProblem } from "./source-reading.ts";

const GATEWAY_GROUP = "gateway.networking.k8s.io";

/** Which part of which Gateway a route attaches to. */
interface ParentRef {
  /** `namespace/name` */
  readonly gateway: string;
  readonly sectionName: string | undefined;
  readonly port: number | undefined;
}

/**
 * Hosts are those that the route and a listener have in common, whether or not the Gateway has taken the route; addresses are those of the
 * Gateways that have (`Accepted` and `ResolvedRefs`). A parent that is no Gateway (a Service, for a mesh) is not looked at.
 *
 * @param gateways by `namespace/name`; undefined while they have not been read
 * @param allow    networks whose addresses are used although they are special (`--probe-allow`)
 */
export function readGatewayRoute(
  object: KubeObject,
  gateways: ReadonlyMap<string, KubeObject> | undefined,
  allow: readonly Network[],
): SourceFacts {
  const own = object.metadata.namespace ?? "";
  const problems: SourceProblem[] = [];
  const names = textsOf(object.spec, "hostnames");
  const hosts: string[] = [];
  const addresses: string[] = [];
  for (const raw of listOf(object.spec, "parentRefs")) {
    const parent = toParentRef(raw, own);
    if (parent === undefined) continue;
    const gateway = gateways?.get(parent.gateway);
    if (gateway === undefined) {
      hosts.push(...names); // what its listeners would leave of them is not known
      if (gateways !== undefined) problems.push(missing(parent.gateway));
      continue;
    }
    hosts.push(...sharedHosts(names, listenersOf(gateway, parent)));
    const refusal = refusalOf(object, parent, own);
    if (refusal !== undefined) {
      problems.push({ reason: "NotAccepted", message: `Gateway ${parent.gateway} ${refusal}` });
      continue;
    }
    const { texts, unusable } = gatewayAddresses(gateway);
    addresses.push(...texts);
    problems.push(...unusable);
  }
  const checkedHosts = checkHosts(hosts);
  const checkedAddresses = checkAddresses(unique(addresses), allow);
  return {
    hosts: checkedHosts.hosts,
    addresses: checkedAddresses.addresses,
    services: servicesOf(object, own),
    problems: [...problems, ...checkedHosts.problems, ...checkedAddresses.problems],
  };
}

/** `namespace/name` of the Gateways that a route names as parents: what its reading depends on besides itself. */
export const parentGateways = (object: KubeObject): readonly string[] =>
  unique(listOf(object.spec, "parentRefs").flatMap((raw) => toParentRef(raw, object.metadata.namespace ?? "")?.gateway ?? []));

function toParentRef(raw: unknown, own: string): ParentRef | undefined {
  const name = textOf(raw, "name");
  const group = fieldOf(raw, "group") ?? GATEWAY_GROUP;
  const kind = fieldOf(raw, "kind") ?? "Gateway";
  if (name === undefined || group !== GATEWAY_GROUP || kind !== "Gateway") return undefined;
  const port = fieldOf(raw, "port");
  return {
    gateway: `${textOf(raw, "namespace") ?? own}/${name}`,
    sectionName: textOf(raw, "sectionName"),
    port: typeof port === "number" ? port : undefined,
  };
}

function listenersOf(gateway: KubeObject, { sectionName, port }: ParentRef): readonly unknown[] {
  return listOf(gateway.spec, "listeners").filter(
    (listener) =>
      (sectionName === undefined || textOf(listener, "name") === sectionName) && (port === undefined || fieldOf(listener, "port") === port),
  );
}

/** A side that names no host takes the other's. */
function sharedHosts(names: readonly string[], listeners: readonly unknown[]): readonly string[] {
  return listeners.flatMap((listener) => {
    const hostname = textOf(listener, "hostname");
    if (hostname === undefined) return names;
    return names.length === 0 ? [hostname] : names.flatMap((name) => intersectHosts(name, hostname) ?? []);
  });
}

/** @returns why a Gateway does not serve a route, as the rest of a sentence about it; undefined when it does */
function refusalOf(object: KubeObject, parent: ParentRef, own: string): string | undefined {
  const entries = listOf(object.status, "parents").filter((entry) => {
    const ref = toParentRef(fieldOf(entry, "parentRef"), own);
    return ref?.gateway === parent.gateway && ref.sectionName === parent.sectionName && ref.port === parent.port;
  });
  if (entries.length === 0) return "has not said yet whether it takes the route. See whether its controller runs.";
  const refusals = entries.map((entry) => {
    const conditions = listOf(entry, "conditions");
    for (const type of ["Accepted", "ResolvedRefs"]) {
      const condition = conditions.find((candidate) => textOf(candidate, "type") === type);
      if (type === "ResolvedRefs" && condition === undefined) continue; // not every controller sets it
      if (textOf(condition, "status") === "True") continue;
      const reason = textOf(condition, "reason") ?? "Pending";
      return `does not serve the route: ${type} is ${textOf(condition, "status") ?? "missing"} (${reason}). Correct the route or the Gateway.`;
    }
    return undefined;
  });
  // Two controllers may both report on one parent; one that serves it is enough.
  return refusals.includes(undefined) ? undefined : refusals[0];
}

const missing = (gateway: string): SourceProblem => ({
  reason: "GatewayMissing",
  message: `there is no Gateway ${gateway}. Correct parentRefs, or add it.`,
});

function servicesOf(object: KubeObject, own: string): readonly string[] {
  const refs = listOf(object.spec, "rules").flatMap((rule) => listOf(rule, "backendRefs"));
  return unique(
    refs.flatMap((ref) => {
      const name = textOf(ref, "name");
      const isService = (fieldOf(ref, "kind") ?? "Service") === "Service" && (fieldOf(ref, "group") ?? "") === "";
      return name === undefined || !isService ? [] : [`${textOf(ref, "namespace") ?? own}/${name}`];
    }),
  );
}
