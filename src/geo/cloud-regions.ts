/** Where the regions of clouds are: data/cloud-regions.csv as a {@link RegionTable}. */
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
    suggest: (cloud, region) => nearest(`${cloud} ${region}`, names),
  };
}

/** A third of the letters may be wrong: enough for a slip or a missing dash, too few for another place's name to look near. */
function nearest(wanted: string, names: readonly string[]): string | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");
  const target = plain(wanted);
  let best: string | undefined;
  let bestDistance = Math.floor(target.length / 3) + 1;
  for (const name of names) {
    const distance = editDistance(target, plain(name));
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance: insertions, deletions and replacements that turn one text into the other. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(row[j - 1]! + 1, previous[j]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    previous = row;
  }
  return previous[b.length]!;
}
