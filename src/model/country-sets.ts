/**
 * Named sets of countries for `clients.sets`.
 *
 * Sources: the member states as listed by the European Union (27 since 2020-02-01); the EEA Agreement adds Iceland, Liechtenstein and
 * Norway, and the GDPR applies in all 30 (decision of the EEA Joint Committee 154/2018). Geo databases report the parts of France and
 * Finland that have ISO codes of their own under those, and Art. 355(1) TFEU and Protocol 2 of Finland's accession put them inside the
 * Union: Åland (AX), French Guiana (GF), Guadeloupe (GP), Saint-Martin (MF), Martinique (MQ), Réunion (RE), Mayotte (YT). Outside it stay
 * the overseas countries and territories of Annex II (Greenland, New Caledonia, …), the Faroes, and Svalbard (SJ).
 */
const members = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split(" ");
const partsWithOwnCode = "AX GF GP MF MQ RE YT".split(" ");
const eea = [...members, ...partsWithOwnCode, "IS", "LI", "NO"];

export const countrySets = {
  eu: [...members, ...partsWithOwnCode],
  eea,
  "eu-gdpr": eea,
} as const satisfies Record<string, readonly string[]>;

export type CountrySet = keyof typeof countrySets;
export const countrySetNames = ["eu", "eea", "eu-gdpr"] as const satisfies readonly CountrySet[];
