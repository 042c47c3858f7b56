/**
 * Writes country-shapes.json: the outlines of countries, for maps of the world, from npm `world-atlas`.
 *
 *     node src/geo/data/generate-countries.ts
 *
 * Source: https://www.npmjs.com/package/world-atlas (ISC), which holds Natural Earth (https://www.naturalearthdata.com/, public domain). See
 * README.md beside this file.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

type Arcs = readonly (readonly number[])[];

interface Geometry {
  readonly type: "Polygon" | "MultiPolygon";
  /** ISO 3166-1 numeric. */
  readonly id?: string;
  readonly properties: { readonly name: string };
  readonly arcs: Arcs | readonly Arcs[];
}

type Point = readonly [longitude: number, latitude: number];

/** TopoJSON: points are whole numbers, each but the first of an arc relative to the one before. */
interface Topology {
  readonly transform: { readonly scale: readonly [number, number]; readonly translate: readonly [number, number] };
  readonly arcs: readonly (readonly (readonly [number, number])[])[];
  readonly objects: { readonly countries: { readonly geometries: readonly Geometry[] } };
}

/** Degrees: what is closer to a line than this is left out of it. */
const TOLERANCE = 0.18;
/** Square degrees: smaller islands are left out, unless they are all that a country has. */
const SMALLEST_ISLAND = 0.3;

/** Areas that ISO 3166-1 has no number for: the code that geo databases give to addresses there. */
const unnumbered: Readonly<Record<string, string>> = {
  "Ashmore and Cartier Is.": "AU",
  "Indian Ocean Ter.": "AU",
  Kosovo: "XK",
  "N. Cyprus": "CY",
  "Siachen Glacier": "IN",
  Somaliland: "SO",
};

/** The program knows the numbers: they are aliases of the letters in locale names. */
function codeOf({ id, properties: { name } }: Geometry): string {
  const code = id === undefined ? unnumbered[name] : new Intl.Locale(`und-${id}`).region;
  if (code === undefined || !/^[A-Z]{2}$/.test(code)) throw new Error(`${name} (${id}) has no code of two letters here. Add it.`);
  return code;
}

/** Borders are arcs that two countries share: simplified once, they still fit together. @returns degrees */
function simpleArcs({ transform: { scale, translate }, arcs }: Topology): readonly (readonly Point[])[] {
  return arcs.map((arc) => {
    let [x, y] = [0, 0];
    const points = arc.map(([dx, dy]): Point => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
    return simplify(points, Math.min(TOLERANCE, reachOf(points) / 4));
  });
}

/** How far the farthest point is from the first, degrees: of an island its size, so that a small one stays one. */
const reachOf = ([first = [0, 0], ...others]: readonly Point[]): number =>
  others.reduce((reach, point) => Math.max(reach, distanceToLine(point, first, first)), 0);

/** Ramer, Douglas and Peucker: the ends stay, and of what lies between whatever is further than the tolerance from the line. */
function simplify(points: readonly Point[], tolerance: number): readonly Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 3) return points;
  let furthest = 0;
  let distance = 0;
  points.forEach((point, i) => {
    const away = distanceToLine(point, first, last);
    if (away > distance) [furthest, distance] = [i, away];
  });
  const isRing = first[0] === last[0] && first[1] === last[1];
  if (distance <= tolerance && !isRing) return [first, last];
  if (furthest === 0) return points;
  return [...simplify(points.slice(0, furthest + 1), tolerance), ...simplify(points.slice(furthest), tolerance).slice(1)];
}

function distanceToLine([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const length = Math.hypot(bx - ax, by - ay);
  if (length === 0) return Math.hypot(x - ax, y - ay);
  const along = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length ** 2));
  return Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
}

type Ring = readonly number[];

/** Tenths of degrees: longitude and latitude in turn. */
function ringOf(arcs: readonly (readonly Point[])[], parts: readonly number[]): Ring {
  const ring: number[] = [];
  for (const part of parts) {
    const points = arcs[part < 0 ? ~part : part]!;
    for (const point of part < 0 ? points.toReversed() : points) {
      const [longitude, latitude] = [Math.round(point[0] * 10) + 0, Math.round(point[1] * 10) + 0];
      if (ring.at(-2) !== longitude || ring.at(-1) !== latitude) ring.push(longitude, latitude);
    }
  }
  return ring;
}

/** A ring that crosses the date line, cut there: drawn as it is it would cross the whole map. */
function cutAtDateLine(ring: Ring): readonly Ring[] {
  const points: Point[] = [];
  for (let i = 0; i < ring.length; i += 2) {
    const before = points.at(-1)?.[0] ?? ring[i]!;
    points.push([ring[i]! + 3600 * Math.round((before - ring[i]!) / 3600), ring[i + 1]!]);
  }
  return [-3600, 0, 3600]
    .map((turn) => points.map(([longitude, latitude]): Point => [longitude + turn, latitude]))
    .map((moved) => clip(clip(moved, 1800, 1), -1800, -1))
    .map((part) => part.flat())
    .filter((part) => part.length >= 8);
}

/** Sutherland and Hodgman's way, for one meridian. @param side 1 = keeps what is west of it, -1 = what is east */
function clip(points: readonly Point[], meridian: number, side: 1 | -1): readonly Point[] {
  const isKept = ([longitude]: Point): boolean => side * (meridian - longitude) >= 0;
  return points.flatMap((point, i) => {
    const before = points.at(i - 1)!;
    const crossing: readonly Point[] =
      isKept(point) === isKept(before)
        ? []
        : [[meridian, Math.round(before[1] + ((meridian - before[0]) / (point[0] - before[0])) * (point[1] - before[1]))]];
    return isKept(point) ? [...crossing, point] : crossing;
  });
}

/** @param polygons rings of each: its outline and holes */
function withoutIslands(polygons: readonly (readonly Ring[])[]): readonly (readonly Ring[])[] {
  const largest = Math.max(...polygons.map(areaOf));
  return polygons.filter((polygon) => areaOf(polygon) >= Math.min(SMALLEST_ISLAND, largest));
}

/** Square degrees inside the outline. */
function areaOf([outline = []]: readonly Ring[]): number {
  let sum = 0;
  for (let i = 0; i + 3 < outline.length; i += 2) sum += outline[i]! * outline[i + 3]! - outline[i + 2]! * outline[i + 1]!;
  return Math.abs(sum) / 200;
}

function generate(topology: Topology): string {
  const arcs = simpleArcs(topology);
  const shapes = new Map<string, Ring[]>();
  for (const geometry of topology.objects.countries.geometries) {
    const code = codeOf(geometry);
    if (code === "AQ") continue; // as large as all others' half on most maps, and nobody is served there
    const polygons = (geometry.type === "Polygon" ? [geometry.arcs] : geometry.arcs) as readonly Arcs[];
    const kept = withoutIslands(polygons.map((polygon) => polygon.map((parts) => ringOf(arcs, parts))));
    shapes.set(code, [...(shapes.get(code) ?? []), ...kept.flat().flatMap(cutAtDateLine)]);
  }
  const drawn = [...shapes].filter(([, rings]) => rings.length > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{\n${drawn.map(([code, rings]) => `"${code}":${JSON.stringify(rings)}`).join(",\n")}\n}\n`;
}

const path = createRequire(import.meta.url).resolve("world-atlas/countries-50m.json");
writeFileSync(new URL("./country-shapes.json", import.meta.url), generate(JSON.parse(readFileSync(path, "utf8"))));
