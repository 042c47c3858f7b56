import { type Endpoint, endpointKey } from "../model/health.ts";
import type { Probe } from "../model/inventory.ts";
import type { ListenAddress } from "../model/listen-address.ts";
import { ms } from "../model/units.ts";

/** A control target: whether a TCP connection opens, often enough to tell within seconds that the network is there. */
export function referenceEndpoint({ address, port }: ListenAddress): Endpoint {
  const probe: Probe = { type: "TCP", scheme: "HTTP", port, path: "/", host: "", service: "", expect: { status: [] }, verify: true };
  const policy: Endpoint["policy"] = { interval: ms(5000), timeout: ms(2000), rise: 1, fall: 1, quorum: { type: "Majority" } };
  return { key: endpointKey(address, probe, policy), cluster: "", address, probe, policy };
}
