/** A network of each country: something to ask with when only a country was named. Pure. */
import type { GeoTable } from "./geo-table.ts";

/** Narrower networks are not looked at: there are a hundred times as many, and hardly a country has no wider one. */
const NARROWEST = 20;

/** @returns country → its widest IPv4 network in CIDR text, the lowest of several; a country without one of at most /20 is absent */
export function sampleNetworks({ places, leafPlace, children, v4TrieRoot }: GeoTable): ReadonlyMap<string, string> {
  const widest = new Map<string, { readonly length: number; readonly address: number }>();
  const visit = (entry: number, address: number, length: number): void => {
    if (entry >= 0) {
      if (length === NARROWEST) return;
      visit(children[2 * entry]!, address, length + 1);
      visit(children[2 * entry + 1]!, address + 2 ** (31 - length), length + 1);
      return;
    }
    const country = places[leafPlace[~entry]!]?.country;
    if (country === undefined) return;
    const known = widest.get(country);
    if (known === undefined || length < known.length) widest.set(country, { length, address });
  };
  visit(v4TrieRoot, 0, 0);
  return new Map([...widest].map(([country, { address, length }]) => [country, `${dotted(address)}/${length}`]));
}

const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
