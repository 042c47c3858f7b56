import { expect, test } from "vitest";
import { continentOf, parseCountry } from "./countries.ts";
import { countrySets } from "./country-sets.ts";

test.each([
  ["DE", "EU"],
  ["US", "NA"],
  ["JP", "AS"],
  ["BR", "SA"],
  ["ZA", "AF"],
  ["AU", "OC"],
  ["AQ", "AN"],
  ["XK", "EU"],
  ["NO", "EU"],
])("%s lies in %s", (country, continent) => {
  expect(parseCountry(country)).toEqual({ value: country });
  expect(continentOf(country)).toBe(continent);
});

test("all 249 codes of ISO 3166-1 and XK are known", () => {
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const known = letters.flatMap((a) => letters.map((b) => a + b)).filter((code) => continentOf(code) !== undefined);
  expect(known).toHaveLength(250);
});

test.each([
  ["UK", "GB"],
  ["EL", "GR"],
  ["EU", "sets: [eu]"],
  ["de", "Write DE."],
  ["DEU", "two capital letters"],
])("%s is refused with the remedy %s", (text, remedy) => {
  expect(parseCountry(text)).toMatchObject({ fault: { code: "field-value", remedy: expect.stringContaining(remedy) } });
});

test("sets hold known countries, each once", () => {
  for (const set of Object.values(countrySets)) {
    expect(new Set(set).size).toBe(set.length);
    expect(set.filter((country) => continentOf(country) === undefined)).toEqual([]);
  }
});

test("the Union has 27 member states and 7 parts with codes of their own; Norway is in the EEA, Britain and Switzerland are in neither", () => {
  expect(countrySets.eu).toHaveLength(27 + 7);
  expect(countrySets.eu).toContain("RE");
  expect(countrySets.eu).not.toContain("NO");
  expect(countrySets["eu-gdpr"]).toHaveLength(27 + 7 + 3);
  expect(countrySets["eu-gdpr"]).toContain("NO");
  for (const outside of ["GB", "CH", "GL", "SJ"]) expect(countrySets["eu-gdpr"]).not.toContain(outside);
});
