/** Clients of the world: as many from each country as people live there, spread over the country's networks and over its cities. Pure. */
import type { GeoTable } from "../geo/geo-table.ts";
import type { Home } from "../geo/population.ts";
import { newRandom } from "../routing/dice.ts";
import { apportion } from "./apportion.ts";
import { type Clients, newClients } from "./clients.ts";
import { eachNetwork } from "./networks.ts";

export interface WorldClients {
  readonly clients: Clients;
  /** Countries whose people have no address in the client map, and are left out. */
  readonly without: readonly string[];
}

/**
 * Each client stands for an equal part of its country's people. Addresses are drawn evenly from equal parts of the country's address
 * space (IPv6 only where a country has no IPv4), homes by the people of each square. The same arguments give the same clients.
 *
 * @param homes {@link Home}s that {@link Clients.home} counts
 * @param count clients; a country has at least one, so that they can be a few more
 */
export function drawWorld(geo: GeoTable, homes: readonly Home[], count: number, seed: number): WorldClients {
  const byCountry = Map.groupBy(homes.keys(), (index) => homes[index]!.country);
  const spaces = addressSpaces(geo);
  const reachable = [...byCountry].flatMap(([country, own]) => {
    const space = spaces.get(country);
    return space === undefined ? [] : [{ own, space, people: own.reduce((sum, index) => sum + homes[index]!.people, 0) }];
  });
  const counts = apportion(
    reachable.map(({ people }) => people),
    count,
  );
  const total = counts.reduce((sum, one) => sum + one, 0);
  const clients = newClients(
    total,
    reachable.some(({ space }) => space.family === 6),
  );
  const random = newRandom(seed);
  let at = 0;
  reachable.forEach(({ own, space, people }, i) => {
    const draw = homeDrawer(homes, own, people);
    const size = space.ends.at(-1)!;
    let network = 0;
    for (let n = 0; n < counts[i]!; n++, at++) {
      const position = Math.floor(((n + random()) / counts[i]!) * size);
      while (position >= space.ends[network]!) network++;
      writeAddress(clients, at, space, network, position - (network === 0 ? 0 : space.ends[network - 1]!));
      clients.weight[at] = people / counts[i]!;
      clients.home[at] = draw(random());
    }
  });
  return { clients, without: [...byCountry.keys()].filter((country) => !spaces.has(country)) };
}

/** The networks of one country, in address order. */
interface AddressSpace {
  readonly family: 4 | 6;
  /** First addresses, as 32 bits; of IPv6 the first two words of each. */
  readonly starts: number[];
  /** Addresses (of IPv6: /64 networks, at least one) up to the end of each network. */
  readonly ends: number[];
}

/** Host bits below this length do not tell IPv6 clients apart. */
const V6_LENGTH = 64;

function addressSpaces(geo: GeoTable): ReadonlyMap<string, AddressSpace> {
  const spaces = new Map<string, AddressSpace>();
  const gather = (family: 4 | 6, root: number): void =>
    eachNetwork(geo, root, new Uint8Array(family === 4 ? 4 : 16), 0, (bytes, length, place) => {
      const { country } = geo.places[place]!;
      if (country === undefined) return;
      const space = spaces.get(country) ?? { family, starts: [], ends: [] };
      spaces.set(country, space);
      if (space.family !== family) return;
      space.starts.push(word(bytes, 0));
      if (family === 6) space.starts.push(word(bytes, 4));
      space.ends.push((space.ends.at(-1) ?? 0) + (family === 4 ? 2 ** (32 - length) : 2 ** Math.max(0, V6_LENGTH - length)));
    });
  gather(4, geo.v4TrieRoot);
  gather(6, geo.v6TrieRoot);
  return spaces;
}

const word = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

function writeAddress(clients: Clients, client: number, space: AddressSpace, network: number, offset: number): void {
  if (space.family === 4) {
    clients.v4[client] = (space.starts[network]! + offset) | 0;
    return;
  }
  const view = new DataView(clients.v6.buffer, 16 * client, 16);
  view.setUint32(0, space.starts[2 * network]! + Math.floor(offset / 2 ** 32));
  view.setUint32(4, (space.starts[2 * network + 1]! | 0) + (offset % 2 ** 32));
  clients.isV6[client] = 1;
}

/** @param own the country's homes; `people` live in all of them */
function homeDrawer(homes: readonly Home[], own: readonly number[], people: number): (random: number) => number {
  let sum = 0;
  const ends = own.map((index) => {
    sum += homes[index]!.people;
    return sum;
  });
  return (random) => {
    const wanted = random * people;
    let low = 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ends[middle]! <= wanted) low = middle + 1;
      else high = middle;
    }
    return own[low]!;
  };
}
