/** Values of the Common Expression Language, and how JSON becomes one. */
import { isArray, isObject, type Json } from "./json.ts";
import { extraSchema, type Schema } from "./schema.ts";

/** Length of time or point in time, in nanoseconds (since the epoch). */
export interface CelTime {
  readonly kind: "duration" | "timestamp";
  readonly nanos: bigint;
}

/** `int` is a bigint and `double` a number. */
export type CelValue = null | boolean | bigint | number | string | CelTime | readonly CelValue[] | ReadonlyMap<string, CelValue>;

/** An evaluation that has no value. */
export class CelError extends Error {}

export const isList = (value: CelValue): value is readonly CelValue[] => Array.isArray(value);
export const isMap = (value: CelValue): value is ReadonlyMap<string, CelValue> => value instanceof Map;
export const isTime = (value: CelValue): value is CelTime => typeof value === "object" && value !== null && "nanos" in value;

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** As Go's `time.ParseDuration`. */
export function parseDuration(text: string): CelTime {
  const [, sign = "", rest = ""] = /^([-+]?)(.*)$/.exec(text) ?? [];
  const parts = [...rest.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  if (rest !== "0" && (parts.length === 0 || parts.map(([part]) => part).join("") !== rest)) {
    throw new CelError("type conversion error from 'string' to 'google.protobuf.Duration'");
  }
  let nanos = 0n;
  for (const [, amount = "", unit = ""] of parts) {
    const [whole = "", fraction = ""] = amount.split(".");
    const size = UNITS[unit] ?? 0n;
    nanos += BigInt(whole || "0") * size + (BigInt(fraction || "0") * size) / 10n ** BigInt(fraction.length);
  }
  return { kind: "duration", nanos: sign === "-" ? -nanos : nanos };
}

/** RFC 3339. */
export function parseTimestamp(text: string): CelTime {
  const [, seconds, fraction = "", zone = ""] =
    /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/.exec(text) ?? [];
  const millis = Date.parse(`${seconds}${zone}`);
  if (seconds === undefined || Number.isNaN(millis)) {
    throw new CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'");
  }
  return { kind: "timestamp", nanos: BigInt(millis) * 1_000_000n + BigInt(fraction.padEnd(9, "0")) };
}

/** What a rule sees of a field. */
export function celValue(value: Json, schema: Schema | undefined): CelValue {
  if (typeof value === "number") return Number.isInteger(value) && schema?.type !== "number" ? BigInt(value) : value;
  if (typeof value === "string" && schema?.format === "date-time") return parseTimestamp(value);
  if (typeof value === "string" && schema?.format === "duration") return parseDuration(value);
  if (isArray(value)) return value.map((item) => celValue(item, schema?.items));
  if (!isObject(value)) return value;
  const extra = schema === undefined ? undefined : extraSchema(schema);
  return new Map(Object.entries(value).map(([name, inner]) => [name, celValue(inner, schema?.properties?.[name] ?? extra)]));
}

export function celEqual(a: CelValue, b: CelValue): boolean {
  if (isNumber(a) && isNumber(b)) return Number(a) === Number(b);
  if (isList(a) && isList(b)) return a.length === b.length && a.every((one, index) => celEqual(one, b[index] ?? null));
  if (isMap(a) && isMap(b)) return a.size === b.size && [...a].every(([key, value]) => b.has(key) && celEqual(value, b.get(key) ?? null));
  if (isTime(a) && isTime(b)) return a.kind === b.kind && a.nanos === b.nanos;
  return a === b;
}

export const isNumber = (value: CelValue): value is bigint | number => typeof value === "bigint" || typeof value === "number";
