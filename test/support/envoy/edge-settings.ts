import { edgeSettingsOf } from "../../../src/proxy/edge-settings.ts";
import type { EdgeSettings } from "../../../src/proxy/envoy/edge-route.ts";
import { testRoute } from "../world/build-route.ts";

/** What an Envoy is told of a route that says nothing, whose endpoints speak HTTP at this port. */
export function edgeSettings(port: number): EdgeSettings {
  const { health, sticky } = testRoute([]);
  return edgeSettingsOf({ health: { ...health, probe: { ...health.probe, port } }, sticky }, "");
}
