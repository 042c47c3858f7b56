/** `v1` Service of type LoadBalancer, or one with external addresses. */
import type { Network } from "../../src/model/ip.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { textOf, textsOf } from "./fields.ts";
import { loadBalancerAddresses } from "./read-ingress.ts";
import { checkAddresses } from "./source-addresses.ts";
import { checkHosts } from "./source-hosts.ts";
import type { SourceFacts, SourceProblem } from "./source-reading.ts";

/** A Service names no host of its own. Names that ExternalDNS is told are taken; its prefix changed with its version 0.22. */
const HOST_ANNOTATIONS = ["external-dns.kubernetes.io/hostname", "external-dns.alpha.kubernetes.io/hostname"] as const;

/**
 * Addresses that its load balancer was given, else those that its owner brought along (`spec.externalIPs`). `ipMode` makes no difference to
 * clients.
 *
 * @param allow networks whose addresses are used although they are special (`--probe-allow`)
 */
export function readService(object: KubeObject, allow: readonly Network[]): SourceFacts {
  const { namespace = "", name, annotations = {} } = object.metadata;
  const type = textOf(object.spec, "type") ?? "ClusterIP";
  const given = loadBalancerAddresses(object.status);
  const brought = type === "ExternalName" ? [] : textsOf(object.spec, "externalIPs");
  const { addresses, problems: refused } = checkAddresses(type === "LoadBalancer" && given.length > 0 ? given : brought, allow);
  const named = HOST_ANNOTATIONS.flatMap((annotation) => (annotations[annotation] ?? "").split(","))
    .map((host) => host.trim().replace(/\.$/, ""))
    .filter((host) => host !== "");
  const { hosts, problems } = checkHosts(named);
  return {
    hosts,
    addresses,
    services: [`${namespace}/${name}`],
    problems: [...unreachable(type, brought.length > 0), ...problems, ...refused],
  };
}

function unreachable(type: string, hasAddresses: boolean): readonly SourceProblem[] {
  if (type === "LoadBalancer" || hasAddresses) return [];
  const message = `is of type ${type}, which has no address outside its cluster. Use type LoadBalancer, or name the Ingress in front of it.`;
  return [{ reason: "NotAddressable", message }];
}
