/**
 * Who serves a route at a place, for Envoy: tiers are priorities, backends are localities with weights, and an endpoint's health is our judgement
 * of it. Pure.
 */
import { parseIp } from "../../model/ip.ts";
import type { EdgeBackend, EdgePlan } from "../edge-plan.ts";
import type { ClusterLoadAssignment, LbEndpoint, LocalityLbEndpoints } from "./api/envoy-api.ts";

/**
 * A tier keeps all of its requests as long as any of its endpoints serves, and so does a backend its share: Envoy would give away what exceeds 1.4
 * times the healthy part.
 *
 * @param port of every endpoint
 * @returns without endpoints that are host names, and without tiers that are empty then; an address that is in several tiers is in the best one
 */
export function loadAssignment(clusterName: string, { tiers }: EdgePlan, port: number): ClusterLoadAssignment {
  const seen = new Set<string>();
  const isNew = (address: string): boolean => parseIp(address) !== undefined && !seen.has(address) && seen.add(address) !== undefined;
  const kept = tiers
    .map((tier) =>
      tier
        .map((backend) => ({ ...backend, endpoints: backend.endpoints.filter(({ address }) => isNew(address)) }))
        .filter(({ endpoints }) => endpoints.length > 0),
    )
    .filter((tier) => tier.length > 0); // Envoy takes priorities without gaps only
  const largest = Math.max(1, ...kept.map((tier) => tier.reduce((sum, { endpoints }) => sum + endpoints.length, 0)));
  return {
    clusterName,
    endpoints: kept.flatMap((tier, priority) => tier.map((backend) => localityOf(backend, priority, port))),
    policy: { overprovisioningFactor: { value: 100 * largest } },
  };
}

const localityOf = ({ name, cluster, weight, endpoints }: EdgeBackend, priority: number, port: number): LocalityLbEndpoints => ({
  locality: { region: cluster, zone: name },
  lbEndpoints: endpoints.map(
    ({ address, serves }): LbEndpoint => ({
      endpoint: { address: { socketAddress: { address, portValue: port } } },
      healthStatus: serves ? "HEALTHY" : "UNHEALTHY",
    }),
  ),
  loadBalancingWeight: { value: weight },
  priority,
});
