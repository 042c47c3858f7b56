import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { listFiles } from "../../../test/support/source-tree.ts";
import { DEGRADED_REASONS } from "../../observe/metric-readings.ts";
import { BURN_RATES, BURN_WINDOWS } from "./objectives.ts";
import { recordings } from "./recordings.ts";
import { alerts, RUNBOOKS, ruleFiles } from "./rule-files.ts";

const page = (name: string): string => readFileSync(new URL(`../../../${RUNBOOKS}${name}.md`, import.meta.url), "utf8");
const SECTIONS = ["What it means", "What users feel", "What to look at", "What to do", "When to leave it"];

test.each(alerts)("$name has a name, words and a runbook", ({ name, summary, description, runbook }) => {
  expect(name).toMatch(/^GlobalRoute[A-Z][A-Za-z]+$/);
  expect(summary).not.toMatch(/\.$/);
  expect(description).toMatch(/\.$/);
  expect([...page(runbook).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual(SECTIONS);
});

test("names are unique, and every runbook is of an alert", () => {
  expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length);
  const pages = listFiles([RUNBOOKS.slice(0, -1)]).map((path) => path.slice(RUNBOOKS.length, -".md".length));
  expect(pages.filter((name) => name !== "README")).toEqual([...new Set(alerts.map(({ runbook }) => runbook))].sort());
});

test("every reason of degradation has an alert", () => {
  const text = alerts.map(({ expr }) => expr).join("\n");
  const told = new Set([...text.matchAll(/reason=~?"([^"]+)"/g)].flatMap(([, reasons = ""]) => reasons.split("|")));
  expect([...told].sort()).toEqual([...DEGRADED_REASONS].sort());
});

test("every window that an alert compares is recorded, before what is made of it", () => {
  const names = recordings.map(({ record }) => record);
  for (const { long, short } of Object.values(BURN_RATES).flat()) {
    for (const window of [long, short]) {
      expect(BURN_WINDOWS).toContain(window);
      expect(names).toContain(`job:globalroute_dns_errors:ratio_rate${window}`);
    }
  }
  expect(names.slice(0, 2)).toEqual(["job:globalroute_dns_queries:rate5m", "job:globalroute_dns_errors:rate5m"]);
});

test("files hold each alert once, with its severity and the page of its runbook", () => {
  const rules = [...ruleFiles().values()].flatMap((text) => parse(text).groups.flatMap((group: { rules: unknown[] }) => group.rules));
  expect(rules).toHaveLength(alerts.length + recordings.length);
  for (const { name, severity, runbook } of alerts)
    expect(rules).toContainEqual(
      expect.objectContaining({
        alert: name,
        labels: { severity },
        annotations: expect.objectContaining({ runbook_url: `docs/runbooks/${runbook}.md` }),
      }),
    );
});
