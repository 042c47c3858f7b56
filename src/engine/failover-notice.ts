/** A failover, told to whoever carries it further or looks out for its arrival. */
import type { Route } from "../model/inventory.ts";
import type { ChangeCause } from "../routing/evaluate-route.ts";
import type { RoutingTable } from "../routing/table.ts";

export interface FailoverNotice {
  /** Id of its `Failover` event. */
  readonly event: number;
  readonly route: Route;
  /** Clusters. */
  readonly from: string;
  readonly to: string;
  readonly cause: ChangeCause;
  /** Whose standing changed. */
  readonly backend: string;
  /** Families in which it serves again; empty when it went out of service. */
  readonly returned: readonly (4 | 6)[];
  /** When it began, ms since the epoch: the end of the first failed probe, the end of a wait, the act. */
  readonly beganAt: number;
  /** When the table's bytes were written, ms since the epoch. */
  readonly writtenAt: number;
  /** Clients that can show that it has arrived; absent when some of all clients go on being answered as before. */
  readonly sample?: MovedSample;
}

export interface MovedSample {
  readonly table: RoutingTable;
  /** Of the table's routes. */
  readonly route: number;
  /** Class of the places of the route's partition where these clients are. */
  readonly class: number;
  readonly family: 4 | 6;
  /** Addresses that answered them, and do no more. */
  readonly gone: readonly string[];
  /** Nobody at all is to be answered with `gone` any more, wherever they are. */
  readonly isForAll: boolean;
}
