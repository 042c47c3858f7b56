/** Addresses as member clusters report them: what must never be answered or probed is left out and told. */
import { type AddressPolicy, forbiddenAddress } from "../../health/probes/address-check.ts";
import { parseAddress } from "../../src/model/address.ts";
import { type Network, parseIp } from "../../src/model/ip.ts";
import { unique } from "./fields.ts";
import type { SourceProblem } from "./source-reading.ts";

/** As many as a backend of a GlobalRoute can hold. */
const MOST_ADDRESSES = 64;

export interface CheckedAddresses {
  readonly addresses: readonly string[];
  readonly problems: readonly SourceProblem[];
}

/**
 * Whoever may write a status in a member cluster could otherwise have us answer with, and knock at, loopback or a metadata service.
 *
 * @param texts as they stand in the object: IP addresses and host names
 * @param allow networks that are used all the same (`--probe-allow`)
 */
export function checkAddresses(texts: readonly string[], allow: readonly Network[]): CheckedAddresses {
  const policy: AddressPolicy = { allow, refuse: [] };
  const problems: SourceProblem[] = [];
  const refuse = (text: string, why: string): readonly string[] => {
    problems.push({ reason: "AddressRefused", message: `the address ${JSON.stringify(text)} ${why}` });
    return [];
  };
  const addresses = texts.flatMap((text) => {
    const address = parseAddress(text.endsWith(".") ? text.slice(0, -1).toLowerCase() : text.toLowerCase());
    if ("fault" in address) return refuse(text, `${address.fault.message}. ${address.fault.remedy}`);
    if (parseIp(address.value) === undefined) return clusterName(address.value) ? refuse(text, INSIDE) : [address.value];
    const forbidden = forbiddenAddress(address.value, 0, policy);
    if (forbidden === undefined) return [address.value];
    return refuse(text, `is ${forbidden}, which no client outside its own machine can mean. Correct the status, or pass --probe-allow.`);
  });
  const once = unique(addresses);
  if (once.length > MOST_ADDRESSES) {
    const message = `has ${once.length} addresses, and the first ${MOST_ADDRESSES} count. Put a load balancer in front.`;
    problems.push({ reason: "AddressRefused", message });
  }
  return { addresses: once.slice(0, MOST_ADDRESSES), problems };
}

const INSIDE = "is a name that exists only inside a cluster. Use the name that clients outside resolve.";

/** Names that resolvers on our side of the network would look up somewhere else than the cluster does. */
const clusterName = (name: string): boolean => /(^|\.)(localhost|local|internal|svc|localdomain)$/.test(name) || !name.includes(".");
