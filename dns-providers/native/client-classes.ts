/** Clients by what a provider knows of them: where they are, and their address. Pure. */
import type { Place } from "../../src/geo/geo-table.ts";
import { continentOf, continents } from "../../src/model/countries.ts";
import type { Rule } from "../../src/model/inventory.ts";
import { networkContains, parseNetwork } from "../../src/model/ip.ts";
import type { PolicyOf } from "../record-set.ts";

export interface PlaceClass {
  readonly by: PolicyOf<"Geo">;
  /** A client of the class, as rules see it. */
  readonly place: Place;
}

/** A country that no rule can name (ISO 3166-1 leaves it to its users): somewhere else on the continent. */
const ELSEWHERE = "ZZ";

/** The states and the federal district (ISO 3166-2:US); other parts of the US are countries of their own to the provider. */
const US_STATES: readonly string[] = [
  ...[
    "AK",
    "AL",
    "AR",
    "AZ",
    "CA",
    "CO",
    "CT",
    "DC",
    "DE",
    "FL",
    "GA",
    "HI",
    "IA",
    "ID",
    "IL",
    "IN",
    "KS",
    "KY",
    "LA",
    "MA",
    "MD",
    "ME",
    "MI",
  ],
  ...[
    "MN",
    "MO",
    "MS",
    "MT",
    "NC",
    "ND",
    "NE",
    "NH",
    "NJ",
    "NM",
    "NV",
    "NY",
    "OH",
    "OK",
    "OR",
    "PA",
    "RI",
    "SC",
    "SD",
    "TN",
    "TX",
    "UT",
    "VA",
  ],
  ...["VT", "WA", "WI", "WV", "WY"],
];

/**
 * All classes that rules could tell apart. Clients of unknown place are the ones that match nothing, which is why every continent is there.
 *
 * @param rules that ask for continents, countries and subdivisions of the US
 */
export function placeClasses(rules: readonly Rule[]): readonly PlaceClass[] {
  const clients = rules.map((rule) => rule.clients);
  const named = (member: "countries" | "subdivisions"): readonly string[] =>
    [...new Set(clients.flatMap((client) => client[member]))].sort();
  if (rules.length === 0) return [{ by: { kind: "Geo" }, place: {} }];
  // All states, as a client in none that is named is another than one whose state nobody knows.
  const subdivisions = named("subdivisions").length === 0 ? [] : US_STATES.map((code) => `US-${code}`);
  const countries = [...new Set([...named("countries"), ...(subdivisions.length > 0 ? ["US"] : [])])].sort();
  return [
    { by: { kind: "Geo" }, place: {} },
    ...continents.map(
      (continent): PlaceClass => ({ by: { kind: "Geo", continent }, place: { continent, country: ELSEWHERE, subdivisions: [] } }),
    ),
    ...countries.map((country): PlaceClass => {
      const continent = continentOf(country);
      const place = { country, ...(continent === undefined ? {} : { continent }) };
      return { by: { kind: "Geo", country }, place: country === "US" ? place : { ...place, subdivisions: [] } };
    }),
    ...subdivisions.map(
      (subdivision): PlaceClass => ({
        by: { kind: "Geo", subdivision },
        place: { continent: "NA", country: "US", subdivisions: [subdivision] },
      }),
    ),
  ];
}

/** The class that a client belongs to when its own is not told apart. */
export function widerClass(classes: readonly PlaceClass[], { by, place }: PlaceClass): PlaceClass | undefined {
  const find = (is: (wider: PlaceClass["by"]) => boolean): PlaceClass | undefined => classes.find((one) => is(one.by));
  if (by.subdivision !== undefined) return find(({ country }) => country === "US");
  if (by.country !== undefined) return find(({ continent }) => continent === place.continent);
  return by.continent === undefined
    ? undefined
    : find(({ continent, country, subdivision }) => (continent ?? country ?? subdivision) === undefined);
}

export interface SubnetClass {
  /** None: everybody else. */
  readonly subnets: readonly string[];
  /** The named subnets that hold a client of the class, by index, ascending. */
  readonly within: readonly number[];
}

/** @param subnets canonical, each once */
export function subnetClasses(subnets: readonly string[]): readonly SubnetClass[] {
  const networks = subnets.map((subnet) => parseNetwork(subnet)!);
  const classes = subnets.map((subnet, i): SubnetClass => {
    const inner = networks[i]!;
    const holders = networks.flatMap((outer, at) => (outer.length <= inner.length && networkContains(outer, inner) ? [at] : []));
    return { subnets: [subnet], within: holders };
  });
  return [{ subnets: [], within: [] }, ...classes];
}
