/** The lists of objects that must not come into being: the decoder agrees with the API server, and the controller with `globalroute validate`. */
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { good, type PostedObject, refusedByController, refusedByServer, refusedChanges } from "../../test/support/kube/invalid-objects.ts";
import type { ApiContext } from "./api-context.ts";
import { parseManifests } from "./manifest.ts";
import { formatProblem, type Problem } from "./problem.ts";
import { readApiObject } from "./read-api-object.ts";
import type { RegionTable } from "./region-table.ts";
import { buildInventory } from "./to-inventory.ts";

const dublin = { city: "Dublin", country: "IE", continent: "EU", latitude: 53.35, longitude: -6.26 };
const regions: RegionTable = {
  find: (cloud, region) => (cloud === "aws" && region === "eu-west-1" ? dublin : undefined),
  suggest: () => "aws eu-west-1",
};
const api: ApiContext = { addressesOf: () => [], namespaceLabels: () => ({}), controllerNamespace: "globalroute-system" };

/** As the controller reads them. */
function fromApi(objects: readonly PostedObject[]) {
  const read = objects.map(readApiObject);
  const built = buildInventory(
    read.flatMap(({ object }) => (object === undefined ? [] : [object])),
    regions,
    read.flatMap(({ rejected }) => (rejected === undefined ? [] : [rejected])),
    api,
  );
  return { inventory: built.inventory, problems: [...read.flatMap(({ problems }) => problems), ...built.problems] };
}

/** As `globalroute validate` reads them. */
function fromFiles(objects: readonly PostedObject[]) {
  const text = objects.map((object) => stringify(object)).join("---\n");
  const { objects: parsed, rejected, problems } = parseManifests([{ path: "a.yaml", text }]);
  return [...problems, ...buildInventory(parsed, regions, rejected).problems];
}

test("what is good is good in both ways of reading", () => {
  expect(fromApi(good).problems.map(formatProblem)).toEqual([]);
  expect(fromFiles(good).map(formatProblem)).toEqual([]);
  expect(fromApi([...refusedChanges.flatMap(({ from }) => from).slice(0, 1)]).problems).toEqual([]);
});

test.each(refusedByServer)("refused by the API server, and by the decoder: $name", ({ object }) => {
  const problems = fromApi([...good, object]).problems;
  expect(problems.filter(({ severity }) => severity === "error").map(formatProblem)).not.toEqual([]);
  for (const { remedy } of problems) expect(remedy).toMatch(/^[A-Z0-9].*[.?]$/s);
});

test("the lists are long enough to mean something", () => {
  expect(refusedByServer.length).toBeGreaterThanOrEqual(20);
  expect(refusedByController.length).toBeGreaterThanOrEqual(10);
});

const words = ({ path, message, remedy, code, severity }: Problem) => `${severity}: ${path}: ${message}. ${remedy} [${code}]`;

test.each(refusedByController)("only the controller knows: $name", ({ objects, code, says, needsCluster }) => {
  const found = fromApi([...good, ...objects]).problems.filter((problem) => problem.code === code);
  expect(found).not.toEqual([]);
  expect(found.map(words).join("\n")).toContain(says);
  if (needsCluster) return;
  expect(
    fromFiles([...good, ...objects])
      .filter((problem) => problem.code === code)
      .map(words),
  ).toEqual(found.map(words));
});

test("a route that is wrong beside others changes nothing of them", () => {
  const before = fromApi(good).inventory;
  for (const { objects, code } of refusedByController) {
    const { inventory } = fromApi([...good, ...objects]);
    expect(
      inventory.routes.filter(({ name }) => name === "shop"),
      code,
    ).toEqual(before.routes);
  }
});
