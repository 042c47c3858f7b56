/** Label and field selectors of list and watch requests. */
import { type Json, type JsonObject, objectAt, textAt } from "./json.ts";
import { badRequest } from "./status-error.ts";

export type Selector = (object: JsonObject) => boolean;

/** @throws StatusError 400 for a selector that cannot be read */
export function parseSelectors(labelSelector: string, fieldSelector: string, selectable: readonly string[]): Selector {
  const tests = [...labelTests(labelSelector), ...fieldTests(fieldSelector, selectable)];
  return (object) => tests.every((test) => test(object));
}

const NAME = "[-A-Za-z0-9_./]+";
const EQUALITY = new RegExp(`^(${NAME})\\s*(=|==|!=)\\s*([-A-Za-z0-9_.]*)$`);
const SET = new RegExp(`^(${NAME})\\s+(in|notin)\\s*\\(([^)]*)\\)$`);
const EXISTENCE = new RegExp(`^(!?)\\s*(${NAME})$`);

function labelTests(selector: string): readonly Selector[] {
  return split(selector).map((text) => {
    const [, existing, name = ""] = EXISTENCE.exec(text) ?? [];
    if (existing !== undefined) return (object) => Object.hasOwn(labelsOf(object), name) === (existing === "");
    const [, key = "", operator, value = ""] = EQUALITY.exec(text) ?? [];
    if (operator !== undefined) return (object) => (labelsOf(object)[key] === value) === (operator !== "!=");
    const [, set = "", membership, list = ""] = SET.exec(text) ?? [];
    if (membership === undefined) {
      const found = text.split(/\s+/)[1] ?? "";
      throw badRequest(`unable to parse requirement: found '${found}', expected: in, notin, =, ==, !=, gt, lt`);
    }
    const values: ReadonlySet<Json | undefined> = new Set(list.split(",").map((one) => one.trim()));
    return (object) => values.has(labelsOf(object)[set]) === (membership === "in");
  });
}

function fieldTests(selector: string, selectable: readonly string[]): readonly Selector[] {
  return split(selector).map((text) => {
    const [, field = "", operator, value = ""] = /^([^=!]+)(=|==|!=)(.*)$/.exec(text) ?? [];
    if (operator === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${text}'`);
    if (!["metadata.name", "metadata.namespace", ...selectable].includes(field)) {
      throw badRequest(`field label not supported: ${field}`);
    }
    return (object) => (textAt(object, ...field.split(".")) === value) === (operator !== "!=");
  });
}

const labelsOf = (object: JsonObject): JsonObject => objectAt(object, "metadata", "labels");

/** At commas outside of parentheses. */
const split = (selector: string): readonly string[] =>
  selector
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
