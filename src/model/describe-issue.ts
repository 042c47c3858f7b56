/** Turns what zod found into words: the fact with the value, and the next step. */
import type { z } from "zod";
import { count } from "./count.ts";
import { DURATION_PATTERN } from "./duration.ts";
import type { Fault } from "./fault.ts";
import { type FieldPath, formatPath } from "./manifest-object.ts";
import { didYouMean } from "./nearest-word.ts";
import { faultOf } from "./schema/parts.ts";
import { fieldNames, pathsOf, schemaAt } from "./schema-walk.ts";

/** A fault at a field of an object that has no identity yet. */
export interface FieldFault {
  readonly path: FieldPath;
  readonly part: "key" | "value";
  readonly fault: Fault;
}

/**
 * The faults that one zod issue stands for: one, but for unknown fields, which are one each.
 *
 * @param schema the schema that was asked
 * @param input  the whole value that it was asked about
 */
export function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType, input: unknown): readonly FieldFault[] {
  const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownField(key, path, schema));
  if (issue.code === "invalid_key") {
    const remedy = "Use letters, digits, -, _ and . (at most 63), with an optional DNS prefix and a slash before them.";
    return [{ path, part: "key", fault: { code: "field-format", message: `${show(path.at(-1))} is not a label key`, remedy } }];
  }
  const value = valueAt(input, path);
  const remedy = schemaAt(schema, path)?.meta.remedy;
  const fault =
    value === undefined
      ? missingField(path, schema)
      : describeValue(issue, value, typeof remedy === "string" ? remedy : undefined, path, schema);
  return [{ path, part: "value", fault }];
}

function missingField(path: FieldPath, schema: z.ZodType): Fault {
  const description = schemaAt(schema, path)?.meta.description;
  const purpose = typeof description === "string" ? ` ${firstSentence(description)}` : "";
  return { code: "field-missing", message: "is required, but missing", remedy: `Add ${String(path.at(-1))}.${purpose}` };
}

const firstSentence = (text: string): string => /^.*?[.:](?=\s|$)/.exec(text)?.[0].replace(/:$/, ".") ?? text;

/** Fields that people know from elsewhere or from later versions, and what to do instead. */
const elsewhere: Readonly<Record<string, string>> = {
  secretRef: "Remove it: nothing in a folder of files needs a Secret.",
  "<<": "Write the fields out: merge keys are not part of YAML 1.2.",
};

function unknownField(key: string, path: FieldPath, schema: z.ZodType): FieldFault {
  const known = fieldNames(schemaAt(schema, path));
  const within = formatPath(path);
  const others = pathsOf(key, schema);
  const near = didYouMean(key, known);
  let remedy = `Remove it; known here are ${known.join(", ")}.`;
  const instead = Object.hasOwn(elsewhere, key) ? elsewhere[key] : undefined;
  if (instead !== undefined) remedy = instead;
  else if (near !== "") remedy = near.trim();
  else if (others.length === 1) remedy = `Move it: its place is ${others[0]}.`;
  const message = `${show(key)} is not a field of ${within === "" ? "this object" : within}`;
  return { path: [...path, key], part: "key", fault: { code: "field-unknown", message, remedy } };
}

function describeValue(issue: z.core.$ZodIssue, value: unknown, remedy: string | undefined, path: FieldPath, schema: z.ZodType): Fault {
  const own = faultOf(issue);
  if (own !== undefined) return { ...own, message: `${show(value)} ${own.message}` };
  if (value === null) {
    return {
      code: "field-missing",
      message: "has no value",
      remedy: "Write its value behind the colon, or remove the line; its indentation may be off.",
    };
  }
  switch (issue.code) {
    case "invalid_type": {
      if (typeof value === "number" && schemaAt(schema, path)?.meta.pattern === DURATION_PATTERN)
        return { code: "field-type", message: `${value} is not a duration`, remedy: `Write it with its unit, for example ${value}s.` };
      const general = typeRemedy(issue.expected, value, fieldNames(schemaAt(schema, path)));
      return { code: "field-type", message: `${show(value)} is not ${typeName(issue.expected)}`, remedy: remedy ?? general };
    }
    case "invalid_value": {
      const allowed = issue.values.map(String);
      const near = typeof value === "string" ? didYouMean(value, allowed) : "";
      return {
        code: "field-value",
        message: `${show(value)} is not one of ${allowed.join(", ")}`,
        remedy: near === "" ? `Write ${allowed.length === 1 ? allowed[0] : "one of them"}.` : near.trim(),
      };
    }
    case "too_small":
    case "too_big":
      return outOfBounds(issue, value);
    default:
      return {
        code: "field-format",
        message: `${show(value)} is refused: ${issue.message}`,
        remedy: remedy ?? "See docs/reference.md for its form.",
      };
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping of fields",
  record: "a mapping of texts",
};
const typeName = (expected: string): string => typeNames[expected] ?? expected;

function typeRemedy(expected: string, value: unknown, fields: readonly string[]): string {
  const scalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  switch (expected) {
    case "string":
      return scalar ? `Put it in quotes: "${value}".` : "Write one text here.";
    case "number":
    case "int":
      return typeof value === "string" && /^-?\d+$/.test(value) ? `Write ${value}, without quotes.` : "Write a whole number.";
    case "boolean":
      return "Write true or false, without quotes.";
    case "array":
      return scalar ? `Put it in brackets: [${value}].` : "Begin each entry with a hyphen.";
    default:
      return fields.length === 0 ? "Write each entry as name: value." : `Write its fields on lines of their own: ${fields.join(", ")}.`;
  }
}

function outOfBounds(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, value: unknown): Fault {
  const [bound, side, change] =
    issue.code === "too_small" ? ([issue.minimum, "at least", "more"] as const) : ([issue.maximum, "at most", "fewer"] as const);
  const allowed = `${side} ${bound} ${bound === 1 ? "is" : "are"} allowed`;
  if (issue.origin === "array" && Array.isArray(value)) {
    const remedy = bound === 1 ? "Add an entry, or remove the field if it is optional." : `Write ${change} entries, or split the object.`;
    return { code: "field-range", message: `has ${count(value.length, "entry", "entries")}, and ${allowed}`, remedy };
  }
  if (issue.origin === "string" && typeof value === "string") {
    const message = value === "" ? "is empty" : `has ${count(value.length, "character")}, and ${allowed}`;
    return {
      code: "field-range",
      message,
      remedy: value === "" ? "Write a text, or remove the field if it is optional." : `Write ${change} characters.`,
    };
  }
  return { code: "field-range", message: `${show(value)} is out of range`, remedy: `Write ${side} ${bound}.` };
}

function valueAt(input: unknown, path: FieldPath): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

/** The value in one short piece; lists and mappings by their kind only, as aliases can make them endless. */
function show(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 76)}…"`;
}
