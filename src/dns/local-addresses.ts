/** Wildcard listen addresses as the machine's own addresses. Pure. */
import type { NetworkInterfaceInfo } from "node:os";
import type { ListenAddress } from "../model/listen-address.ts";

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/**
 * Replaces `0.0.0.0` and `::` by every address of that family that the machine has now: a UDP answer must come from the address that was
 * asked, and a socket bound to one address is the only portable way to be sure. Link-local addresses are left out. An address that comes
 * later (a floating one) has to be named.
 *
 * @returns each address once, in the order given
 */
export function expandWildcards(listen: readonly ListenAddress[], interfaces: Interfaces): readonly ListenAddress[] {
  const known = Object.values(interfaces).flatMap((one) => one ?? []);
  const expanded = listen.flatMap(({ address, port }): readonly ListenAddress[] => {
    if (address !== "0.0.0.0" && address !== "::") return [{ address, port }];
    const family = address === "::" ? "IPv6" : "IPv4";
    return known
      .filter((one) => one.family === family && !/^(fe80:|169\.254\.)/i.test(one.address))
      .map((one) => ({ address: one.address, port }));
  });
  return [...new Map(expanded.map((one) => [`${one.address} ${one.port}`, one])).values()];
}
