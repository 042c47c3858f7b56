/** Fields of objects whose form nobody vouches for: what is not as expected counts as absent. */

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** The member at the end of a path of names, or undefined. */
export function fieldOf(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const name of path) at = isFields(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  return at;
}

/** The list at the end of a path; empty when there is none. */
export function listOf(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = fieldOf(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The text at the end of a path; undefined when it is none or empty. */
export function textOf(value: unknown, ...path: readonly string[]): string | undefined {
  const found = fieldOf(value, ...path);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** The texts in the list at the end of a path. */
export const textsOf = (value: unknown, ...path: readonly string[]): readonly string[] =>
  listOf(value, ...path).filter((entry): entry is string => typeof entry === "string" && entry !== "");

/** Each once, in the order of their first mention. */
export const unique = (texts: Iterable<string>): readonly string[] => [...new Set(texts)];
