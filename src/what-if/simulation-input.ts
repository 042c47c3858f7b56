/** What a simulation is given. */
import type { Clients } from "./clients.ts";
import type { LoadRow } from "./load.ts";
import type { Outage, World } from "./side.ts";
import type { ClientsReport, Scenario } from "./simulation.ts";
import type { Atlas } from "./spots.ts";

export interface SimulationInput {
  readonly before: World;
  /** {@link SimulationInput.before} itself when the configuration stays. */
  readonly after: World;
  /** Of the world afterwards. */
  readonly outage: Outage;
  /** `namespace/route/backend` that are out of service already, on both sides. */
  readonly sick: ReadonlySet<string>;
  /** Keys of the routes to look at; all when absent. */
  readonly only?: ReadonlySet<string>;
  readonly clients: Clients;
  readonly source: Pick<ClientsReport, "source" | "unit" | "seed">;
  readonly load?: readonly LoadRow[];
  readonly atlas: Atlas;
  readonly scenario: Scenario;
  /** What whoever gathered the input has to say. */
  readonly notes: readonly string[];
  /** Of overrides in force, ms since the epoch. */
  readonly now: number;
  /** Called before each route. */
  readonly onProgress?: (done: number, of: number) => void;
}

/** A route by its index on either side. */
export interface RoutePair {
  readonly before: number | undefined;
  readonly after: number | undefined;
}
