/** A change of a record set, and what is known of the zone that it is for. */
import type { Quotas } from "./limits.ts";
import type { RecordSet } from "./record-set.ts";
import type { ChangeAction } from "./record-set-xml.ts";

export interface Change {
  readonly action: ChangeAction;
  readonly set: RecordSet;
}

/** The zone that is changed, and what its sets may name. */
export interface ZoneContext {
  readonly zoneId: string;
  /** In stored form. */
  readonly zoneName: string;
  readonly isPrivate: boolean;
  readonly quotas: Quotas;
  /** Hosted zones of AWS's services, which aliases may name. */
  readonly serviceZones: ReadonlySet<string>;
  readonly hasHealthCheck: (id: string) => boolean;
  /** Locations of a CIDR collection; undefined when there is no such collection. */
  readonly cidrLocations: (collectionId: string) => ReadonlySet<string> | undefined;
  /** Whether the target of an alias may be deleted while the alias stands. AWS does not say. */
  readonly mayDangle: boolean;
}
