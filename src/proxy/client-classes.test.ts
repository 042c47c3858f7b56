import { describe, expect, test } from "vitest";
import { testBackend, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable } from "../../test/support/world/compile-test-world.ts";
import type { Rule } from "../model/inventory.ts";
import { clientClasses, questionsOf } from "./client-classes.ts";

const BACKENDS = ["frankfurt", "dublin"].map((name, i) => testBackend(name, i + 1));

function classesOf(rules: readonly Rule[]) {
  const route = testRoute(BACKENDS, { rules });
  const { geo } = compileTestTable(testInventory([route]), [COUNTRY_FILE]).table;
  const questions = questionsOf([route], new Map(geo.subnets.map((subnet, i) => [subnet, i])));
  return { questions, classes: clientClasses(geo, questions) };
}

test("rules that ask the same are one question, whatever they are called and wherever they lead", () => {
  const rule = testRule("germany", "Require", { countries: ["DE"] }, ["frankfurt"]);
  const { questions } = classesOf([rule, { ...rule, name: "again", mode: "Prefer", to: ["dublin"] }, { ...rule, unknownPlace: "Apply" }]);
  expect(questions.size).toBe(2);
});

describe("rules that name networks by the ten thousand", () => {
  const many = Array.from({ length: 20_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
  const partners = testRule("partners", "Prefer", { subnets: many }, ["dublin"]);
  const guests = testRule("guests", "Prefer", { subnets: [...many, "203.0.113.0/24"] }, ["dublin"]);

  test.each([
    { by: "Network", rules: [partners, guests] },
    { by: "Address", rules: [partners, guests, testRule("germany", "Require", { countries: ["DE"] }, ["frankfurt"])] },
  ])("are told apart at once, by $by", ({ by, rules }) => {
    const { classes } = classesOf(rules);
    expect(classes.by).toBe(by);
    const all = classes.classes.map(({ networks }) => networks);
    expect(all).toContainEqual(["203.0.113.0/24"]);
    expect(all).toContainEqual(["10.0.0.0/10", "10.64.0.0/13", "10.72.0.0/14", "10.76.0.0/15", "10.78.0.0/19"]);
    for (const networks of all) expect(networks).toEqual(networks.toSorted());
  });
});
