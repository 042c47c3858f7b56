/** Narrowing of JSON from outside, with bounds. Everything here throws {@link Malformed} and nothing else. */

/** Its message is the place of what is wrong, never the value. */
export class Malformed extends Error {}

export function asObject(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  throw new Malformed(place);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Not empty. @param most characters */
export function asText(value: unknown, place: string, most: number): string {
  if (typeof value === "string" && value.length > 0 && value.length <= most) return value;
  throw new Malformed(place);
}

/** A whole number from 0 to `most`. */
export function asCount(value: unknown, place: string, most: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new Malformed(place);
}

export function asBoolean(value: unknown, place: string): boolean {
  if (typeof value === "boolean") return value;
  throw new Malformed(place);
}

export function asOneOf<T extends string>(value: unknown, place: string, all: readonly T[]): T {
  const found = all.find((one) => one === value);
  if (found === undefined) throw new Malformed(place);
  return found;
}

/** @param most entries */
export function asList<T>(value: unknown, place: string, most: number, decode: (entry: unknown) => T): T[] {
  if (!Array.isArray(value) || value.length > most) throw new Malformed(place);
  return value.map((entry: unknown) => decode(entry));
}

export const optional = <T>(value: unknown, decode: (value: unknown) => T): T | undefined =>
  value === undefined ? undefined : decode(value);
