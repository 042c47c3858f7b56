/** `gateway.networking.k8s.io/v1` Gateway. */
import type { Network } from "../../src/model/ip.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { listOf, textOf } from "./fields.ts";
import { checkAddresses } from "./source-addresses.ts";
import { checkHosts } from "./source-hosts.ts";
import type { SourceFacts, SourceProblem } from "./source-reading.ts";

/**
 * Hosts of its listeners, and the addresses that its controller has given it. `NamedAddress` and types of a controller's own mean nothing
 * to DNS, and are told.
 *
 * @param allow networks whose addresses are used although they are special (`--probe-allow`)
 */
export function readGateway(object: KubeObject, allow: readonly Network[]): SourceFacts {
  const { hosts, problems } = checkHosts(listOf(object.spec, "listeners").flatMap((listener) => textOf(listener, "hostname") ?? []));
  const { texts, unusable } = gatewayAddresses(object);
  const { addresses, problems: refused } = checkAddresses(texts, allow);
  return { hosts, addresses, services: [], problems: [...problems, ...unusable, ...refused] };
}

/** `status.addresses`, as texts. The type defaults to IPAddress. */
export function gatewayAddresses(gateway: KubeObject): { readonly texts: readonly string[]; readonly unusable: readonly SourceProblem[] } {
  const unusable: SourceProblem[] = [];
  const texts = listOf(gateway.status, "addresses").flatMap((entry) => {
    const value = textOf(entry, "value");
    if (value === undefined) return [];
    const type = textOf(entry, "type") ?? "IPAddress";
    if (type === "IPAddress" || type === "Hostname") return [value];
    const message = `the address ${JSON.stringify(value)} is of type ${type}, which means nothing to DNS. Give the Gateway an IPAddress or a Hostname.`;
    unusable.push({ reason: "NotAddressable", message });
    return [];
  });
  return { texts, unusable };
}
