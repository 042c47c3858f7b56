import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arcsOf, arcWidth } from "./arcs.ts";
import { clusterHues } from "./colours.ts";
import { type Mark, placeLabels } from "./labels.ts";
import type { WorldMap } from "./types.ts";

describe("colours", () => {
  test("depend on the names alone, and neighbours are far apart", () => {
    const names = Array.from({ length: 30 }, (_, i) => `cluster-${String(i).padStart(2, "0")}`);
    const hues = clusterHues(names);
    expect(clusterHues([...names].reverse())).toEqual(hues);
    expect(new Set(hues.values()).size).toBe(30);
    names.slice(1).forEach((name, i) => {
      const apart = Math.abs(hues.get(name)! - hues.get(names[i]!)!);
      expect(Math.min(apart, 360 - apart)).toBeGreaterThan(90);
    });
  });
});

const region = (country: string, population: number, served: WorldMap["regions"][number]["served"]): WorldMap["regions"][number] => ({
  country,
  name: country,
  latitude: 0,
  longitude: population,
  population,
  sample: null,
  served,
});
const cluster = (name: string, longitude: number): WorldMap["clusters"][number] => ({
  name,
  state: "Active",
  health: "Healthy",
  location: { label: name, latitude: 0, longitude },
  population: 0,
  answersPerSecond: null,
});
const flat = (latitude: number, longitude: number) => [longitude, latitude] as const;

describe("lines", () => {
  test("go from where most people are first, to every cluster with a visible share", () => {
    const map: WorldMap = {
      frame: { id: 1, at: 0, version: 1 },
      route: null,
      clusters: [cluster("eu", 500), cluster("us", -500)],
      regions: [
        region("AA", 10, [{ cluster: "eu", share: 1 }]),
        region("BB", 90, [
          { cluster: "us", share: 0.75 },
          { cluster: "eu", share: 0.2 },
          { cluster: "gone", share: 0.05 },
        ]),
        region("CC", 20, []),
      ],
    };
    expect(arcsOf(map, flat).map(({ key, weight }) => `${key} ${weight.toFixed(3)}`)).toEqual([
      "BB>us 0.563",
      "BB>eu 0.150",
      "AA>eu 0.083",
    ]);
  });

  test("are no longer drawn where they could not be seen, and are never more than can be told apart", () => {
    const regions = Array.from({ length: 300 }, (_, i) => region(`R${i}`, i, [{ cluster: "eu", share: 1 }]));
    const map: WorldMap = { frame: { id: 1, at: 0, version: 1 }, route: null, clusters: [cluster("eu", 150)], regions };
    const arcs = arcsOf(map, flat);
    expect(arcs).toHaveLength(90);
    expect(arcs.some(({ country }) => country === "R150" || country === "R152")).toBe(false);
    expect(arcWidth(1)).toBeLessThanOrEqual(4);
    expect(arcWidth(0.0001)).toBeGreaterThan(0.5);
  });
});

test("labels never cover each other, a mark or the edge; what has room has one", () => {
  const bounds = { width: 1000, height: 430 };
  const marks: fc.Arbitrary<Mark[]> = fc.array(
    fc.record({
      name: fc.string(),
      x: fc.integer({ min: 0, max: 1000 }),
      y: fc.integer({ min: 0, max: 430 }),
      width: fc.integer({ min: 20, max: 160 }),
      height: fc.constant(14),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(marks, (all) => {
      const named = all.map((mark, i) => ({ ...mark, name: `${i}` }));
      const boxes = placeLabels(named, 8, bounds).map((label) => {
        const { width } = named[Number(label.name)]!;
        const left = label.anchor === "start" ? label.x : label.anchor === "end" ? label.x - width : label.x - width / 2;
        return { own: label.name, left, right: left + width, top: label.y - 7, bottom: label.y + 7 };
      });
      for (const box of boxes) {
        expect(box.left >= 0 && box.right <= 1000 && box.top >= 0 && box.bottom <= 430).toBe(true);
        const others = [
          ...boxes.filter((other) => other !== box),
          ...named.filter(({ name }) => name !== box.own).map(({ x, y }) => ({ left: x - 8, right: x + 8, top: y - 8, bottom: y + 8 })),
        ];
        for (const other of others)
          expect(box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom).toBe(false);
      }
    }),
  );
  expect(placeLabels([{ name: "a", x: 500, y: 200, width: 80, height: 14 }], 8, bounds)).toHaveLength(1);
});
