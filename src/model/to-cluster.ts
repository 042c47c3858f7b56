/** From a `MemberCluster` object to the cluster that the engine works on. */
import type { ApiContext } from "./api-context.ts";
import { continentOf } from "./countries.ts";
import type { Findings } from "./findings.ts";
import type { Cluster, Location } from "./inventory.ts";
import type { ObjectOf } from "./manifest-object.ts";
import type { RegionTable } from "./region-table.ts";

/**
 * @param api absent when the objects are files'
 * @returns undefined when its location cannot be told; findings say why
 */
export function toCluster(
  object: ObjectOf<"MemberCluster">,
  regions: RegionTable,
  findings: Findings,
  api?: ApiContext,
): Cluster | undefined {
  if (api === undefined) refuseInFiles(object, findings);
  else checkAddressing(object, findings);
  const location = toLocation(object, regions, findings);
  if (location === undefined) return undefined;
  return { name: object.name, labels: object.labels, location, state: object.spec.state, weight: object.spec.weight };
}

/** Members that only a controller honours: in files they would silently do nothing. */
function refuseInFiles({ spec }: ObjectOf<"MemberCluster">, findings: Findings): void {
  const only = "works only with a Kubernetes controller";
  if (spec.access !== undefined)
    findings.error(["spec", "access"], "kubernetes-only", only, "Remove it: from a folder of files no cluster's API server is asked.");
  if (spec.addressing !== undefined)
    findings.error(
      ["spec", "addressing"],
      "kubernetes-only",
      only,
      "Remove it, and list what clients connect to as addresses of the backends.",
    );
}

function checkAddressing({ spec: { addressing } }: ObjectOf<"MemberCluster">, findings: Findings): void {
  if (addressing === undefined) return;
  const { type, addresses, hostName, nat } = addressing;
  const check = (member: string, isThere: boolean, needs: typeof type, isNeeded: boolean) => {
    const path = ["spec", "addressing", member];
    if (isThere && type !== needs)
      findings.error(path, "field-unused", `goes with type ${needs} only, and the type is ${type}`, "Remove it, or change the type.");
    else if (!isThere && isNeeded && type === needs)
      findings.error(path, "field-missing", `is required with type ${needs}`, `Add ${member}, or change the type.`);
  };
  check("addresses", addresses !== undefined, "Static", true);
  check("hostName", hostName !== undefined, "HostName", true);
  check("nat", nat !== undefined, "Status", false);
}

function toLocation(object: ObjectOf<"MemberCluster">, regions: RegionTable, findings: Findings): Location | undefined {
  const { cloud, region, latitude, longitude, country, continent } = object.spec.location;
  const incomplete = (message: string, remedy: string): undefined => {
    findings.error(["spec", "location"], "location-incomplete", message, remedy);
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
    return incomplete("does not say where the cluster is", "Give cloud and region, or latitude and longitude.");
  if (cloud === undefined) return incomplete(`has the region ${region} alone`, "Add cloud, as in aws, gcp or azure.");
  if (region === undefined) return incomplete(`has the cloud ${cloud} alone`, "Add region.");
  const found = regions.find(cloud, region);
  if (found === undefined) {
    const near = regions.suggest(cloud, region);
    const remedy = `${near === undefined ? "" : `Did you mean ${near}? `}Correct it, or give latitude and longitude instead.`;
    findings.error(["spec", "location", "region"], "region-unknown", `${cloud} ${region} is not in the region table`, remedy);
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
