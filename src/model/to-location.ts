/** From a location as objects write it to one with coordinates. */
import { continentOf } from "./countries.ts";
import type { Findings } from "./findings.ts";
import type { Location } from "./inventory.ts";
import type { FieldPath, ObjectOf } from "./manifest-object.ts";
import type { RegionTable } from "./region-table.ts";

type LocationSpec = ObjectOf<"MemberCluster">["spec"]["location"];

/**
 * @param path of the location in its object
 * @param what is there, for messages
 * @returns undefined when it cannot be told; findings say why
 */
export function toLocation(
  spec: LocationSpec,
  path: FieldPath,
  what: string,
  regions: RegionTable,
  findings: Findings,
): Location | undefined {
  const { cloud, region, latitude, longitude, country, continent } = spec;
  const incomplete = (message: string, remedy: string): undefined => {
    findings.error(path, "location-incomplete", message, remedy);
    return undefined;
  };
  const byRegion = cloud !== undefined || region !== undefined;
  const byCoordinates = latitude !== undefined || longitude !== undefined;
  if (byRegion && byCoordinates) return incomplete("gives both a region and coordinates", "Keep one of them.");
  if (byCoordinates) {
    if (latitude === undefined) return incomplete("has a longitude alone", "Add latitude.");
    if (longitude === undefined) return incomplete("has a latitude alone", "Add longitude.");
    return { latitude: Number(latitude), longitude: Number(longitude), ...place(country, continent), label: `${latitude},${longitude}` };
  }
  if (cloud === undefined && region === undefined)
    return incomplete(`does not say where ${what} is`, "Give cloud and region, or latitude and longitude.");
  if (cloud === undefined) return incomplete(`has the region ${region} alone`, "Add cloud, as in aws, gcp or azure.");
  if (region === undefined) return incomplete(`has the cloud ${cloud} alone`, "Add region.");
  const found = regions.find(cloud, region);
  if (found === undefined) {
    const near = regions.suggest(cloud, region);
    const remedy = `${near === undefined ? "" : `Did you mean ${near}? `}Correct it, or give latitude and longitude instead.`;
    findings.error([...path, "region"], "region-unknown", `${cloud} ${region} is not in the region table`, remedy);
    return undefined;
  }
  return {
    latitude: found.latitude,
    longitude: found.longitude,
    ...place(country ?? found.country, continent ?? found.continent),
    label: `${cloud} ${region}`,
  };
}

function place(country: string | undefined, continent: string | undefined): Pick<Location, "country" | "continent"> {
  const whole = continent ?? (country === undefined ? undefined : continentOf(country));
  return { ...(country === undefined ? {} : { country }), ...(whole === undefined ? {} : { continent: whole }) };
}
