import { expect, test } from "vitest";
import { oracleKm } from "../../test/support/oracle/geo.ts";
import { testCluster } from "../../test/support/world/build-route.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import { measuresOf } from "./measure.ts";

const clusters = [testCluster("dublin"), testCluster("tokyo")];
const berlin = { latitude: 52.5, longitude: 13.4, continent: "EU" };

test("distance and latency of a place to each cluster, however often they are asked for", () => {
  const { distance, latency, estimate } = measuresOf(clusters, newLatencyMap());
  for (let i = 0; i < 2; i++) {
    clusters.forEach(({ location }, cluster) => {
      const km = oracleKm(berlin.latitude, berlin.longitude, location.latitude, location.longitude);
      expect(distance(berlin, cluster)).toBeCloseTo(km, 6);
      expect(latency(berlin, cluster)).toBeCloseTo(5 + (1.6 * km) / 100, 6);
      expect(estimate(berlin, cluster)).toEqual({ ms: latency(berlin, cluster), source: "model" });
    });
  }
});

test("a place without coordinates has neither", () => {
  const { distance, latency, estimate } = measuresOf(clusters, newLatencyMap());
  for (let i = 0; i < 2; i++)
    expect([distance({ country: "DE" }, 0), latency({ country: "DE" }, 1), estimate({}, 0)]).toEqual([undefined, undefined, undefined]);
});

test("what was measured near the client counts", () => {
  const measured = [{ latitude: 52.4, longitude: 13.1, cluster: "tokyo", distanceKm: oracleKm(52.4, 13.1, 35.68, 139.69), ms: 11 }];
  const { latency, estimate } = measuresOf(clusters, { ...newLatencyMap(), measured });
  expect(latency(berlin, 1)).toBe(11);
  expect(estimate(berlin, 1)).toEqual({ ms: 11, source: "measured" });
});
