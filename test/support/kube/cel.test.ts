import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluateCel } from "./cel-evaluate.ts";
import { parseCel } from "./cel-parse.ts";
import { checkRules, compileRules } from "./cel-rules.ts";
import { CelError, type CelValue, celValue } from "./cel-values.ts";
import { type Json, toJson } from "./json.ts";
import type { Schema } from "./schema.ts";

const run = (text: string, self: unknown = {}): CelValue =>
  evaluateCel(parseCel(text), new Map([["self", celValue(toJson(self), undefined)]]));

describe("expressions", () => {
  test.each<[string, unknown, CelValue]>([
    ["1 + 2 * 3 == 7", {}, true],
    ["(1 + 2) * 3", {}, 9n],
    ["7 / 2", {}, 3n],
    ["-7 % 3", {}, -1n],
    ["7.0 / 2.0", {}, 3.5],
    ["1 == 1.0 && 1 < 1.5", {}, true],
    ["'a' + \"b\" == r'ab'", {}, true],
    ["'it\\'s'.size()", {}, 4n],
    ["1 < 2 ? 'yes' : 'no'", {}, "yes"],
    ["true || false && false", {}, true],
    ["!false && !(1 > 2)", {}, true],
    ["2 in [1, 2, 3]", {}, true],
    ["'b' in {'a': 1}.x", null, true],
    ["[1, 2] + [3] == [1, 2, 3]", {}, true],
    ["has(self.a) && self.a == null", { a: null }, true],
    ["has(self.a.b)", { a: {} }, false],
    ["self.list.all(x, x > 1)", { list: [2, 3] }, true],
    ["self.list.exists(x, x > 2) && !self.list.exists_one(x, x > 1)", { list: [2, 3] }, true],
    ["self.list.filter(x, x > 2).size()", { list: [2, 3] }, 1n],
    ["self.list.map(x, x > 2, x * 2)", { list: [2, 3] }, [6n]],
    ["self.all(key, key.startsWith('a'))", { a1: 1, a2: 2 }, true],
    ["self['a-b'] == self.a__dash__b", { "a-b": 1 }, true],
    ["self.__namespace__", { namespace: "x" }, "x"],
    ["'abc'.matches('^[a-c]+$') && 'xabc'.contains('bc') && 'abc'.endsWith('c')", {}, true],
    ["duration('1h30m') == duration('90m') && duration('1.5s') > duration('1499ms')", {}, true],
    ["duration('1m1s').getSeconds()", {}, 61n],
    ["timestamp('2026-11-21T01:00:00+01:00') == timestamp('2026-11-21T00:00:00Z')", {}, true],
    ["timestamp('2026-11-21T00:00:10Z') - timestamp('2026-11-21T00:00:00Z') == duration('10s')", {}, true],
    ["int('12') + int(3.9) == 15 && double('1.5') == 1.5 && string(7) == '7'", {}, true],
  ])("%s", (text, self, value) => {
    if (self === null)
      expect(() => run(text, self)).toThrow(SyntaxError); // maps are not written in rules
    else expect(run(text, self)).toEqual(value);
  });

  test("the side that decides hides an error of the other one", () => {
    expect([run("self.nothing == 1 || true"), run("false && self.nothing == 1")]).toEqual([true, false]);
    expect(() => run("self.nothing == 1 || false")).toThrow(new CelError("no such key: nothing"));
  });

  test.each(["self.", "1 +", "(1", "self.a b", "'open", "[1 2]", "a ? b", "@"])("%s cannot be read", (text) => {
    expect(() => parseCel(text)).toThrow(SyntaxError);
  });

  test.each(["1 + 'a'", "duration('x')", "timestamp('yesterday')", "nobody", "self.size(", "1 / 0", "unknown(1)"])(
    "%s has no value",
    (text) => {
      expect(() => run(text)).toThrow();
    },
  );

  test("whole numbers calculate as they do elsewhere", () => {
    const small = fc.integer({ min: -1000, max: 1000 });
    fc.assert(
      fc.property(small, small, small, (a, b, c) => {
        expect(run(`(${a}) + (${b}) * (${c}) - (${a})`)).toBe(BigInt(b * c));
        expect(run(`(${a}) < (${b}) || (${a}) >= (${b})`)).toBe(true);
      }),
    );
  });
});

describe("rules in a schema", () => {
  const schema: Schema = {
    type: "object",
    properties: {
      list: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        items: {
          type: "object",
          properties: {
            name: { type: "string" },
            size: {
              type: "integer",
              "x-kubernetes-validations": [{ rule: "self >= oldSelf", messageExpression: "'was ' + string(oldSelf)" }],
            },
          },
        },
      },
      map: {
        type: "object",
        additionalProperties: { type: "string", "x-kubernetes-validations": [{ rule: "self != 'bad'", message: "bad" }] },
      },
    },
  };
  const rules = compileRules(schema);
  const check = (value: unknown, old?: Json) =>
    checkRules(toJson(value), old, schema, rules).map(({ field, message }) => `${field}: ${message}`);

  test("items of lists with keys are compared with the one of the same key", () => {
    const old = {
      list: [
        { name: "a", size: 5 },
        { name: "b", size: 1 },
      ],
    };
    expect(
      check(
        {
          list: [
            { name: "b", size: 2 },
            { name: "a", size: 4 },
          ],
        },
        old,
      ),
    ).toEqual(["list[1].size: Invalid value: 4: was 5"]);
    expect(check({ list: [{ name: "c", size: 0 }] }, old)).toEqual([]);
  });

  test("what was wrong before and did not change is let be", () => {
    expect(check({ map: { x: "bad" } })).toEqual(['map[x]: Invalid value: "bad": bad']);
    expect(check({ map: { x: "bad", y: "good" } }, { map: { x: "bad" } })).toEqual([]);
  });

  test("a rule that cannot be read is found when the schema is", () => {
    expect(() => compileRules({ "x-kubernetes-validations": [{ rule: "self ==" }] })).toThrow(SyntaxError);
  });
});
