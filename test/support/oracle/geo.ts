/**
 * What src/geo must agree with, by the slow and plain way: `maxmind` asked address by address, networks enumerated one after another.
 * Imports nothing of what it judges.
 */
import { type CountryResponse, Reader } from "maxmind";

export interface OracleAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface OraclePrefix extends OracleAddress {
  readonly length: number;
}

export interface OraclePlace {
  readonly continent?: string;
  readonly country?: string;
  readonly subdivisions?: readonly string[];
  readonly asn?: number;
  readonly latitude?: number;
  readonly longitude?: number;
  readonly subnets?: readonly number[];
}

export interface OracleWorld {
  /** Most trusted first. */
  readonly readers: readonly Reader<CountryResponse>[];
  readonly subnets: readonly OraclePrefix[];
  /** Country → continent and coordinates, for what files leave out. */
  readonly centroids: ReadonlyMap<string, { readonly continent: string; readonly latitude: number; readonly longitude: number }>;
}

export const oracleReader = (bytes: Buffer): Reader<CountryResponse> => new Reader<CountryResponse>(bytes);

const bitsOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);

export function oracleAddress(text: string): OracleAddress {
  if (!text.includes(":")) return { family: 4, value: BigInt(text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0)) };
  const [head = "", tail] = text.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const groups = tail === undefined ? [...head] : [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => "0"), ...tail];
  return { family: 6, value: groups.reduce((sum, group) => (sum << 16n) | BigInt(Number.parseInt(group, 16)), 0n) };
}

export function oraclePrefix(text: string): OraclePrefix {
  const [address = "", length = ""] = text.split("/");
  return { ...oracleAddress(address), length: Number(length) };
}

/** Plain text without shortening. */
export function oracleText({ family, value }: OracleAddress): string {
  const width = family === 4 ? 8n : 16n;
  const parts = Array.from(
    { length: family === 4 ? 4 : 8 },
    (_, i) => (value >> (width * BigInt((family === 4 ? 3 : 7) - i))) & ((1n << width) - 1n),
  );
  return family === 4 ? parts.join(".") : parts.map((part) => part.toString(16)).join(":");
}

export function oracleBytes({ family, value }: OracleAddress): Uint8Array {
  return Uint8Array.from({ length: family === 4 ? 4 : 16 }, (_, i) => Number((value >> BigInt(8 * ((family === 4 ? 3 : 15) - i))) & 255n));
}

/** The prefix of a length around an address. */
export function oracleCut({ family, value }: OracleAddress, length: number): OraclePrefix {
  const hostBits = BigInt(bitsOf(family) - length);
  return { family, value: (value >> hostBits) << hostBits, length };
}

const holds = (prefix: OraclePrefix, address: OracleAddress): boolean =>
  prefix.family === address.family && oracleCut(address, prefix.length).value === prefix.value;

/** A version 4 file answers IPv6 questions with data of unrelated IPv4 networks: it is not asked. */
const answersFor = (reader: Reader<CountryResponse>, family: 4 | 6): boolean => family === 4 || reader.metadata.ipVersion === 6;

/** Where IPv6 addresses embed IPv4 ones, and files may lead into their IPv4 networks. */
const EMBEDDED = ["::/96", "::ffff:0:0/96", "2002::/16"].map(oraclePrefix);

/** Such an address has no place of its own: what the file says there is of an IPv4 network. */
const isBorrowed = (reader: Reader<CountryResponse>, address: OracleAddress): boolean =>
  EMBEDDED.some((prefix) => holds(prefix, address) && reader.getWithPrefixLength(oracleText(address))[1] > prefix.length);

/** Everything known of an address. */
export function oraclePlace(world: OracleWorld, address: OracleAddress): OraclePlace {
  const text = oracleText(address);
  const found: { -readonly [K in keyof OraclePlace]: OraclePlace[K] } = {};
  for (const reader of world.readers) {
    if (!answersFor(reader, address.family) || isBorrowed(reader, address)) continue;
    const said = readRecord(reader.get(text));
    const sameSpot = found.country === undefined || said.country === undefined || found.country === said.country;
    if (said.asn !== undefined && found.asn === undefined) found.asn = said.asn;
    if (!sameSpot) continue;
    if (said.country !== undefined && found.country === undefined) found.country = said.country;
    if (said.continent !== undefined && found.continent === undefined) found.continent = said.continent;
    if (said.subdivisions !== undefined && found.subdivisions === undefined) found.subdivisions = said.subdivisions;
    if (said.latitude !== undefined && said.longitude !== undefined && found.latitude === undefined) {
      found.latitude = said.latitude;
      found.longitude = said.longitude;
    }
  }
  const centroid = found.country === undefined ? undefined : world.centroids.get(found.country);
  if (centroid !== undefined) {
    if (found.continent === undefined) found.continent = centroid.continent;
    if (found.latitude === undefined) {
      found.latitude = centroid.latitude;
      found.longitude = centroid.longitude;
    }
  }
  const subnets = world.subnets.flatMap((subnet, index) => (holds(subnet, address) ? [index] : []));
  if (subnets.length > 0) found.subnets = subnets;
  return found;
}

