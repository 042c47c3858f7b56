/** Which zones have their delegation kept, and who says what it should be: their own objects, or whoever keeps them. */

import type { WatchedZone } from "../../dns-providers/delegation/delegation-watch.ts";
import { authorityHere } from "../../dns-providers/delegation/zone-authority.ts";
import type { Provider } from "../../dns-providers/provider.ts";
import { delegationParent } from "../model/check-delegation.ts";
import type { Inventory, Zone } from "../model/inventory.ts";

type Authority = WatchedZone["authority"];

/** @param elsewhere what a zone says of itself that is kept elsewhere */
export function watchedZones({ zones, routes }: Inventory, elsewhere: (zone: Zone) => Authority): readonly WatchedZone[] {
  return zones.flatMap((zone) => {
    const found = delegationParent(zone, zones);
    if (found === undefined || "fault" in found) return [];
    const authority: Authority = zone.provider === undefined ? async () => authorityHere(zone, routes) : elsewhere(zone);
    const from = JSON.stringify([zone, found.parent.name]);
    return [
      { name: zone.name, parent: found.parent.name, domain: zone.domain, isAdopted: zone.delegation?.adopt === true, from, authority },
    ];
  });
}

/**
 * What the provider of a zone tells of it.
 *
 * @param provider undefined: it is not open yet
 * @param deadline aborts after so many milliseconds
 */
export function authorityAt(
  { name, provider: kept }: Zone,
  provider: Provider | undefined,
  deadline: (milliseconds: number) => AbortSignal,
): Authority {
  return async () => {
    const remedy = `Remove delegation from DNSZone ${name}, and keep its delegation by hand.`;
    if (provider?.authority === undefined)
      return { fault: { fact: `${kept?.type}, which keeps the zone, does not tell its name servers`, remedy } };
    return provider.authority(deadline(provider.capabilities.deadline));
  };
}
