/** `networking.k8s.io/v1` Ingress. */
import type { Network } from "../../src/model/ip.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { fieldOf, listOf, textOf, textsOf, unique } from "./fields.ts";
import { checkAddresses } from "./source-addresses.ts";
import { checkHosts } from "./source-hosts.ts";
import type { SourceFacts } from "./source-reading.ts";

/**
 * Hosts of the rules, then those that only `tls` names. An empty `status.loadBalancer` means that no controller has given it an address
 * yet, not that it is down; while controllers are exchanged it has the addresses of both.
 *
 * @param allow networks whose addresses are used although they are special (`--probe-allow`)
 */
export function readIngress(object: KubeObject, allow: readonly Network[]): SourceFacts {
  const rules = listOf(object.spec, "rules");
  const named = [
    ...rules.flatMap((rule) => textOf(rule, "host") ?? []),
    ...listOf(object.spec, "tls").flatMap((entry) => textsOf(entry, "hosts")),
  ];
  const { hosts, problems } = checkHosts(named);
  const checked = checkAddresses(loadBalancerAddresses(object.status), allow);
  const backends = [
    fieldOf(object.spec, "defaultBackend"),
    ...rules.flatMap((rule) => listOf(rule, "http", "paths").map((path) => fieldOf(path, "backend"))),
  ];
  const services = unique(backends.flatMap((backend) => textOf(backend, "service", "name") ?? []));
  return {
    hosts,
    addresses: checked.addresses,
    services: services.map((name) => `${object.metadata.namespace ?? ""}/${name}`),
    problems: [...problems, ...checked.problems],
  };
}

/** `status.loadBalancer.ingress[].ip` and `.hostname`, of an Ingress or of a Service. */
export const loadBalancerAddresses = (status: unknown): readonly string[] =>
  listOf(status, "loadBalancer", "ingress").flatMap((entry) => textOf(entry, "ip") ?? textOf(entry, "hostname") ?? []);
