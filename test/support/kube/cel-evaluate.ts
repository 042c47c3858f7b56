/** Evaluates expressions of the Common Expression Language: the part of it that validation rules use. */
import type { Expression } from "./cel-parse.ts";
import {
  CelError,
  type CelTime,
  type CelValue,
  celEqual,
  isList,
  isMap,
  isNumber,
  isTime,
  parseDuration,
  parseTimestamp,
} from "./cel-values.ts";

export type Bindings = ReadonlyMap<string, CelValue>;

/** @throws CelError when it has no value, such as for a field that is not there */
export function evaluateCel(expression: Expression, bindings: Bindings): CelValue {
  const evaluate = (inner: Expression): CelValue => evaluateCel(inner, bindings);
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "name": {
      const value = bindings.get(expression.name);
      if (value === undefined) throw new CelError(`undeclared reference to '${expression.name}'`);
      return value;
    }
    case "list":
      return expression.items.map(evaluate);
    case "select":
      return fieldOf(evaluate(expression.of), expression.field);
    case "index":
      return itemOf(evaluate(expression.of), evaluate(expression.index));
    case "choice":
      return evaluate(expression.test) === true ? evaluate(expression.yes) : evaluate(expression.no);
    case "unary":
      return negate(expression.operator, evaluate(expression.of));
    case "binary":
      if (expression.operator === "&&" || expression.operator === "||") return logical(expression, bindings);
      return operate(expression.operator, evaluate(expression.left), evaluate(expression.right));
    case "call":
      return macro(expression, bindings) ?? call(expression, evaluate);
  }
}

function fieldOf(value: CelValue, field: string): CelValue {
  const found = isMap(value) ? value.get(field) : undefined;
  if (found === undefined) throw new CelError(`no such key: ${field}`);
  return found;
}

function itemOf(value: CelValue, index: CelValue): CelValue {
  const found = isMap(value) && typeof index === "string" ? value.get(index) : isList(value) ? value[Number(index)] : undefined;
  if (found === undefined) throw new CelError(`no such key: ${String(index)}`);
  return found;
}

function negate(operator: string, value: CelValue): CelValue {
  if (operator === "!" && typeof value === "boolean") return !value;
  if (operator === "-" && isNumber(value)) return -value;
  throw new CelError("no such overload");
}

