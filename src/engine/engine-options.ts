/** What an engine is given: everything that touches time, files, threads or the network. */
import type { Monitor, MonitorOptions } from "../../health/monitor.ts";
import type { Inventory, Location, Override } from "../model/inventory.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Timeline } from "../observe/timeline.ts";
import type { Compiler } from "./compiler.ts";
import type { FailoverNotice } from "./failover-notice.ts";
import type { LastGoodStore } from "./last-good.ts";
import type { PeerPort } from "./peer-port.ts";
import type { Publisher, Source } from "./source.ts";

export interface EngineOptions {
  readonly source: Source;
  readonly publishers: readonly Publisher[];
  readonly compiler: Compiler;
  readonly lastGood: LastGoodStore;
  /** Geo databases, most trusted first; empty = the one that comes with the package. */
  readonly geoPaths: readonly string[];
  /** Where this instance probes from, if known. */
  readonly vantageLocation?: Location;
  readonly createMonitor: (events: Required<Pick<MonitorOptions, "onObservation" | "onChange" | "onSuspect" | "onVote">>) => Monitor;
  /** Other instances, which vote too. */
  readonly peers?: PeerPort;
  /** Replaces host names among addresses by what they resolve to; tells when that changed. */
  readonly flatten?: {
    readonly apply: (inventory: Inventory) => Inventory;
    readonly onChange: (listener: () => void) => void;
    readonly close: () => void;
  };
  /** Country → people, for shares of the population. */
  readonly population: ReadonlyMap<string, number>;
  readonly metrics: Metrics;
  readonly timeline: Timeline;
  /** Told of each failover once the table says so; must not throw. */
  readonly onFailover?: (notice: FailoverNotice) => void;
  /** Told of operators' acts, in force or not, when they are taken over; must not throw. */
  readonly onOverrides?: (overrides: readonly Override[]) => void;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly setTimer: (delay: number, callback: () => void) => () => void;
}
