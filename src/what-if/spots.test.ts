import { expect, test } from "vitest";
import { writeMmdb } from "../../test/support/mmdb-writer.ts";
import { testBackend, testInventory, testRoute } from "../../test/support/world/build-route.ts";
import { compileTestTable, TEST_CENTROIDS } from "../../test/support/world/compile-test-world.ts";
import { parsePrefix } from "../model/ip.ts";
import { ipNumber } from "../routing/decide.ts";
import { NO_HOME, newClients } from "./clients.ts";
import { gatherSpots } from "./spots.ts";

const { geo } = compileTestTable(testInventory([testRoute([testBackend("dublin", 1)])]), [
  writeMmdb([
    { network: "198.51.100.0/25", record: { country: { iso_code: "DE" } } },
    { network: "198.51.100.128/25", record: { country: { iso_code: "DE" }, location: { latitude: 52.52, longitude: 13.4 } } },
    { network: "192.0.2.0/24", record: { continent: { code: "EU" } } },
  ]),
]).table;
const homes = [
  { country: "DE", latitude: 48.1, longitude: 11.6, people: 50 },
  { country: "DE", latitude: 53.6, longitude: 10, people: 30 },
];

/** One client each. */
function spotsOf(...all: readonly (readonly [address: string, home?: number])[]) {
  const clients = newClients(all.length, false);
  all.forEach(([address, home = NO_HOME], i) => {
    clients.v4[i] = ipNumber(parsePrefix(address)!.bytes) | 0;
    clients.home[i] = home;
  });
  const { spots, ofClient } = gatherSpots(clients, geo, geo, { homes, centroids: TEST_CENTROIDS });
  return [...ofClient].map((spot) => ({ spot, at: [spots[spot]!.latitude, spots[spot]!.longitude], country: spots[spot]!.country }));
}

test("a client is at its home where only the country is known", () => {
  const [one, same, other] = spotsOf(["198.51.100.1", 0], ["198.51.100.9", 0], ["198.51.100.1", 1]);
  expect(one).toMatchObject({ at: [48.1, 11.6], country: "DE" });
  expect(same!.spot).toBe(one!.spot);
  expect(other!.at).toEqual([53.6, 10]);
});

test("without a home it is at the centre of the country's people", () => expect(spotsOf(["198.51.100.1"])[0]!.at).toEqual([51.1, 10.2]));

test("where a database knows the place, homes do not count", () => {
  const [one, other] = spotsOf(["198.51.100.200", 0], ["198.51.100.200", 1]);
  expect(one!.at).toEqual([52.5, 13.4]);
  expect(other!.spot).toBe(one!.spot);
});

test("a client from nowhere has no coordinates", () =>
  expect(spotsOf(["192.0.2.1"], ["203.0.113.1"]).map(({ at, country }) => [at, country])).toEqual([
    [[undefined, undefined], undefined],
    [[undefined, undefined], undefined],
  ]));
