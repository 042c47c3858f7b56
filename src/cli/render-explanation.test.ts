import { expect, test } from "vitest";
import type { Explanation } from "../routing/explanation.ts";
import { renderExplanation } from "./render-explanation.ts";
import type { Paint } from "./text.ts";

const plain: Paint = (_style, text) => text;
const candidate = (cluster: string, tier: number | null, taken: boolean, health: "Healthy" | "Unhealthy", distanceKm: number | null) => ({
  ...{ cluster, backend: cluster, address: "192.0.2.1", health, distanceKm, latencyMs: null, latencySource: null, weight: 100 },
  ...{ tier, taken, reason: taken ? "the first usable tier" : "" },
});

const explanation: Explanation = {
  ...{ client: "192.0.2.0/24", host: "shop.example.org", route: "default/shop", family: "A", rules: [], rule: null, mode: "Usable" },
  place: { known: true, country: "DE", continent: "EU" },
  ...{ tier: 3, shares: { "us-east": 1 }, scopePrefixLength: 24, ttl: 5, clusters: ["us-east"], addresses: ["192.0.2.1"], notes: [] },
  candidates: [
    candidate("eu-west", 1, false, "Unhealthy", 463.7),
    candidate("uk", 2, false, "Unhealthy", null),
    candidate("us-east", 3, true, "Healthy", 5918),
    candidate("tokyo", 4, false, "Healthy", 9000),
    candidate("banned", null, false, "Healthy", 10),
  ],
};

test("what would have served before is told apart, with why it does not", () => {
  const lines = renderExplanation(explanation, { paint: plain, width: 120 });
  expect(lines).toContain("passed  eu-west (464 km) is Unhealthy; uk is Unhealthy");
  expect(lines).toContain("place   country DE (Germany); continent EU");
});

test("when the first tier serves, nothing was passed over", () => {
  const lines = renderExplanation({ ...explanation, tier: 1 }, { paint: plain, width: 120 });
  expect(lines.filter((line) => line.startsWith("passed"))).toEqual([]);
});

test("a headline that does not fit goes on below", () => {
  const addresses = Array.from({ length: 4 }, (_, i) => `192.0.2.${i + 1}`);
  const [first, second] = renderExplanation({ ...explanation, addresses }, { paint: plain, width: 60 });
  expect(first).toBe("shop.example.org A for 192.0.2.0/24:");
  expect(second).toBe("  us-east at 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4");
});

test("what is no code of a country stays as it is", () => {
  const [, , place] = renderExplanation({ ...explanation, place: { known: true, country: "Q1" } }, { paint: plain, width: 120 });
  expect(place).toBe("place   country Q1");
});
