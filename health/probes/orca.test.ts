import { expect, test } from "vitest";
import { applicationUtilization } from "./orca.ts";

test.each([
  ["TEXT application_utilization=0.42", 0.42],
  ["TEXT cpu_utilization=0.9, application_utilization=1.5, mem_utilization=0.1", 1.5],
  ['JSON {"application_utilization": 0.25}', 0.25],
  ['JSON {"cpuUtilization": 0.9, "applicationUtilization": 0.5}', 0.5],
  ["TEXT cpu_utilization=0.9", undefined],
  ["TEXT application_utilization=", undefined],
  ["TEXT application_utilization=much", undefined],
  ["TEXT application_utilization=-1", undefined],
  ["TEXT application_utilization=Infinity", undefined],
  ['JSON {"application_utilization": "0.25"}', undefined],
  ["JSON {", undefined],
  ["JSON null", undefined],
  ["JSON [1]", undefined],
  ["BIN AAAA", undefined],
  ["application_utilization=0.42", undefined],
  ["", undefined],
  [undefined, undefined],
])("%s: %s", (header, load) => expect(applicationUtilization(header)).toBe(load));

test("the first of several headers counts", () => {
  expect(applicationUtilization(["TEXT application_utilization=0.1", "TEXT application_utilization=0.2"])).toBe(0.1);
});
