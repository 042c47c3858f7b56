/** The machine's recursive resolvers, as the flattener wants them. */
import { Resolver } from "node:dns/promises";
import type { HostResolver } from "./flatten.ts";

/** Milliseconds for one server's first try; c-ares lengthens later ones. */
const TIMEOUT = 2000;
const TRIES = 2;

/**
 * Asks over the network, without the machine's hosts file. Errors carry c-ares' codes (`ENOTFOUND`, `ENODATA`, `ETIMEOUT`, …).
 *
 * @param servers addresses, with a port if it is not 53; the machine's own configuration if not given
 */
export function createHostResolver(servers?: readonly string[]): HostResolver {
  const resolver = new Resolver({ timeout: TIMEOUT, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  return {
    resolve4: (name) => resolver.resolve4(name, { ttl: true }),
    resolve6: (name) => resolver.resolve6(name, { ttl: true }),
    resolveCname: (name) => resolver.resolveCname(name),
    close: () => resolver.cancel(),
  };
}
