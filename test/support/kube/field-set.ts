/**
 * Sets of fields in the form of `managedFields[].fieldsV1`: each key is one step of a path (`f:name`, `k:{"name":"x"}`, `v:"a"`), an empty
 * object is a member, and `.` says that a step with others below it is a member itself.
 */
import { isObject, type Json, type JsonObject } from "./json.ts";

export interface FieldSet {
  readonly [step: string]: FieldSet;
}

export const NO_FIELDS: FieldSet = {};
const MEMBER = ".";

const stepsOf = (node: FieldSet | undefined): readonly string[] => Object.keys(node ?? {}).filter((step) => step !== MEMBER);

/** Whether a step below the root is itself in the set. */
export const isMember = (node: FieldSet | undefined): boolean => node !== undefined && (MEMBER in node || Object.keys(node).length === 0);

/** Makes a step of a set; undefined when there would be nothing in it. */
export function fieldNode(member: boolean, steps: Readonly<Record<string, FieldSet>>): FieldSet | undefined {
  if (Object.keys(steps).length === 0) return member ? {} : undefined;
  return member ? { [MEMBER]: {}, ...steps } : steps;
}

type Keep = (inA: boolean, inB: boolean) => boolean;

function combineNodes(a: FieldSet | undefined, b: FieldSet | undefined, keep: Keep, member: boolean): FieldSet | undefined {
  const steps: Record<string, FieldSet> = {};
  for (const step of new Set([...stepsOf(a), ...stepsOf(b)])) {
    const [left, right] = [a?.[step], b?.[step]];
    const node = combineNodes(left, right, keep, keep(isMember(left), isMember(right)));
    if (node !== undefined) steps[step] = node;
  }
  return fieldNode(member, steps);
}

const combine =
  (keep: Keep) =>
  (a: FieldSet, b: FieldSet): FieldSet =>
    combineNodes(a, b, keep, false) ?? NO_FIELDS;

export const union = combine((inA, inB) => inA || inB);
export const difference = combine((inA, inB) => inA && !inB);
export const intersection = combine((inA, inB) => inA && inB);

export const isEmptySet = (set: FieldSet): boolean => Object.keys(set).length === 0;

/** Reads what an object carries. */
export const fieldSetOf = (value: Json | undefined): FieldSet =>
  isObject(value) ? Object.fromEntries(Object.entries(value).map(([step, inner]) => [step, fieldSetOf(inner)])) : NO_FIELDS;

export const fieldSetJson = (set: FieldSet): JsonObject =>
  Object.fromEntries(
    Object.entries(set)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([step, inner]) => [step, fieldSetJson(inner)]),
  );

/** The members as paths such as `.spec.ports[name="p"].number`, in the order in which conflicts are told. */
export function pathsOf(set: FieldSet, prefix = ""): readonly string[] {
  const steps = [...stepsOf(set)].sort();
  const members = steps.filter((step) => isMember(set[step])).map((step) => `${prefix}${shown(step)}`);
  return [...members, ...steps.flatMap((step) => pathsOf(set[step] ?? NO_FIELDS, `${prefix}${shown(step)}`))];
}

function shown(step: string): string {
  const rest = step.slice(2);
  if (step.startsWith("f:")) return `.${rest}`;
  if (step.startsWith("v:")) return `[=${rest}]`;
  const keys: Json = JSON.parse(rest);
  return `[${Object.entries(isObject(keys) ? keys : {})
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(",")}]`;
}
