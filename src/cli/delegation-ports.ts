/** How servers are looked at before the zone above names them: the questions of `check zone`, over real sockets. */
import { randomInt } from "node:crypto";
import type { DelegationPorts } from "../../dns-providers/delegation/delegation-watch.ts";
import { createAsk } from "../dns/check/ask.ts";
import { exchangeOverTcp, exchangeOverUdp } from "../dns/check/exchange.ts";
import { lookAtServers } from "../dns/check/look-at-servers.ts";
import { createLookUp, lookUpAddresses } from "../dns/check/look-up.ts";
import { systemResolvers } from "./system-resolvers.ts";

/** Two tries of two seconds for each question, and half a minute for all of one zone. */
const LIMITS = { timeout: 2000, tries: 2, concurrency: 16, total: 30_000 } as const;

/** @param exchange the real one unless a test stands before it */
export function createDelegationPorts(wallClock: () => number, exchange = { udp: exchangeOverUdp, tcp: exchangeOverTcp }): DelegationPorts {
  const ask = () => createAsk({ exchange, randomId: () => randomInt(0x1_0000), deadline: AbortSignal.timeout }, LIMITS);
  return {
    look: (zone, servers) => lookAtServers(zone, servers, ask(), LIMITS.timeout),
    resolve: async (name) => (await lookUpAddresses(createLookUp(ask(), systemResolvers()), name)).addresses,
    wallClock,
  };
}
