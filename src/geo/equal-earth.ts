/** The Equal Earth projection (Šavrič, Patterson and Jenny 2018): areas are true, so that a large patch of colour is much land. Pure. */

const [A1, A2, A3, A4] = [1.340264, -0.081106, 0.000893, 0.003796];
const M = Math.sqrt(3) / 2;
const RADIANS = Math.PI / 180;

/** Of a map of the world without Antarctica. */
export const MAP = { width: 960, height: 440 } as const;
const SCALE = MAP.width / 5.42;
/** Latitude 0, from the top: the north reaches farther than the south. */
const EQUATOR = 249;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** @returns units from the top left of {@link MAP} */
export function project(latitude: number, longitude: number): Point {
  const theta = Math.asin(M * Math.sin(latitude * RADIANS));
  const square = theta * theta;
  const sixth = square * square * square;
  const x = (longitude * RADIANS * Math.cos(theta)) / (M * (A1 + 3 * A2 * square + sixth * (7 * A3 + 9 * A4 * square)));
  const y = theta * (A1 + A2 * square + sixth * (A3 + A4 * square));
  return { x: MAP.width / 2 + SCALE * x, y: EQUATOR - SCALE * y };
}

/** @param rings longitude and latitude in turn, tenths of degrees @returns the `d` of an SVG path */
export function outline(rings: readonly (readonly number[])[]): string {
  return rings
    .map((ring) => {
      const points: string[] = [];
      for (let i = 0; i + 1 < ring.length; i += 2) {
        const { x, y } = project(ring[i + 1]! / 10, ring[i]! / 10);
        points.push(`${x.toFixed(1)} ${y.toFixed(1)}`);
      }
      return `M${points.join("L")}Z`;
    })
    .join("");
}
