/** A dashboard as a list of rows, and the JSON that Grafana reads. */
import { DATASOURCE, grafanaPanel, type Panel } from "./panel.ts";
import { CHOSEN, grownOnce } from "./promql.ts";

/** A choice at the top of a dashboard, beside the data source, namespace and job that all of them have. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** The metric of whose label the values are. */
  readonly metric: string;
  readonly of: string;
  /** Several at once, and "All"; else exactly one. */
  readonly multiple: boolean;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  /** File name without `.json`; part of the uid, by which others link here. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly variables?: readonly Variable[];
  /** Shown at first: `now-6h`. */
  readonly from: string;
  readonly rows: readonly Row[];
}

export const TAG = "globalroute";
/** Of the classic model, which Grafana 11 and 12 write and 13 still reads. */
const SCHEMA_VERSION = 41;
const HEIGHT = 8;

/** Between two points of the graph, however wide. */
const FAILOVERS = `${grownOnce(`globalroute_failovers_total{${CHOSEN}}`, "$__interval", "from, to, reason")} > 0`;

function variable({ name, label, metric, of, multiple }: Variable, matchers: string): object {
  const query = `label_values(${metric}${matchers === "" ? "" : `{${matchers}}`}, ${of})`;
  return {
    name,
    label,
    type: "query",
    datasource: DATASOURCE,
    definition: query,
    query: { qryType: 1, query, refId: "PrometheusVariableQueryEditor-VariableQuery" },
    refresh: 2, // with the time range: what has gone is still there when one looks back
    sort: 1,
    multi: multiple,
    includeAll: multiple,
    ...(multiple ? { allValue: ".*", current: { text: ["All"], value: ["$__all"] } } : { current: {} }),
    hide: 0,
    regex: "",
    options: [],
  };
}

function variables(own: readonly Variable[]): readonly object[] {
  const build = "globalroute_build_info";
  return [
    {
      name: "datasource",
      label: "Data source",
      type: "datasource",
      query: "prometheus",
      current: {},
      hide: 0,
      refresh: 1,
      regex: "",
      options: [],
    },
    variable({ name: "namespace", label: "Namespace", metric: build, of: "namespace", multiple: true }, ""),
    variable({ name: "job", label: "Job", metric: build, of: "job", multiple: true }, 'namespace=~"$namespace"'),
    ...own.map((one) => variable(one, CHOSEN)),
  ];
}

function annotations(): readonly object[] {
  return [
    {
      name: "Annotations and alerts",
      type: "dashboard",
      datasource: { type: "grafana", uid: "-- Grafana --" },
      builtIn: 1,
      enable: true,
      hide: true,
      iconColor: "rgba(0, 211, 255, 1)",
    },
    {
      name: "Failovers",
      datasource: DATASOURCE,
      enable: true,
      hide: false,
      iconColor: "orange",
      expr: FAILOVERS,
      step: "15s",
      titleFormat: "{{from}} to {{to}}",
      textFormat: "{{reason}}",
      tagKeys: "from,to,reason",
      useValueForTime: false,
    },
  ];
}

/** Panels from left to right, wrapped at 24 columns, each row of the dashboard under its heading. */
function layout(rows: readonly Row[]): readonly object[] {
  const placed: object[] = [];
  let [id, y] = [1, 0];
  for (const row of rows) {
    placed.push({ id: id++, type: "row", title: row.title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] });
    y += 1;
    let [x, tallest] = [0, 0];
    for (const panel of row.panels) {
      const h = panel.height ?? (panel.kind === "stat" ? 4 : HEIGHT);
      if (x + panel.width > 24) [x, y, tallest] = [0, y + tallest, 0];
      placed.push(grafanaPanel(panel, id++, { x, y, h }));
      x += panel.width;
      tallest = Math.max(tallest, h);
    }
    y += tallest;
  }
  return placed;
}

/** @returns the text of the dashboard's file */
export function dashboardJson({ name, title, description, variables: own, from, rows }: Dashboard): string {
  const model = {
    uid: `globalroute-${name}`,
    title: `GlobalRoute / ${title}`,
    description,
    tags: [TAG],
    timezone: "browser",
    editable: true,
    graphTooltip: 1, // one crosshair for all panels
    fiscalYearStartMonth: 0,
    liveNow: false,
    refresh: "30s",
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    time: { from, to: "now" },
    timepicker: {},
    links: [
      {
        title: "GlobalRoute",
        type: "dashboards",
        tags: [TAG],
        asDropdown: false,
        includeVars: true,
        keepTime: true,
        targetBlank: false,
        icon: "external link",
        tooltip: "",
        url: "",
      },
    ],
    annotations: { list: annotations() },
    templating: { list: variables(own ?? []) },
    panels: layout(rows),
  };
  return `${JSON.stringify(model, null, 1)}\n`;
}
