/** Where a place is on the map: the Natural Earth projection (Patterson; polynomial by Šavrič et al. 2011), as the shapes were drawn by. */

export interface MapFit {
  readonly scale: number;
  readonly translate: readonly [number, number];
}

const RADIANS = Math.PI / 180;

/** @returns x and y in the units of the shapes */
export function project({ scale, translate }: MapFit, latitude: number, longitude: number): readonly [number, number] {
  const phi = latitude * RADIANS;
  const [p2, p4] = [phi ** 2, phi ** 4];
  const x = longitude * RADIANS * (0.8707 - 0.131979 * p2 + p4 * (-0.013791 + p4 * (0.003971 * p2 - 0.001529 * p4)));
  const y = phi * (1.007226 + p2 * (0.015085 + p4 * (-0.044475 + 0.028874 * p2 - 0.005916 * p4)));
  return [translate[0] + scale * x, translate[1] - scale * y];
}
