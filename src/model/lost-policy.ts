/** What becomes of a route's policy in a zone that is kept elsewhere, by who keeps it. Pure. */
import type { Route, ZoneProvider } from "./inventory.ts";
import type { LostPolicy } from "./lost-part.ts";
import { luaPolicy } from "./lua-policy.ts";
import { nativePolicy } from "./native-policy.ts";
import { plainPolicy } from "./plain-policy.ts";

/** @returns undefined when nothing is lost */
export function lostPolicy(provider: ZoneProvider, route: Route): LostPolicy | undefined {
  switch (provider.type) {
    case "RFC2136":
      return plainPolicy(route, true);
    case "ExternalDNS":
      return plainPolicy(route);
    case "Route53":
      return nativePolicy(route, true);
    case "PowerDNS":
      return provider.answers === "Lua" ? luaPolicy(route) : plainPolicy(route, true);
  }
}
