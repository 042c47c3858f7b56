import { expect, test } from "vitest";
import { panelsOf, readDashboards } from "../../../test/support/observability/dashboard-files.ts";
import { dashboards } from "./dashboards.ts";
import { metricNames } from "./promql.ts";

const files = readDashboards();

test("there is a file for each dashboard, with an address and a title of its own", () => {
  expect(files.map(({ uid }) => uid).sort()).toEqual(dashboards.map(({ name }) => `globalroute-${name}`).sort());
  expect(new Set(files.map(({ title }) => title)).size).toBe(files.length);
});

test.each(files)("$title can be read by itself", (dashboard) => {
  for (const { title, description, fieldConfig, type, targets } of panelsOf(dashboard)) {
    expect(title, title).not.toBe("");
    expect(description, title).toMatch(/^.{20,}[.…]$/);
    expect(fieldConfig?.defaults.unit, title).toBeDefined();
    expect(["timeseries", "stat", "bargauge", "state-timeline", "table"], title).toContain(type);
    expect(targets.length, title).toBeGreaterThan(0);
  }
});

test.each(files)("$title asks the data source that is chosen, for the chosen targets alone", (dashboard) => {
  for (const { title, targets } of panelsOf(dashboard)) {
    for (const { datasource, expr } of targets) {
      expect(datasource.uid, title).toBe(`\${${"datasource"}}`);
      const selectors = [...expr.matchAll(/(?:globalroute|process|nodejs)_\w+(?::\w+)?\{[^}]*\}/g)];
      expect(selectors.length, expr).toBeGreaterThanOrEqual(metricNames(expr).length);
      for (const [selector] of selectors) expect(selector).toContain('namespace=~"$namespace",job=~"$job"');
    }
  }
});

test.each(files)("$title has no two panels in one place", ({ panels }) => {
  const taken = new Set<string>();
  for (const { gridPos, id } of panels) {
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken.has(`${x} ${y}`), `panel ${id} at ${x}, ${y}`).toBe(false);
        taken.add(`${x} ${y}`);
      }
    }
  }
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});

test.each(files)("$title leads to the others and keeps what was chosen", ({ links, tags }) => {
  expect(links).toMatchObject([{ type: "dashboards", tags, includeVars: true, keepTime: true }]);
});

test.each(files)("$title has every choice that its queries name, and names every one", (dashboard) => {
  const queries = panelsOf(dashboard).flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const named = new Set(queries.flatMap((expr) => [...expr.matchAll(/\$(?!__)([a-z]+)/g)].map(([, name]) => name)));
  const choices = dashboard.templating.list.map(({ name }) => name).filter((name) => name !== "datasource");
  expect([...named].sort()).toEqual(choices.sort());
});

test("what shows nothing while nothing has happened says so, or shows 0", () => {
  const rare = /globalroute_failover_(?:leg|duration)_seconds_bucket/;
  for (const { title, targets, fieldConfig } of files.flatMap(panelsOf)) {
    for (const { expr } of targets) {
      if (rare.test(expr) && !/ or vector\([01]\)$/.test(expr)) expect(fieldConfig?.defaults.noValue, title).toBe("no failover yet");
    }
  }
});
