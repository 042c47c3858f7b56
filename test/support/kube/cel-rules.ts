/** The CEL rules of a CRD's schema (`x-kubernetes-validations`), read once and evaluated against objects. */
import { type Bindings, evaluateCel } from "./cel-evaluate.ts";
import { type Expression, parseCel } from "./cel-parse.ts";
import { CelError, type CelValue, celValue } from "./cel-values.ts";
import { equal, isArray, isObject, type Json } from "./json.ts";
import { extraSchema, type Schema, type ValidationRule } from "./schema.ts";
import type { Cause } from "./status-error.ts";
import { oldItems, typeName } from "./validate.ts";

/** Every rule of a schema, by its text. */
export type CompiledRules = ReadonlyMap<string, Expression>;

/** @throws SyntaxError for a rule that cannot be read */
export function compileRules(schema: Schema): CompiledRules {
  const compiled = new Map<string, Expression>();
  const visit = (part: Schema): void => {
    for (const { rule, messageExpression } of part["x-kubernetes-validations"] ?? []) {
      for (const text of [rule, messageExpression]) if (text !== undefined) compiled.set(text, parseCel(text));
    }
    for (const inner of Object.values(part.properties ?? {})) visit(inner);
    if (part.items !== undefined) visit(part.items);
    const extra = extraSchema(part);
    if (extra !== undefined) visit(extra);
  };
  visit(schema);
  return compiled;
}

/**
 * @param old what stood there before, if anything: what was not changed is not refused (ratcheting)
 * @returns why the object is refused
 */
export function checkRules(value: Json, old: Json | undefined, schema: Schema, rules: CompiledRules): readonly Cause[] {
  return check(value, old, schema, "", rules);
}

function check(value: Json, old: Json | undefined, schema: Schema, path: string, rules: CompiledRules): readonly Cause[] {
  if (old !== undefined && equal(value, old)) return [];
  const own = (schema["x-kubernetes-validations"] ?? []).flatMap((rule) => apply(rule, value, old, schema, path, rules));
  if (isArray(value)) {
    const { items } = schema;
    if (items === undefined) return own;
    const before = oldItems(old, schema);
    return [...own, ...value.flatMap((item, index) => check(item, before(item), items, `${path}[${index}]`, rules))];
  }
  if (!isObject(value)) return own;
  const extra = extraSchema(schema);
  const inner = Object.entries(value).flatMap(([name, field]) => {
    const declared = schema.properties?.[name];
    const known = declared ?? extra;
    if (known === undefined) return [];
    const here = declared === undefined ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
    return check(field, isObject(old) ? old[name] : undefined, known, here, rules);
  });
  return [...own, ...inner];
}

const MENTIONS_OLD = /\boldSelf\b/;

function apply(
  rule: ValidationRule,
  value: Json,
  old: Json | undefined,
  schema: Schema,
  path: string,
  rules: CompiledRules,
): readonly Cause[] {
  const expression = rules.get(rule.rule);
  if (expression === undefined || (MENTIONS_OLD.test(rule.rule) && old === undefined)) return [];
  const message = rule.message ?? `failed rule: ${rule.rule}`;
  const cause = (shown: string, text: string): Cause => ({
    reason: rule.reason ?? "FieldValueInvalid",
    message: `Invalid value: ${shown}${text}`,
    field: `${path}${rule.fieldPath ?? ""}`,
  });
  try {
    const self = celValue(value, schema);
    const bindings: Bindings = new Map<string, CelValue>([
      ["self", self],
      ["oldSelf", old === undefined ? null : celValue(old, schema)],
    ]);
    if (evaluateCel(expression, bindings) === true) return [];
    const spoken = rule.messageExpression === undefined ? undefined : rules.get(rule.messageExpression);
    const told = spoken === undefined ? message : String(evaluateCel(spoken, bindings));
    // Of objects and lists the server tells the message alone.
    return [typeof value === "object" ? cause("", told) : cause(`${JSON.stringify(value)}: `, told)];
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return [cause(`"${typeName(value)}": `, `${error.message} evaluating rule: ${message}`)];
  }
}
