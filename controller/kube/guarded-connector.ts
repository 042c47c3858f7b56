/** Connects to servers that others named, and refuses addresses behind which there could be something of ours. */
import { type LookupAddress, type LookupAllOptions, lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { buildConnector } from "undici";
import { forbiddenAddress } from "../../health/probes/address-check.ts";
import type { Network } from "../../src/model/ip.ts";
import { ADDRESS_FORBIDDEN } from "./network-failure.ts";

/** Why an API server may not be at this address; undefined when it may. */
export const forbiddenServer = (address: string, allow: readonly Network[]): string | undefined =>
  forbiddenAddress(address, 0, { allow, refuse: [] });

/** Resolves a name to all its addresses. */
export type LookupAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, found: readonly LookupAddress[]) => void,
) => void;

/**
 * A connector for undici. The address is checked after it was resolved, each time, and the checked one is dialled: a name that points
 * elsewhere a moment later gains nothing.
 */
export function guardedConnector(
  allow: readonly Network[],
  options: buildConnector.BuildOptions,
  lookup: LookupAll = systemLookup,
): buildConnector.connector {
  const checkedLookup: LookupFunction = (hostname, lookupOptions, callback) => {
    lookup(hostname, { ...lookupOptions, all: true }, (error, found) => {
      if (error !== null) return callback(error, "", 0);
      const usable = found.filter(({ address }) => forbiddenServer(address, allow) === undefined);
      const first = usable[0];
      if (first === undefined) return callback(refusal(hostname, found[0]?.address ?? "", allow), "", 0);
      return lookupOptions.all === true ? callback(null, [...usable]) : callback(null, first.address, first.family);
    });
  };
  const connect = buildConnector({ ...options, lookup: checkedLookup });
  return (target, callback) => {
    const literal = target.hostname.replace(/^\[|\]$/g, "");
    if (isIP(literal) !== 0 && forbiddenServer(literal, allow) !== undefined) return callback(refusal(literal, literal, allow), null);
    return connect(target, callback);
  };
}

function refusal(name: string, address: string, allow: readonly Network[]): NodeJS.ErrnoException {
  const what = address === "" ? "no address" : (forbiddenServer(address, allow) ?? "no address");
  const error: NodeJS.ErrnoException = new Error(`${name === address ? name : `${name} (${address})`} is a forbidden address: ${what}`);
  error.code = ADDRESS_FORBIDDEN;
  return error;
}
