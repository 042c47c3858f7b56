/** One record of an mmdb file, whatever its dialect, as the few attributes that steering knows. */

/** Members that the file does not carry, or carries in no usable form, are absent. */
export interface PlaceRecord {
  /** Two letters: AF AN AS EU NA OC SA. */
  readonly continent?: string;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country?: string;
  /** ISO 3166-2 (`US-WA`), finest last. */
  readonly subdivisions?: readonly string[];
  readonly asn?: number;
  /** Degrees, rounded to a tenth; both or neither. */
  readonly latitude?: number;
  readonly longitude?: number;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads MaxMind's nested shape (`country.iso_code`, `location.latitude`, …) and the flat one (`country_code`, `latitude`, …, where numbers
 * may be text). The flat shape's `state1` is a name, not a code, and is not read: names cannot be matched against ISO 3166-2.
 *
 * @param value a decoded data record, or null for a network without one
 * @returns an empty record for anything that holds none of this; never throws
 */
export function placeRecord(value: unknown): PlaceRecord {
  const fields = asFields(value);
  const country = countryCode(asFields(fields.country).iso_code ?? fields.country_code ?? fields.country);
  const continent = continentCode(asFields(fields.continent).code ?? fields.continent_code ?? fields.continent);
  const subdivisions = country === undefined ? undefined : subdivisionCodes(country, fields.subdivisions);
  const asn = asNumber(fields.autonomous_system_number ?? fields.asn);
  const location = asFields(fields.location);
  const latitude = degrees(location.latitude ?? fields.latitude, 90);
  const longitude = degrees(location.longitude ?? fields.longitude, 180);
  // 0° N 0° E is open sea; files write it where they know nothing.
  const located = latitude !== undefined && longitude !== undefined && (latitude !== 0 || longitude !== 0);
  return {
    ...(continent !== undefined && { continent }),
    ...(country !== undefined && { country }),
    ...(subdivisions !== undefined && { subdivisions }),
    ...(asn !== undefined && { asn }),
    ...(located && { latitude, longitude }),
  };
}

/** Degrees as places hold them: to a tenth, without a negative zero. */
export const roundDegrees = (value: number): number => Math.round(value * 10) / 10 + 0;

function asFields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function countryCode(value: unknown): string | undefined {
  if (typeof value !== "string" || !/^[A-Za-z]{2}$/.test(value)) return undefined;
  const code = value.toUpperCase();
  return code === "ZZ" || code === "XX" ? undefined : code; // the two user-assigned codes that stand for "unknown"
}

function continentCode(value: unknown): string | undefined {
  return typeof value === "string" && /^(AF|AN|AS|EU|NA|OC|SA)$/.test(value) ? value : undefined;
}

function subdivisionCodes(country: string, value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const codes = value.flatMap((entry: unknown) => {
    const code = asFields(entry).iso_code;
    if (typeof code !== "string") return [];
    const part = code.toUpperCase().replace(`${country}-`, "");
    return /^[A-Z0-9]{1,3}$/.test(part) ? [`${country}-${part}`] : [];
  });
  return codes.length > 0 ? codes : undefined;
}

function asNumber(value: unknown): number | undefined {
  const text = typeof value === "number" ? String(value) : typeof value === "string" ? value.replace(/^AS/i, "") : "";
  if (!/^[1-9]\d{0,9}$/.test(text)) return undefined;
  const number = Number(text);
  return number <= 0xffff_ffff ? number : undefined;
}

function degrees(value: unknown, limit: number): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || !(Math.abs(number) <= limit)) return undefined;
  return roundDegrees(number);
}
