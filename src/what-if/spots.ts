/** Spots: clients that no figure of a simulation can tell apart but by their slots. Everything after the decisions counts spots, not clients. */
import type { Centroids } from "../geo/country-centroids.ts";
import type { GeoTable, Place } from "../geo/geo-table.ts";
import { leafOfV4, leafOfV6 } from "../geo/lookup.ts";
import type { Home } from "../geo/population.ts";
import { type Clients, isV6, NO_HOME } from "./clients.ts";

export interface Spot {
  /** In the client map of the configuration of before, and of that of afterwards. */
  readonly before: Place;
  readonly after: Place;
  /** Degrees; absent for a client of unknown place. */
  readonly latitude?: number;
  readonly longitude?: number;
  readonly country?: string;
  readonly continent?: string;
}

export interface Spots {
  readonly spots: readonly Spot[];
  /** Client → its spot. */
  readonly ofClient: Int32Array;
}

export interface Atlas {
  readonly homes: readonly Home[];
  readonly centroids: Centroids;
}

/** A client is where its place's own coordinates are; where the data know no more than the country, at its home, else at the centre of the country's people. */
export function gatherSpots(clients: Clients, before: GeoTable, after: GeoTable, { homes, centroids }: Atlas): Spots {
  const places = before.places.length;
  const known = new Map<number, number>();
  const spots: Spot[] = [];
  const ofClient = new Int32Array(clients.count);
  const isCoarse = before.places.map((place) => isOfCountryOnly(place, centroids));
  for (let client = 0; client < clients.count; client++) {
    const from = placeOf(before, clients, client);
    const to = before === after ? from : placeOf(after, clients, client);
    const home = isCoarse[from]! ? clients.home[client]! : NO_HOME;
    const key = (to * places + from) * 65_536 + home;
    let spot = known.get(key);
    if (spot === undefined) {
      spot = spots.push(describe(before.places[from]!, after.places[to]!, homes[home], centroids)) - 1;
      known.set(key, spot);
    }
    ofClient[client] = spot;
  }
  return { spots, ofClient };
}

const placeOf = (geo: GeoTable, clients: Clients, client: number): number =>
  geo.leafPlace[isV6(clients, client) ? leafOfV6(geo, clients.v6, 16 * client) : leafOfV4(geo, clients.v4[client]!)]!;

function isOfCountryOnly({ country, latitude, longitude }: Place, centroids: Centroids): boolean {
  const centroid = country === undefined ? undefined : centroids.get(country);
  return latitude === undefined || (latitude === centroid?.latitude && longitude === centroid.longitude);
}

function describe(before: Place, after: Place, home: Home | undefined, centroids: Centroids): Spot {
  const country = before.country ?? after.country;
  const centroid = country === undefined ? undefined : centroids.get(country);
  const continent = before.continent ?? after.continent ?? centroid?.continent;
  const { latitude, longitude } = home ?? (before.latitude === undefined ? (centroid ?? {}) : before);
  return {
    before,
    after,
    ...(latitude !== undefined && longitude !== undefined && { latitude, longitude }),
    ...(country !== undefined && { country }),
    ...(continent !== undefined && { continent }),
  };
}
