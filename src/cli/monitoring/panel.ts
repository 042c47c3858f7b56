/** What a panel of a dashboard shows, and the Grafana panel that it becomes. */

export interface Query {
  readonly expr: string;
  /** Of each series: `{{cluster}}`. */
  readonly legend?: string;
  /** Asks for one moment alone: tables, and numbers over the whole time shown. */
  readonly instant?: boolean;
  /** Draws exemplars: dots that tell the route and the event of a failover. */
  readonly exemplar?: boolean;
}

/** Units of Grafana's own list that our metrics have. */
export type Unit = "short" | "percentunit" | "s" | "reqps" | "ops" | "lengthkm" | "bytes" | "none" | "bool_yes_no";

interface PanelBase {
  readonly title: string;
  /** One or two sentences: what is seen, and when to worry. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** In Grafana's grid of 24 columns. */
  readonly width: number;
  readonly height?: number;
  /** Where nothing has happened yet: `no failover yet`. */
  readonly nothing?: string;
  /** Colours from the first value on, ascending; the first is of everything below. */
  readonly steps?: readonly (readonly [from: number | null, colour: "green" | "yellow" | "orange" | "red" | "blue" | "text"])[];
  readonly min?: number;
  readonly max?: number;
  /** Words for values: `{0: "no"}`. */
  readonly words?: Readonly<Record<number, string>>;
}

export type Panel = PanelBase &
  (
    | { readonly kind: "timeseries"; readonly stacked?: boolean }
    | { readonly kind: "stat"; readonly shows?: "value" | "name" | "value_and_name" }
    | { readonly kind: "bargauge" }
    | { readonly kind: "state-timeline" }
    | { readonly kind: "table"; readonly columns?: Readonly<Record<string, string>> }
  );

/** Labels that tell the same in every row of a table, or what only machines read. */
const HIDDEN_COLUMNS = ["Time", "__name__", "namespace", "job"];

/** The data source that is chosen at the top of a dashboard. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: how Grafana writes a variable
export const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

/** The options that each kind of panel has of its own. */
function optionsOf(panel: Panel): object {
  const legend = { displayMode: "table", placement: "right", calcs: ["lastNotNull", "max"], showLegend: true };
  const reduce = { calcs: ["lastNotNull"], fields: "", values: false };
  switch (panel.kind) {
    case "timeseries":
      return { legend, tooltip: { mode: "multi", sort: "desc" } };
    case "stat": {
      const textMode = panel.shows ?? "value";
      return { reduceOptions: reduce, colorMode: "value", graphMode: "none", justifyMode: "auto", orientation: "auto", textMode };
    }
    case "bargauge":
      return { reduceOptions: reduce, displayMode: "basic", orientation: "horizontal", showUnfilled: true, valueMode: "color" };
    case "state-timeline":
      return {
        mergeValues: true,
        showValue: "auto",
        rowHeight: 0.9,
        legend: { displayMode: "list", placement: "bottom", showLegend: false },
      };
    case "table":
      return { showHeader: true, cellHeight: "sm", footer: { show: false, reducer: ["sum"], countRows: false, fields: "" } };
  }
}

function customOf(panel: Panel): object {
  switch (panel.kind) {
    case "timeseries":
      return {
        drawStyle: "line",
        lineInterpolation: "linear",
        lineWidth: 1,
        fillOpacity: panel.stacked === true ? 40 : 10,
        showPoints: "never",
        spanNulls: false,
        stacking: { mode: panel.stacked === true ? "normal" : "none", group: "A" },
      };
    case "state-timeline":
      return { lineWidth: 0, fillOpacity: 80 };
    case "table":
      return { align: "auto", cellOptions: { type: "auto" }, inspect: false };
    default:
      return {};
  }
}

/** @param at place in the grid; `id` is of the panel within its dashboard */
export function grafanaPanel(panel: Panel, id: number, at: { readonly x: number; readonly y: number; readonly h: number }): object {
  const steps = panel.steps ?? [[null, panel.kind === "stat" ? "blue" : "green"]];
  const coloured = panel.steps !== undefined || panel.kind === "stat" || panel.kind === "bargauge";
  const mappings =
    panel.words === undefined
      ? []
      : [
          {
            type: "value",
            options: Object.fromEntries(Object.entries(panel.words).map(([value, text], index) => [value, { text, index }])),
          },
        ];
  return {
    id,
    type: panel.kind,
    title: panel.title,
    description: panel.description,
    datasource: DATASOURCE,
    gridPos: { x: at.x, y: at.y, w: panel.width, h: at.h },
    targets: panel.queries.map((query, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      editorMode: "code",
      expr: query.expr,
      legendFormat: query.legend ?? "__auto",
      range: query.instant !== true,
      instant: query.instant === true,
      format: panel.kind === "table" ? "table" : "time_series",
      exemplar: query.exemplar === true,
    })),
    fieldConfig: {
      defaults: {
        unit: panel.unit,
        ...(panel.min === undefined ? {} : { min: panel.min }),
        ...(panel.max === undefined ? {} : { max: panel.max }),
        ...(panel.nothing === undefined ? {} : { noValue: panel.nothing }),
        mappings,
        color: { mode: coloured ? "thresholds" : panel.kind === "state-timeline" ? "continuous-GrYlRd" : "palette-classic" },
        thresholds: { mode: "absolute", steps: steps.map(([value, color]) => ({ value, color })) },
        custom: customOf(panel),
      },
      overrides: [],
    },
    options: optionsOf(panel),
    transformations: panel.kind === "table" ? tableOf(panel.columns ?? {}) : [],
  };
}

/** @param columns label → heading; other labels are left out of the table */
function tableOf(columns: Readonly<Record<string, string>>): readonly object[] {
  return [
    { id: "merge", options: {} },
    {
      id: "organize",
      options: {
        excludeByName: Object.fromEntries(HIDDEN_COLUMNS.filter((name) => !(name in columns)).map((name) => [name, true])),
        indexByName: Object.fromEntries(Object.keys(columns).map((name, index) => [name, index])),
        renameByName: columns,
      },
    },
  ];
}
