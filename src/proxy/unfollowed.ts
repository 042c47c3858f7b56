/** What routes' `http` asks for and proxies of a fleet do not follow, so that nobody relies on it. Pure. */
import type { ProxyFleet, Route } from "../model/inventory.ts";
import { httpPolicyOf } from "../model/to-http.ts";
import { edgeSettingsOf } from "./edge-settings.ts";
import { isToldTo } from "./edge-worlds.ts";
import { unfollowedByHaproxy } from "./haproxy/http-rules.ts";

/** @returns a sentence for each route of the fleet's that asks for what its proxies do not follow */
export const unfollowedBy = (fleet: ProxyFleet, routes: readonly Route[]): readonly string[] =>
  routes
    .filter((route) => route.http !== undefined && isToldTo(route, fleet))
    .flatMap((route) => {
      const parts = partsOf(fleet, route);
      if (parts.length === 0) return [];
      return [
        `GlobalRoute ${route.namespace}/${route.name}: its proxies do not follow these parts of spec.http: ${parts.join("; ")}. Leave them out, or publish it to proxies that follow them (publish.proxies).`,
      ];
    });

function partsOf({ type, endpointCaFile }: ProxyFleet, route: Route): readonly string[] {
  const { hedge, limits } = httpPolicyOf(route);
  return [
    ...(hedge === undefined ? [] : ["hedge"]),
    ...(type === "Envoy" && limits.bodyBytes !== undefined ? ["limits.bodyBytes"] : []),
    ...(type === "HAProxy" ? unfollowedByHaproxy(edgeSettingsOf(route, endpointCaFile)) : []),
  ];
}