/** An error on one side does not count where the other side decides (cel-spec, "Logical operators"). */
function logical({ operator, left, right }: Extract<Expression, { kind: "binary" }>, bindings: Bindings): CelValue {
  const decides = operator === "||";
  let failure: unknown;
  for (const side of [left, right]) {
    try {
      if (evaluateCel(side, bindings) === decides) return decides;
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return !decides;
}

function operate(operator: string, left: CelValue, right: CelValue): CelValue {
  switch (operator) {
    case "==":
      return celEqual(left, right);
    case "!=":
      return !celEqual(left, right);
    case "in":
      if (isList(right)) return right.some((one) => celEqual(one, left));
      if (isMap(right)) return typeof left === "string" && right.has(left);
      throw new CelError("no such overload");
    case "<":
      return compare(left, right) < 0;
    case "<=":
      return compare(left, right) <= 0;
    case ">":
      return compare(left, right) > 0;
    case ">=":
      return compare(left, right) >= 0;
    default:
      return arithmetic(operator, left, right);
  }
}

function compare(left: CelValue, right: CelValue): number {
  const [a, b] = isTime(left) && isTime(right) && left.kind === right.kind ? [left.nanos, right.nanos] : [left, right];
  if ((isNumber(a) && isNumber(b)) || (typeof a === "string" && typeof b === "string")) return a < b ? -1 : a > b ? 1 : 0;
  throw new CelError("no such overload");
}

function arithmetic(operator: string, left: CelValue, right: CelValue): CelValue {
  if (isTime(left) && isTime(right)) return timeSum(operator, left, right);
  if (operator === "+" && typeof left === "string" && typeof right === "string") return left + right;
  if (operator === "+" && isList(left) && isList(right)) return [...left, ...right];
  if (typeof left === "bigint" && typeof right === "bigint") {
    if (operator === "+") return left + right;
    if (operator === "-") return left - right;
    if (operator === "*") return left * right;
    if (right === 0n) throw new CelError(operator === "%" ? "modulus by zero" : "division by zero");
    return operator === "/" ? left / right : left % right;
  }
  if (typeof left === "number" && typeof right === "number" && operator !== "%") {
    if (operator === "+") return left + right;
    if (operator === "-") return left - right;
    return operator === "*" ? left * right : left / right;
  }
  throw new CelError("no such overload");
}

function timeSum(operator: string, left: CelTime, right: CelTime): CelValue {
  const nanos = operator === "+" ? left.nanos + right.nanos : left.nanos - right.nanos;
  const points = [left, right].filter(({ kind }) => kind === "timestamp").length;
  return { kind: points === 1 ? "timestamp" : "duration", nanos };
}

/** `has`, and what walks through a list or the keys of a map. */
function macro({ of, name, args }: Extract<Expression, { kind: "call" }>, bindings: Bindings): CelValue | undefined {
  const [first, second, third] = args;
  if (of === undefined && name === "has" && first?.kind === "select") {
    const owner = evaluateCel(first.of, bindings);
    return isMap(owner) && owner.has(first.field);
  }
  if (of === undefined || first?.kind !== "name" || second === undefined || !MACROS.has(name)) return undefined;
  const range = evaluateCel(of, bindings);
  const items = isList(range) ? range : isMap(range) ? [...range.keys()] : [];
  const each = (item: CelValue, body: Expression): CelValue => evaluateCel(body, new Map([...bindings, [first.name, item]]));
  switch (name) {
    case "all":
      return items.every((item) => each(item, second) === true);
    case "exists":
      return items.some((item) => each(item, second) === true);
    case "exists_one":
      return items.filter((item) => each(item, second) === true).length === 1;
    case "filter":
      return items.filter((item) => each(item, second) === true);
    default:
      return third === undefined
        ? items.map((item) => each(item, second))
        : items.filter((item) => each(item, second) === true).map((item) => each(item, third));
  }
}

const MACROS: ReadonlySet<string> = new Set(["all", "exists", "exists_one", "filter", "map"]);

function call({ of, name, args }: Extract<Expression, { kind: "call" }>, evaluate: (inner: Expression) => CelValue): CelValue {
  const values = [...(of === undefined ? [] : [of]), ...args].map(evaluate);
  const run = FUNCTIONS[name];
  if (run === undefined) throw new CelError(`undeclared reference to '${name}'`);
  const [first, second] = values;
  const result = first === undefined ? undefined : run(first, second ?? null);
  if (result === undefined) throw new CelError(`found no matching overload for '${name}'`);
  return result;
}

const onText =
  (run: (text: string, other: string) => CelValue) =>
  (a: CelValue, b: CelValue): CelValue | undefined =>
    typeof a === "string" ? run(a, typeof b === "string" ? b : "") : undefined;
const onDuration =
  (divisor: bigint) =>
  (value: CelValue): CelValue | undefined =>
    isTime(value) && value.kind === "duration" ? value.nanos / divisor : undefined;

/** By name; a function and the method of the same name are one. */
const FUNCTIONS: Readonly<Record<string, (a: CelValue, b: CelValue) => CelValue | undefined>> = {
  size: (value) => {
    if (typeof value === "string") return BigInt([...value].length);
    return isList(value) ? BigInt(value.length) : isMap(value) ? BigInt(value.size) : undefined;
  },
  matches: onText((text, pattern) => new RegExp(pattern, "u").test(text)),
  contains: onText((text, part) => text.includes(part)),
  startsWith: onText((text, part) => text.startsWith(part)),
  endsWith: onText((text, part) => text.endsWith(part)),
  lowerAscii: onText((text) => text.toLowerCase()),
  split: onText((text, separator) => text.split(separator)),
  duration: (value) => (isTime(value) && value.kind === "duration" ? value : typeof value === "string" ? parseDuration(value) : undefined),
  timestamp: (value) =>
    isTime(value) && value.kind === "timestamp" ? value : typeof value === "string" ? parseTimestamp(value) : undefined,
  int: (value) =>
    typeof value === "string" && /^-?\d+$/.test(value) ? BigInt(value) : isNumber(value) ? BigInt(Math.trunc(Number(value))) : undefined,
  double: (value) => (typeof value === "string" || isNumber(value) ? Number(value) : undefined),
  string: (value) => (typeof value === "string" ? value : isNumber(value) || typeof value === "boolean" ? `${value}` : undefined),
  getMilliseconds: onDuration(1_000_000n),
  getSeconds: onDuration(1_000_000_000n),
  getMinutes: onDuration(60_000_000_000n),
  getHours: onDuration(3_600_000_000_000n),
};
