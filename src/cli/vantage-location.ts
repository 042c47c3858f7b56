/** Where this server probes from, as an operator writes it. */
import { InvalidArgumentError } from "commander";
import { loadCloudRegions } from "../geo/cloud-regions.ts";
import type { Location } from "../model/inventory.ts";

/** `aws/eu-west-1` by the region table, or `53.35,-6.26` in degrees. */
export function parseVantageLocation(text: string): Location {
  const coordinates = /^(-?\d{1,2}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)$/.exec(text);
  if (coordinates !== null) {
    const [latitude, longitude] = [Number(coordinates[1]), Number(coordinates[2])];
    if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180)
      throw new InvalidArgumentError("Latitude is -90 to 90, longitude -180 to 180 degrees.");
    return { latitude, longitude, label: text };
  }
  const [cloud, name, ...rest] = text.split("/");
  if (cloud === undefined || name === undefined || rest.length > 0)
    throw new InvalidArgumentError("Write CLOUD/REGION such as aws/eu-west-1, or LATITUDE,LONGITUDE such as 53.35,-6.26.");
  const regions = loadCloudRegions();
  const region = regions.find(cloud, name);
  if (region === undefined) {
    const near = regions.suggest(cloud, name);
    throw new InvalidArgumentError(
      `There is no region ${name} of ${cloud} in the table.${near === undefined ? " Write LATITUDE,LONGITUDE instead." : ` Did you mean ${near.replace(" ", "/")}?`}`,
    );
  }
  const { latitude, longitude, country, continent } = region;
  return { latitude, longitude, country, continent, label: `${cloud} ${name}` };
}
