/** Distance on the sphere. */

/** Mean radius of the Earth (IUGG R1), kilometres. */
export const EARTH_RADIUS_KM = 6371.0088;

const RADIANS = Math.PI / 180;

/**
 * Great-circle distance by the haversine formula.
 *
 * @param latitude1 degrees, as are the others; longitudes may lie on either side of the date line
 * @returns kilometres, 0..20,015.1; good to about a kilometre even at antipodes, where rounding would else ask for asin(1 + ε)
 */
export function distanceKm(latitude1: number, longitude1: number, latitude2: number, longitude2: number): number {
  const sinLatitude = Math.sin(((latitude2 - latitude1) * RADIANS) / 2);
  const sinLongitude = Math.sin(((longitude2 - longitude1) * RADIANS) / 2);
  const h = sinLatitude * sinLatitude + Math.cos(latitude1 * RADIANS) * Math.cos(latitude2 * RADIANS) * sinLongitude * sinLongitude;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}
