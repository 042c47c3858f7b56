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

/** TopoJSON: points are whole numbers, each but the first of an arc relative to the one before. */
interface Topology {
  readonly transform: { readonly scale: readonly [number, number]; readonly translate: readonly [number, number] };
  readonly arcs: readonly (readonly (readonly [number, number])[])[];
  readonly objects: { readonly countries: { readonly geometries: readonly Geometry[] } };
}

/** Areas that ISO 3166-1 has no number for: the code that geo databases give to addresses there. */
const unnumbered: Readonly<Record<string, string>> = { Kosovo: "XK", "N. Cyprus": "CY", Somaliland: "SO" };

/** The program knows the numbers: they are aliases of the letters in locale names. */
function codeOf({ id, properties: { name } }: Geometry): string {
  const code = id === undefined ? unnumbered[name] : new Intl.Locale(`und-${id}`).region;
  if (code === undefined || !/^[A-Z]{2}$/.test(code)) throw new Error(`${name} (${id}) has no code of two letters here. Add it.`);
  return code;
}

/** Tenths of degrees: longitude and latitude in turn. */
function ringOf({ transform: { scale, translate }, arcs }: Topology, parts: readonly number[]): readonly number[] {
  const ring: number[] = [];
  for (const part of parts) {
    let [x, y] = [0, 0];
    const points = arcs[part < 0 ? ~part : part]!.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]].map((degrees) => Math.round(degrees * 10) + 0);
    });
    for (const [longitude, latitude] of part < 0 ? points.toReversed() : points) {
      if (ring.at(-2) !== longitude || ring.at(-1) !== latitude) ring.push(longitude!, latitude!);
    }
  }
  return ring;
}

/** A ring that crosses the date line, cut there: drawn as it is it would cross the whole map. */
function cutAtDateLine(ring: readonly number[]): readonly (readonly number[])[] {
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

type Point = readonly [longitude: number, latitude: number];

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

function generate(topology: Topology): string {
  const shapes = new Map<string, (readonly number[])[]>();
  for (const geometry of topology.objects.countries.geometries) {
    const code = codeOf(geometry);
    if (code === "AQ") continue; // as large as all others' half on most maps, and nobody is served there
    const polygons = (geometry.type === "Polygon" ? [geometry.arcs] : geometry.arcs) as readonly Arcs[];
    const rings = polygons.flatMap((polygon) => polygon.flatMap((parts) => cutAtDateLine(ringOf(topology, parts))));
    shapes.set(code, [...(shapes.get(code) ?? []), ...rings]);
  }
  const lines = [...shapes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, rings]) => `"${code}":${JSON.stringify(rings)}`);
  return `{\n${lines.join(",\n")}\n}\n`;
}

const path = createRequire(import.meta.url).resolve("world-atlas/countries-110m.json");
writeFileSync(new URL("./country-shapes.json", import.meta.url), generate(JSON.parse(readFileSync(path, "utf8"))));
