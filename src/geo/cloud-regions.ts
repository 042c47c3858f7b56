/** Where the regions of clouds are: data/cloud-regions.csv as a {@link RegionTable}. */
import { nearestWord } from "../model/nearest-word.ts";
import type { Region, RegionTable } from "../model/region-table.ts";
import { readCsv } from "./csv.ts";

/** Reads the table, which lies beside this file in a checkout and in a package alike. Look-ups ignore case. */
export function loadCloudRegions(): RegionTable {
  const regions = new Map<string, Region>();
  /** As the providers spell them, `cloud region`. */
  const names: string[] = [];
  for (const row of readCsv(new URL("./data/cloud-regions.csv", import.meta.url))) {
    const name = `${row.provider!} ${row.region!}`;
    names.push(name);
    regions.set(name.toLowerCase(), {
      city: row.city!,
      country: row.country!,
      continent: row.continent!,
      latitude: Number(row.latitude),
      longitude: Number(row.longitude),
    });
  }
  return {
    find: (cloud, region) => regions.get(`${cloud} ${region}`.toLowerCase()),
    suggest: (cloud, region) => nearestWord(`${cloud} ${region}`, names),
  };
}
