/** The status of a DNSZone, whole. Pure. */
import { zoneOf } from "../../src/model/host-zones.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import type { DNSZoneStatus } from "../../src/model/status.ts";
import type { ObjectReport } from "../reconcile/reconciled.ts";
import { type Accepted, judgeServing, type ProgrammedReport, toConditions } from "./conditions.ts";

export interface ZoneUse {
  /** Routes that publish names in the zone, and how many names. */
  readonly routes: number;
  readonly hosts: number;
}

export interface ZoneStatusInput {
  readonly report: ObjectReport;
  readonly programmed: ProgrammedReport;
  readonly use: ZoneUse;
  /** How far its deletion is; undefined when it is not being deleted. */
  readonly deletion?: Accepted | undefined;
  readonly before: DNSZoneStatus | undefined;
  readonly epoch: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function zoneStatus({ report, programmed, use, deletion, before, epoch, now }: ZoneStatusInput): DNSZoneStatus {
  const { generation } = report;
  const serving = judgeServing(report.accepted, programmed, before?.conditions, generation);
  const conditions =
    deletion === undefined
      ? [serving.accepted, serving.programmed, serving.ready, ...serving.stalled]
      : [serving.accepted, { type: "Programmed", ...deletion }, { type: "Ready", ...deletion }];
  return {
    conditions: toConditions(conditions, before?.conditions, generation, now),
    observedGeneration: generation,
    writerEpoch: epoch,
    ...use,
  };
}

/** Zone name → what publishes in it. Zones that nobody uses are in it too. */
export function zoneUses({ routes, zones }: Pick<Inventory, "routes" | "zones">): ReadonlyMap<string, ZoneUse> {
  const byDomain = new Map(zones.map((zone) => [zone.domain, zone]));
  const uses = new Map(zones.map(({ name }) => [name, { routes: 0, hosts: 0 }]));
  for (const route of routes) {
    const met = new Set<string>();
    for (const host of route.hosts) {
      const zone = zoneOf(host, byDomain);
      if (zone === undefined || (route.zones.length > 0 && !route.zones.includes(zone.name))) continue;
      const use = uses.get(zone.name);
      if (use === undefined) continue;
      use.hosts++;
      if (!met.has(zone.name)) use.routes++;
      met.add(zone.name);
    }
  }
  return uses;
}
