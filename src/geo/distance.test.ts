import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oracleKm } from "../../test/support/oracle/geo.ts";
import { distanceKm, EARTH_RADIUS_KM } from "./distance.ts";

const latitude = fc.double({ min: -90, max: 90, noNaN: true });
const longitude = fc.double({ min: -180, max: 180, noNaN: true });
const HALF_WAY_ROUND = Math.PI * EARTH_RADIUS_KM;

// Great-circle distances between city centres as atlases give them.
const cases = [
  { name: "Dublin to Frankfurt", from: [53.35, -6.26], to: [50.11, 8.68], km: 1086 },
  { name: "New York to London", from: [40.71, -74.01], to: [51.51, -0.13], km: 5570 },
  { name: "Tokyo to San Francisco, across the date line", from: [35.68, 139.69], to: [37.77, -122.42], km: 8270 },
  { name: "Auckland to Suva, across the date line", from: [-36.85, 174.76], to: [-18.14, 178.44], km: 2110 },
  { name: "pole to pole", from: [90, 12], to: [-90, -77], km: HALF_WAY_ROUND },
  { name: "the same pole under two names", from: [90, 12], to: [90, -77], km: 0 },
] as const;

test.each(cases)("$name", ({ from, to, km }) => {
  expect(Math.abs(distanceKm(from[0], from[1], to[0], to[1]) - km)).toBeLessThan(10);
});

describe("properties", () => {
  test("agrees with the angle between position vectors", () => {
    fc.assert(
      fc.property(latitude, longitude, latitude, longitude, (a, b, c, d) => Math.abs(distanceKm(a, b, c, d) - oracleKm(a, b, c, d)) < 0.5),
      { numRuns: 2000 },
    );
  });

  test("is a number at antipodes and at the same spot", () => {
    fc.assert(
      fc.property(latitude, longitude, (a, b) => {
        const across = distanceKm(a, b, -a, b > 0 ? b - 180 : b + 180);
        return Math.abs(across - HALF_WAY_ROUND) < 1 && distanceKm(a, b, a, b) === 0;
      }),
      { numRuns: 2000 },
    );
  });

  test("does not mind direction", () => {
    fc.assert(fc.property(latitude, longitude, latitude, longitude, (a, b, c, d) => distanceKm(a, b, c, d) === distanceKm(c, d, a, b)));
  });
});
