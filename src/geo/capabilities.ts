/** Which fields a file carries, so that a rule that asks for one no loaded file has can be warned of. */
import type { PlaceRecord } from "./place-record.ts";

export interface Capabilities {
  /** Its own, or through the country. */
  readonly continent: boolean;
  readonly country: boolean;
  /** As ISO 3166-2 codes; a file with names of states alone (flat `state1`) has none. */
  readonly subdivision: boolean;
  readonly asn: boolean;
  /** Finer than the country's centroid: without them all clients of a country are one place. */
  readonly coordinates: boolean;
}

export function capabilitiesOf(records: readonly PlaceRecord[]): Capabilities {
  const any = (has: (record: PlaceRecord) => boolean) => records.some(has);
  const country = any((record) => record.country !== undefined);
  return {
    continent: country || any((record) => record.continent !== undefined),
    country,
    subdivision: any((record) => record.subdivisions !== undefined),
    asn: any((record) => record.asn !== undefined),
    coordinates: any((record) => record.latitude !== undefined),
  };
}

/** What several files carry together. */
export function joinCapabilities(all: readonly Capabilities[]): Capabilities {
  const any = (field: keyof Capabilities) => all.some((one) => one[field]);
  return {
    continent: any("continent"),
    country: any("country"),
    subdivision: any("subdivision"),
    asn: any("asn"),
    coordinates: any("coordinates"),
  };
}
