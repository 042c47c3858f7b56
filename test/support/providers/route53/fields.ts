/** Reads the members of an element as a schema would: unknown and repeated elements are refused, and so is what is no number or out of its range. */
import { constraint, invalidInput } from "./api-error.ts";
import type { Element } from "./xml.ts";

export interface Fields {
  /** Such as `changeBatch.changes.1.member`, for messages. */
  readonly path: string;
  has(name: string): boolean;
  text(name: string, length?: readonly [least: number, most: number]): string | undefined;
  requiredText(name: string, length?: readonly [least: number, most: number]): string;
  integer(name: string, range: readonly [least: number, most: number]): number | undefined;
  flag(name: string): boolean | undefined;
  /** One of the values, or absent. */
  choice<T extends string>(name: string, values: readonly T[]): T | undefined;
  child(name: string, members: readonly string[]): Fields | undefined;
  /** Elements named `member` inside of the element `name`; undefined when that is absent. */
  list(name: string, member: string): readonly Element[] | undefined;
}

const SCHEMA = "Invalid XML ; cvc-complex-type";

/**
 * @param members names that are allowed; their order is free, as it is in practice
 * @throws ApiError InvalidInput
 */
export function fieldsOf(parent: Element, path: string, members: readonly string[]): Fields {
  const byName = new Map<string, Element>();
  for (const child of parent.children) {
    if (!members.includes(child.name)) {
      throw invalidInput(`${SCHEMA}.2.4.a: Invalid content was found starting with element '${child.name}' in '${parent.name}'.`);
    }
    if (byName.has(child.name)) throw invalidInput(`${SCHEMA}.2.4.d: '${child.name}' appears twice in '${parent.name}'.`);
    byName.set(child.name, child);
  }
  const at = (name: string): string => [path, name.charAt(0).toLowerCase() + name.slice(1)].filter((part) => part !== "").join(".");
  const text = (name: string, [least, most]: readonly [number, number] = [0, Number.POSITIVE_INFINITY]): string | undefined => {
    const value = byName.get(name)?.text;
    if (value === undefined) return undefined;
    if (value.length > most) throw constraint(at(name), value, `have length less than or equal to ${most}`);
    if (value.length < least) throw constraint(at(name), value, `have length greater than or equal to ${least}`);
    return value;
  };
  return {
    path,
    has: (name) => byName.has(name),
    text,
    requiredText(name, length) {
      const value = text(name, length);
      if (value === undefined)
        throw invalidInput(`${SCHEMA}.2.4.b: The content of element '${parent.name}' is not complete. '${name}' is expected.`);
      return value;
    },
    integer(name, [least, most]) {
      const value = text(name);
      if (value === undefined) return undefined;
      if (!/^[+-]?\d{1,15}$/.test(value))
        throw invalidInput(`Invalid XML ; cvc-datatype-valid.1.2.1: '${value}' is not a valid value for 'integer'.`);
      if (Number(value) > most) throw constraint(at(name), value, `have value less than or equal to ${most}`);
      if (Number(value) < least) throw constraint(at(name), value, `have value greater than or equal to ${least}`);
      return Number(value);
    },
    flag(name) {
      const value = text(name);
      if (value === undefined) return undefined;
      if (!["true", "false", "1", "0"].includes(value)) {
        throw invalidInput(`Invalid XML ; cvc-datatype-valid.1.2.1: '${value}' is not a valid value for 'boolean'.`);
      }
      return value === "true" || value === "1";
    },
    choice(name, values) {
      const value = text(name);
      if (value === undefined) return undefined;
      const found = values.find((one) => one === value);
      if (found === undefined) throw constraint(at(name), value, `satisfy enum value set: [${values.join(", ")}]`);
      return found;
    },
    child(name, allowed) {
      const found = byName.get(name);
      return found === undefined ? undefined : fieldsOf(found, at(name), allowed);
    },
    list(name, member) {
      const found = byName.get(name)?.children;
      const other = found?.find((child) => child.name !== member);
      if (other !== undefined)
        throw invalidInput(`${SCHEMA}.2.4.a: Invalid content was found starting with element '${other.name}' in '${name}'.`);
      return found;
    },
  };
}
