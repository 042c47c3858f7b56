/**
 * Whether an answer keeps to the Require rules of its route: read from the rules and the client's place alone, so that a fault in what
 * compiles or decides would show here. Pure.
 */
import type { Place } from "../geo/geo-table.ts";
import type { Route, Rule } from "../model/inventory.ts";

/**
 * @param subnets  that {@link Place.subnets} counts
 * @param clusters of the answer
 * @returns rules that do not allow a cluster of the answer, with that cluster
 */
export function violations(
  route: Pick<Route, "rules">,
  place: Place,
  subnets: readonly string[],
  clusters: readonly string[],
): readonly { readonly rule: string; readonly cluster: string }[] {
  return route.rules
    .filter((rule) => rule.mode === "Require" && appliesTo(rule, place, subnets))
    .flatMap((rule) => clusters.filter((cluster) => !rule.to.includes(cluster)).map((cluster) => ({ rule: rule.name, cluster })));
}

function appliesTo({ clients, unknownPlace }: Rule, place: Place, subnets: readonly string[]): boolean {
  const { continent, country, subdivisions, asn } = place;
  const isIn = <T>(list: readonly T[], value: T | undefined): boolean => value !== undefined && list.includes(value);
  const matches =
    isIn(clients.continents, continent) ||
    isIn(clients.countries, country) ||
    isIn(clients.asns, asn) ||
    clients.subdivisions.some((code) => subdivisions?.includes(code)) ||
    clients.subnets.some((subnet) => place.subnets?.some((index) => subnets[index] === subnet));
  if (matches || unknownPlace === "Skip") return matches;
  // What nobody knows of this client could be what the rule asks for.
  const couldMatchSubdivision = clients.subdivisions.some((code) => country === undefined || code.slice(0, 2) === country);
  return (
    (clients.continents.length > 0 && continent === undefined) ||
    (clients.countries.length > 0 && country === undefined) ||
    (clients.asns.length > 0 && asn === undefined) ||
    (subdivisions === undefined && couldMatchSubdivision)
  );
}
