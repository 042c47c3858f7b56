import { expect, test } from "vitest";
import { loadCountryShapes } from "./country-shapes.ts";
import { MAP, outline, project } from "./equal-earth.ts";

test("the map keeps areas: a square at 60° is half as large as one at the equator", () => {
  const area = (latitude: number): number => {
    const [a, b, c, d] = [project(latitude, 10), project(latitude, 11), project(latitude + 1, 11), project(latitude + 1, 10)];
    return Math.abs((a.x - c.x) * (b.y - d.y) - (b.x - d.x) * (a.y - c.y)) / 2;
  };
  const cosine = (latitude: number): number => Math.cos(((latitude + 0.5) * Math.PI) / 180);
  for (const latitude of [0, 30, 60, 75]) expect(area(latitude) / area(0)).toBeCloseTo(cosine(latitude) / cosine(0), 3);
});

test("all land is on the map, and no outline crosses it", () => {
  const shapes = loadCountryShapes();
  expect(shapes.size).toBeGreaterThan(220);
  expect(["SG", "MT", "XK", "US", "RU", "FJ"].filter((country) => !shapes.has(country))).toEqual([]);
  for (const [country, rings] of shapes) {
    for (const ring of rings) {
      for (let i = 0; i + 3 < ring.length; i += 2) {
        expect(Math.abs(ring[i + 2]! - ring[i]!), country).toBeLessThan(900);
        const { x, y } = project(ring[i + 1]! / 10, ring[i]! / 10);
        expect(x > 0 && x < MAP.width && y > 0 && y < MAP.height, `${country} ${x} ${y}`).toBe(true);
      }
    }
  }
});

test("an outline is a closed path", () => expect(outline([[0, 0, 100, 0, 100, 100, 0, 0]])).toMatch(/^M480\.0 249\.0L[\d. L]+Z$/));
