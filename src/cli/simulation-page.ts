import type { Cluster } from "../model/inventory.ts";
import type { Simulation } from "../what-if/simulation.ts";
export const simulationPage = (it: Simulation, _clusters: readonly Cluster[]): string => JSON.stringify(it);
