/**
 * What becomes of a route's policy in a zone of PowerDNS whose LUA records choose by client. What depends on geo data, places that such a server
 * cannot tell apart, is told by whoever writes the records. Pure.
 */
import type { Route } from "./inventory.ts";
import type { LostPolicy } from "./lost-part.ts";

/** An answer that names several clusters draws them from one tier; a trickle draws from two. */
export const losesSpread = ({ spread, failover }: Pick<Route, "spread" | "failover">): boolean => spread > 1 && failover.tricklePercent > 0;

/** @returns undefined when nothing is lost */
export function luaPolicy(route: Route): LostPolicy | undefined {
  const claims: readonly (readonly [part: string, isLost: boolean, instead: string])[] = [
    ["spread", losesSpread(route), "an answer names one cluster while some trickle to the next"],
  ];
  const told = claims.filter(([, isLost]) => isLost);
  if (told.length === 0) return undefined;
  return { lost: told.map(([part]) => part), instead: told.map(([, , instead]) => instead).join("; ") };
}
