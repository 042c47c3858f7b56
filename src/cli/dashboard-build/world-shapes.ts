/**
 * The world as SVG paths, made when the dashboard is built: projecting and simplifying in the browser would cost its bundle the shapes in
 * full and a library. Shapes are Natural Earth's (public domain) as world-atlas (ISC) packs them.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type GeoPermissibleObjects, geoNaturalEarth1, geoPath } from "d3-geo";
import type { Feature, Geometry } from "geojson";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import { countryCode } from "./country-codes.ts";

export interface WorldShapes {
  readonly width: number;
  readonly height: number;
  /** `scale` and `translate` of the Natural Earth projection, for whatever else is put on the map. */
  readonly scale: number;
  readonly translate: readonly [number, number];
  /** ISO 3166-1 alpha-2 and the path of its shape. */
  readonly countries: readonly (readonly [code: string, path: string])[];
}

const WIDTH = 1000;
/** Degrees: what is closer to a line than this is left out of it. */
const TOLERANCE = 0.18;
/** Square degrees: smaller islands are left out, unless they are all that a country has. */
const SMALLEST_ISLAND = 0.3;

type Point = readonly [number, number];
type Shapes = Topology<{ countries: GeometryCollection<{ name: string }> }>;

/** @returns the countries of the world without Antarctica, which has no clients worth the room */
export function worldShapes(): WorldShapes {
  const path = createRequire(import.meta.url).resolve("world-atlas/countries-50m.json");
  const topology: Shapes = JSON.parse(readFileSync(path, "utf8"));
  const simple = simplifyArcs(topology);
  const collection = feature(simple, simple.objects.countries);
  const features = collection.features.flatMap((one) => {
    const code = countryCode(one.id === undefined ? undefined : String(one.id), one.properties.name);
    return code === undefined || code === "AQ" ? [] : [{ code, shape: withoutIslands(one) }];
  });
  const all: GeoPermissibleObjects = { type: "FeatureCollection", features: features.map(({ shape }) => shape) };
  const projection = geoNaturalEarth1().fitWidth(WIDTH, all);
  const bounds = geoPath(projection).bounds(all);
  const draw = geoPath(projection).digits(1);
  const byCode = new Map<string, string>();
  for (const { code, shape } of features) byCode.set(code, `${byCode.get(code) ?? ""}${draw(shape) ?? ""}`);
  return {
    width: WIDTH,
    height: Math.ceil(bounds[1][1]),
    scale: projection.scale(),
    translate: projection.translate(),
    countries: [...byCode].filter(([, path]) => path !== "").sort(([a], [b]) => a.localeCompare(b)),
  };
}

type Shape = Feature<Geometry, { name: string }>;

function withoutIslands(one: Shape): Shape {
  if (one.geometry.type !== "MultiPolygon") return one;
  const islands = one.geometry.coordinates.map((rings) => ({
    rings,
    size: Math.abs(area((rings[0] ?? []).map(([x = 0, y = 0]): Point => [x, y]))),
  }));
  const largest = Math.max(...islands.map(({ size }) => size));
  const kept = islands.filter(({ size }) => size === largest || size >= SMALLEST_ISLAND);
  return { ...one, geometry: { ...one.geometry, coordinates: kept.map(({ rings }) => rings) } };
}

const area = (ring: readonly Point[]): number =>
  ring.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = ring[(i + 1) % ring.length]!;
    return sum + x * nextY - nextX * y;
  }, 0) / 2;

/** Borders are arcs that two countries share: simplified once, they still fit together. */
function simplifyArcs(topology: Shapes): Shapes {
  const { transform, ...rest } = topology;
  const [kx, ky] = transform?.scale ?? [1, 1];
  const [dx, dy] = transform?.translate ?? [0, 0];
  const arcs = topology.arcs.map((arc) => {
    let [x, y] = [0, 0];
    const points = arc.map(([stepX = 0, stepY = 0]): Point => {
      x += stepX;
      y += stepY;
      return [x * kx + dx, y * ky + dy];
    });
    return simplify(points).map(([lon, lat]) => [lon, lat]);
  });
  return { ...rest, arcs };
}

/** Ramer, Douglas and Peucker: the ends stay, and of what lies between whatever is further than the tolerance from the line. */
function simplify(points: readonly Point[]): readonly Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 3) return points;
  let furthest = 0;
  let distance = 0;
  points.forEach((point, i) => {
    const away = distanceToLine(point, first, last);
    if (away > distance) [furthest, distance] = [i, away];
  });
  const isRing = first[0] === last[0] && first[1] === last[1];
  if (distance <= TOLERANCE && !isRing) return [first, last];
  if (furthest === 0) return points;
  return [...simplify(points.slice(0, furthest + 1)), ...simplify(points.slice(furthest)).slice(1)];
}

function distanceToLine([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const length = Math.hypot(bx - ax, by - ay);
  if (length === 0) return Math.hypot(x - ax, y - ay);
  const along = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length ** 2));
  return Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
}
