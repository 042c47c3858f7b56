/** Rules, their promtool tests and the examples of configuration, as Prometheus' own tools judge them; and the PrometheusRule of the chart. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { dashboards } from "../../../src/cli/monitoring/dashboards.ts";
import { alerts } from "../../../src/cli/monitoring/rule-files.ts";
import { only, renderChart } from "../../support/chart/render-chart.ts";
import { requireComponent } from "../../support/component.ts";
import { tool } from "../../support/observability/alertmanager.ts";
import { RULES } from "../../support/observability/dashboard-files.ts";
import { listFiles, repository } from "../../support/source-tree.ts";

const CASES = "test/integration/observability/rules";
const casesSchema = z.object({
  tests: z.array(z.object({ alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })) })),
});
const cases = listFiles([CASES]).map((path) => ({ path, ...casesSchema.parse(parse(readFileSync(join(repository, path), "utf8"))) }));
const ruleSchema = z.looseObject({
  alert: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});
const specSchema = z.object({ groups: z.array(z.object({ name: z.string(), rules: z.array(ruleSchema) })) });

describe.skipIf(!requireComponent("prometheus", "promtool"))("by promtool", () => {
  test.each(listFiles([RULES]))("%s has no fault", (path) => {
    const { code, output } = tool("promtool", "check", "rules", join(repository, path));
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("SUCCESS") });
  });

  test.each(cases)("$path", ({ path }) => {
    const { code, output } = tool("promtool", "test", "rules", join(repository, path));
    expect(code, output).toBe(0);
  });

  test("each alert is tested firing and silent", () => {
    const outcomes = cases.flatMap(({ tests }) => tests.flatMap((one) => one.alert_rule_test));
    for (const fires of [true, false]) {
      const tested = new Set(outcomes.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires).map(({ alertname }) => alertname));
      expect([...tested].sort()).toEqual(alerts.map(({ name }) => name).sort());
    }
  });

  test("docs/grafana/prometheus.yml is a configuration", () => {
    expect(tool("promtool", "check", "config", join(repository, "docs/grafana/prometheus.yml")).code).toBe(0);
  });
});

describe.skipIf(!requireComponent("prometheus", "amtool"))("by amtool", () => {
  const config = join(repository, "docs/grafana/alertmanager.yml");
  test("docs/grafana/alertmanager.yml is a configuration", () => {
    expect(tool("amtool", "check-config", config).code).toBe(0);
  });
  test.each([
    ["critical", "on-call"],
    ["warning", "team"],
    ["info", "nobody"],
  ])("an alert that is %s goes to %s", (severity, receiver) => {
    expect(tool("amtool", "config", "routes", "test", `--config.file=${config}`, `severity=${severity}`).output.split("\n")[0]).toBe(
      receiver,
    );
  });
});

describe.skipIf(!requireComponent("kubectl", "helm") || !requireComponent("prometheus", "promtool"))("by the chart", () => {
  test("the PrometheusRule has every rule, with addresses of runbooks and labels of one's own", () => {
    const base = "https://runbooks.example.org/globalroute";
    const values = ["prometheusRule.enabled=true", `prometheusRule.runbooks="${base}"`, 'prometheusRule.alertLabels={"team":"edge"}'];
    const { spec } = only(renderChart(["crds.install=false", ...values]), "PrometheusRule");
    const folder = mkdtempSync(join(tmpdir(), "globalroute-rules-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "rules.yaml"), stringify(spec));
    expect(tool("promtool", "check", "rules", join(folder, "rules.yaml")).code).toBe(0);

    const rules = specSchema.parse(spec).groups.flatMap((group) => group.rules);
    const rendered = rules.filter(({ alert }) => alert !== undefined);
    expect(rendered.map(({ alert }) => alert).sort()).toEqual(alerts.map(({ name }) => name).sort());
    for (const { alert, labels, annotations } of rendered) {
      const known = alerts.find(({ name }) => name === alert);
      expect(labels).toEqual({ severity: known?.severity, team: "edge" });
      expect(annotations.runbook_url).toBe(`${base}/${known?.runbook}.md`);
      expect(annotations.description).toBe(known?.description); // templates of Prometheus pass through helm
    }
    expect(rules.some(({ labels, alert }) => alert === undefined && "team" in labels)).toBe(false);
  });

  test("each dashboard is a ConfigMap that Grafana's sidecar finds", () => {
    const maps = renderChart(["crds.install=false", "dashboards.enabled=true"]).filter(({ kind }) => kind === "ConfigMap");
    expect(maps.map(({ metadata }) => metadata.name).sort()).toEqual(dashboards.map(({ name }) => `globalroute-dashboard-${name}`).sort());
    for (const { metadata, data } of maps) {
      expect(metadata.labels).toMatchObject({ grafana_dashboard: "1" });
      expect(metadata.annotations).toEqual({ grafana_folder: "GlobalRoute" });
      const [[file, text] = ["", ""]] = Object.entries(z.record(z.string(), z.string()).parse(data));
      const name = file.replace(/^globalroute-(.*)\.json$/, "$1");
      expect(`${text}\n`).toBe(readFileSync(join(repository, `charts/globalroute/files/dashboards/${name}.json`), "utf8"));
    }
  });
});
