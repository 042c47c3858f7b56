/** Codes of countries and continents. */
import { type Decoded, decoded, fault } from "./fault.ts";

export const continents = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"] as const;
export type Continent = (typeof continents)[number];

/** ISO 3166-1 alpha-2 as of 2026 (249 codes) and XK, which geo databases use for Kosovo, by continent as GeoNames assigns them. */
const codes: Readonly<Record<Continent, string>> = {
  AF: "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW",
  AN: "AQ BV GS HM TF",
  AS: "AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE",
  EU: "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK",
  NA: "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT US VC VG VI",
  OC: "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS",
  SA: "AR BO BR CL CO EC FK GF GY PE PY SR UY VE",
};

const continentByCountry: ReadonlyMap<string, Continent> = new Map(
  continents.flatMap((continent) => codes[continent].split(" ").map((country) => [country, continent] as const)),
);

/** @returns undefined for what is not a country's code */
export const continentOf = (country: string): Continent | undefined => continentByCountry.get(country);

/** Codes that people write and ISO 3166-1 does not assign to a country. */
const mistaken: Readonly<Record<string, string>> = {
  UK: "Write GB: that is the United Kingdom's ISO code.",
  EL: "Write GR: that is Greece's ISO code.",
  EU: "The European Union is a set: write sets: [eu], or sets: [eu-gdpr] with Iceland, Liechtenstein and Norway.",
};

/** @returns the code, or a fault with the code that was probably meant */
export function parseCountry(text: string): Decoded<string> {
  if (continentByCountry.has(text)) return decoded(text);
  const known = mistaken[text.toUpperCase()];
  if (known !== undefined) return fault("field-value", "is not a country", known);
  if (continentByCountry.has(text.toUpperCase())) return fault("field-value", "is not in capital letters", `Write ${text.toUpperCase()}.`);
  return fault("field-value", "is not a country", "Write an ISO 3166-1 code of two capital letters, such as DE.");
}
