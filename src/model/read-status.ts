/** The status that is in an object already, read tolerantly: another version may have written it. */
import type { z } from "zod";
import { type Kind, kinds } from "./kinds.ts";
import type { StatusOf } from "./status.ts";

/**
 * @param raw `status` as the API server gives it
 * @returns what of it this version understands; undefined when it is no mapping at all. Conditions are never absent: what nobody has
 *          judged yet is Unknown with reason Pending.
 */
export function readStatus<K extends Kind>(kind: K, raw: unknown): StatusOf<K> | undefined;
export function readStatus(kind: Kind, raw: unknown): unknown {
  const schema: z.ZodType = kinds[kind].status;
  let value = raw;
  // Each round takes out one part, at worst the whole.
  for (;;) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    value = without(value, parsed.error.issues[0]?.path ?? []);
  }
}

/** The value without the part at the path; when that is missing, and so wrong for its absence, without what should hold it. */
function without(value: unknown, [step, ...rest]: readonly PropertyKey[]): unknown {
  if (step === undefined || typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
  const inner = without(Reflect.get(value, step), rest);
  if (Array.isArray(value))
    return inner === undefined ? value.filter((_, i) => i !== step) : value.map((entry, i) => (i === step ? inner : entry));
  const others = Object.entries(value).filter(([name]) => name !== step);
  return Object.fromEntries(inner === undefined ? others : [...others, [step, inner]]);
}
