/** What the dashboard reads from its server. Types alone: the schemas stay there. */

export type { ClusterStatus, FleetStatus, IfDrained, RouteStatus } from "../../../engine/view.ts";
export type { EventKind, TimelineEvent } from "../../../observe/timeline.ts";
export type { Candidate, Explanation } from "../../../routing/explanation.ts";
export type { Overview } from "../../api-schemas.ts";
export type { WorldMap } from "../../map-schemas.ts";

/** A moment that the server keeps. */
export interface FrameMark {
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}
