/** Races of two writers over DNSEndpoints, request by request (docs/safety.md, rules 1 and 5). A real API server: test/e2e/dnsendpoint.test.ts. */
import { describe, expect, test } from "vitest";
import type { MemoryHub } from "../../test/support/memory-hub.ts";
import { apiOf, dnsEndpointProviderOf, memoryEndpoints, setsOf, travellingApi } from "../../test/support/providers/dnsendpoint.ts";
import { partedZone } from "../../test/support/providers/dnsendpoint-stories.ts";
import { twoWriters } from "../../test/support/providers/two-writers.ts";
import { seededRandom } from "../../test/support/random.ts";
import type { ObjectApi } from "./object-api.ts";
import { DNS_ENDPOINTS } from "./part.ts";

function rollOf(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
}

/** Each name is an object of its own. */
const PARTED = { room: 1 };

/** Replaces whatever is there. */
const comparingNothing = (hub: MemoryHub): ObjectApi => ({
  ...apiOf(hub),
  replace: async (_, object) => hub.put(DNS_ENDPOINTS, { ...object }),
});

function observe(hub: MemoryHub): void {
  for (const object of hub.all(DNS_ENDPOINTS))
    hub.put(DNS_ENDPOINTS, { ...object, status: { observedGeneration: object.metadata.generation } });
}

async function parted(count: number, from: number, serve = apiOf): Promise<readonly string[]> {
  const found: string[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const hub = memoryEndpoints();
    const broken = await partedZone({
      provider: (scheduler) => dnsEndpointProviderOf(travellingApi(serve(hub), scheduler), PARTED),
      look: () => setsOf(hub.all(DNS_ENDPOINTS)),
      observe: () => observe(hub),
      roll: rollOf(seed),
    });
    if (broken !== undefined) found.push(`${seed} ${broken}`);
  }
  return found;
}

/** Thousands were told with GLOBALROUTE_STORIES=5000. */
const STORIES = Number(process.env.GLOBALROUTE_STORIES ?? 500);

describe("a zone of one object", () => {
  test(`${STORIES} stories: never empty, never older, never mixed`, { timeout: 60_000 + 20 * STORIES }, async () => {
    const found: unknown[] = [];
    for (let seed = 0; seed < STORIES; seed++) {
      const hub = memoryEndpoints();
      const broken = await twoWriters({
        provider: (scheduler) => dnsEndpointProviderOf(travellingApi(apiOf(hub), scheduler)),
        look: async () => setsOf(hub.all(DNS_ENDPOINTS)),
        roll: rollOf(seed),
        base: 10,
      });
      if (broken !== undefined) found.push({ ...broken, seed });
    }
    expect(found).toEqual([]);
  });
});

describe("a zone of several objects", () => {
  test(`${STORIES} stories: what the new writer has written stays`, { timeout: 60_000 + 40 * STORIES }, async () => {
    expect(await parted(STORIES, 0)).toEqual([]);
  });

  test("with an API server that compares nothing it does not", async () => {
    expect(await parted(150, 0, comparingNothing)).not.toEqual([]);
  });
});