/** Both dialects, for records as our tests and the default file hold them. */
function readRecord(record: unknown): OraclePlace {
  const text = JSON.stringify(record ?? {});
  const first = (...patterns: RegExp[]) => patterns.map((pattern) => pattern.exec(text)?.[1]).find((match) => match !== undefined);
  const country = first(/"country":\{"iso_code":"(\w\w)"/, /"country_code":"(\w\w)"/);
  const continent = first(/"continent":\{"code":"(\w\w)"/, /"continent_code":"(\w\w)"/);
  const asn = first(/"autonomous_system_number":"?(\d+)/, /"asn":"?(?:AS)?(\d+)/);
  const latitude = first(/"latitude":"?(-?[\d.]+)/);
  const longitude = first(/"longitude":"?(-?[\d.]+)/);
  const list = first(/"subdivisions":\[([^\]]*)\]/);
  const codes = [...(list ?? "").matchAll(/"iso_code":"(\w+)"/g)].map((match) => `${country}-${match[1]}`);
  const tenth = (value: string) => Math.round(Number(value) * 10) / 10 || 0;
  return {
    ...(country !== undefined && { country }),
    ...(continent !== undefined && { continent }),
    ...(codes.length > 0 && country !== undefined && { subdivisions: codes }),
    ...(asn !== undefined && { asn: Number(asn) }),
    ...(latitude !== undefined && longitude !== undefined && { latitude: tenth(latitude), longitude: tenth(longitude) }),
  };
}

/** The largest prefix around an address in which neither any file's network nor a subnet begins or ends. */
export function oracleNetwork(world: OracleWorld, address: OracleAddress): OraclePrefix {
  const text = oracleText(address);
  let length = 0;
  for (const reader of world.readers) {
    if (answersFor(reader, address.family)) length = Math.max(length, reader.getWithPrefixLength(text)[1]);
  }
  const isCut = (prefix: OraclePrefix) =>
    world.subnets.some((subnet) => subnet.family === prefix.family && subnet.length > prefix.length && holds(prefix, subnet));
  while (isCut(oracleCut(address, length))) length++;
  for (const subnet of world.subnets) if (holds(subnet, address)) length = Math.max(length, subnet.length);
  return oracleCut(address, length);
}

/**
 * Enumerates the networks inside a prefix, in address order.
 *
 * @param visit is given each network; returns false to stop
 */
export function oracleNetworks(world: OracleWorld, prefix: OraclePrefix, visit: (network: OraclePrefix) => boolean): void {
  const end = prefix.value + (1n << BigInt(bitsOf(prefix.family) - prefix.length));
  for (let at = prefix.value; at < end; ) {
    const found = oracleNetwork(world, { family: prefix.family, value: at });
    const network = found.length < prefix.length ? prefix : found;
    if (!visit(network)) return;
    at = network.value + (1n << BigInt(bitsOf(network.family) - network.length));
  }
}

/** Whether every address of a prefix is of one class. */
export function oracleIsUniform(world: OracleWorld, prefix: OraclePrefix, classOf: (place: OraclePlace) => number): boolean {
  const wanted = classOf(oraclePlace(world, prefix));
  let uniform = true;
  oracleNetworks(world, prefix, (network) => {
    uniform = classOf(oraclePlace(world, network)) === wanted;
    return uniform;
  });
  return uniform;
}

/** The right ECS scope: length of the shortest prefix around an address in which every address is of one class. */
export function oracleScope(world: OracleWorld, address: OracleAddress, classOf: (place: OraclePlace) => number): number {
  let length = oracleNetwork(world, address).length;
  while (length > 0 && oracleIsUniform(world, oracleCut(address, length - 1), classOf)) length--;
  return length;
}

/**
 * The classes that may answer a whole prefix: a required one if any part is in one, else that of most addresses, ties to the lowest. It
 * is one class, but for IPv6 prefixes in which others hold almost exactly as many addresses: below 2⁻⁵⁰ of the prefix we do not quarrel.
 */
export function oraclePrefixClasses(
  world: OracleWorld,
  prefix: OraclePrefix,
  classOf: (place: OraclePlace) => number,
  isRequired: (klass: number) => boolean,
): readonly number[] {
  const addresses = new Map<number, bigint>();
  oracleNetworks(world, prefix, (network) => {
    const klass = classOf(oraclePlace(world, network));
    addresses.set(klass, (addresses.get(klass) ?? 0n) + (1n << BigInt(bitsOf(network.family) - network.length)));
    return true;
  });
  const required = [...addresses].filter(([klass]) => isRequired(klass));
  const candidates = required.length > 0 ? required : [...addresses];
  const [most = 0n] = candidates.map(([, count]) => count).sort((a, b) => (a === b ? 0 : a > b ? -1 : 1));
  const slack = (1n << BigInt(bitsOf(prefix.family) - prefix.length)) >> 50n;
  const best = Math.min(...candidates.filter(([, count]) => count === most).map(([klass]) => klass));
  return [best, ...candidates.filter(([, count]) => count < most && most - count < slack).map(([klass]) => klass)];
}

/** Great-circle kilometres by the angle between position vectors: another formula than the one that it judges. */
export function oracleKm(latitude1: number, longitude1: number, latitude2: number, longitude2: number): number {
  const vector = (latitude: number, longitude: number): [number, number, number] => {
    const [phi, lambda] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
    return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
  };
  const [a, b] = [vector(latitude1, longitude1), vector(latitude2, longitude2)];
  const cross = Math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]);
  return 6371.0088 * Math.atan2(cross, a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
}
