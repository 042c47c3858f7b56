/** What is to be probed for an inventory. Pure. */
import type { Endpoint } from "../model/health.ts";
import type { Inventory } from "../model/inventory.ts";
import { parseIp } from "../model/ip.ts";
import { keyOf } from "./standings.ts";

/** Each probe once, however many routes ask for it; host names that could not be resolved are not probed. */
export function endpointsOf(inventory: Inventory): readonly Endpoint[] {
  const endpoints = new Map<string, Endpoint>();
  for (const route of inventory.routes) {
    for (const backend of route.backends) {
      for (const address of backend.addresses) {
        if (parseIp(address) === undefined) continue;
        const key = keyOf(route, address);
        const { probe, interval, timeout, rise, fall, quorum } = route.health;
        endpoints.set(key, { key, cluster: backend.cluster, address, probe, policy: { interval, timeout, rise, fall, quorum } });
      }
    }
  }
  return [...endpoints.values()];
}
