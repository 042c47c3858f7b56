/** The world that every server of `bench/dns.ts` is given: eight clusters, who is sent to which, and the names. */
import { seededRandom } from "./statistics.ts";

export interface Datacenter {
  /** Also its AWS region. */
  readonly name: string;
  /** Answered for it. Loopback, so that our server can probe what it answers. */
  readonly address: string;
}

const datacenter = (name: string, number: number): Datacenter => ({ name, address: `127.0.1.${number}` });

/** In the order in which they stand in for each other. The first serves clients of unknown place. */
export const DATACENTERS: readonly Datacenter[] = [
  datacenter("eu-central-1", 5),
  datacenter("eu-west-1", 4),
  datacenter("us-east-1", 1),
  datacenter("us-west-2", 2),
  datacenter("sa-east-1", 3),
  datacenter("af-south-1", 6),
  datacenter("ap-south-1", 8),
  datacenter("ap-northeast-1", 7),
];

export interface SteeringRule {
  /** Members of {@link DATACENTERS} by name. */
  readonly to: string;
  /** ISO 3166-1 alpha-2, all on the continent of one rule below. */
  readonly countries: readonly string[];
  readonly continents: readonly string[];
}

/** The first rule that names a client's country or continent counts. */
export const RULES: readonly SteeringRule[] = [
  { to: "us-west-2", countries: ["CA", "MX"], continents: [] },
  { to: "us-east-1", countries: [], continents: ["NA"] },
  { to: "sa-east-1", countries: [], continents: ["SA"] },
  { to: "eu-west-1", countries: ["BE", "ES", "FR", "GB", "IE", "IS", "LU", "NL", "PT"], continents: [] },
  { to: "eu-central-1", countries: [], continents: ["EU", "AN"] },
  { to: "af-south-1", countries: [], continents: ["AF"] },
  { to: "ap-south-1", countries: ["AE", "BD", "BT", "IL", "IN", "IQ", "IR", "JO", "LK", "MV", "NP", "PK", "SA"], continents: [] },
  { to: "ap-northeast-1", countries: [], continents: ["AS", "OC"] },
];

export interface Country {
  /** ISO 3166-1 alpha-2. */
  readonly code: string;
  /** Two letters: AF AN AS EU NA OC SA. */
  readonly continent: string;
}

/** The datacenter of a client whose country is known. */
export function datacenterOf({ code, continent }: Country): Datacenter {
  const rule = RULES.find(({ countries, continents }) => countries.includes(code) || continents.includes(continent));
  return DATACENTERS.find(({ name }) => name === rule?.to) ?? DATACENTERS[0]!;
}

/** Datacenter first, then the others in their order: who answers when it cannot. */
export const preference = (first: Datacenter): readonly Datacenter[] => [first, ...DATACENTERS.filter((other) => other !== first)];

export const ZONE = "example.org";
/** Asked by the workloads with one name. */
export const ONE_NAME = `www.${ZONE}`;
/** Asked by the workload with many, equally long. */
export const MANY_NAMES: readonly string[] = Array.from({ length: 10_000 }, (_, i) => `n${String(i).padStart(4, "0")}.${ZONE}`);
/** Seconds, of every record. */
export const TTL = 60;

/**
 * Networks /24 that somebody has, at random.
 *
 * @param isAllocated whether an address has a country
 */
export function drawClients(count: number, seed: number, isAllocated: (address: number) => boolean): Uint32Array {
  const random = seededRandom(seed);
  return Uint32Array.from({ length: count }, () => {
    for (;;) {
      const network = (Math.floor(random() * 0x100_0000) << 8) >>> 0;
      if (network >>> 24 !== 127 && isAllocated(network)) return network;
    }
  });
}
