/** Routes as an Envoy fleet is told of them, for tests. */

import type { EdgeBackend, EdgePlan } from "../../../src/proxy/edge-plan.ts";
import type { EdgeRoute } from "../../../src/proxy/envoy/edge-route.ts";
import { Standing } from "../../../src/routing/table.ts";
import { edgeSettings } from "./edge-settings.ts";

/** `192.0.2.1` serves, `!192.0.2.1` does not. */
export const edgeBackend = (name: string, addresses: readonly string[], weight = 1_000_000): EdgeBackend => ({
  name,
  cluster: name,
  weight,
  endpoints: addresses.map((text) => ({ address: text.replace("!", ""), serves: !text.startsWith("!") })),
});

export const edgePlanOf = (...tiers: readonly (readonly EdgeBackend[])[]): EdgePlan => ({ tiers, standing: Standing.Usable });

/** At place `here`; host, key and address told apart by `number`. */
export function edgeRoute(number: number, more: Partial<EdgeRoute> = {}): EdgeRoute {
  return {
    key: `default/app-${number}`,
    hosts: [`app-${number}.example.org`],
    settings: edgeSettings(80),
    plans: new Map([["here", edgePlanOf([edgeBackend("dublin", [`192.0.2.${number}`])])]]),
    ...more,
  };
}
