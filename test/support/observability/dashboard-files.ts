/** The dashboards as Grafana gets them: read from the chart's files, not from what makes them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { listFiles, repository } from "../source-tree.ts";

const datasource = z.looseObject({ type: z.string(), uid: z.string() });
const target = z.looseObject({
  refId: z.string(),
  datasource,
  expr: z.string(),
  range: z.boolean(),
  instant: z.boolean(),
  exemplar: z.boolean(),
});
const panel = z.looseObject({
  id: z.int(),
  type: z.string(),
  title: z.string(),
  description: z.string().optional(),
  gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  targets: z.array(target).default([]),
  fieldConfig: z.looseObject({ defaults: z.looseObject({ unit: z.string(), noValue: z.string().optional() }) }).optional(),
});
const dashboard = z.looseObject({
  uid: z.string(),
  title: z.string(),
  tags: z.array(z.string()),
  schemaVersion: z.int(),
  links: z.array(z.looseObject({ type: z.string(), tags: z.array(z.string()) })),
  templating: z.object({
    list: z.array(z.looseObject({ name: z.string(), type: z.string(), query: z.unknown(), definition: z.string().optional() })),
  }),
  annotations: z.object({ list: z.array(z.looseObject({ name: z.string(), expr: z.string().optional() })) }),
  panels: z.array(panel),
});
export type DashboardFile = z.infer<typeof dashboard> & { readonly path: string };
export type PanelFile = z.infer<typeof panel>;

export const DASHBOARDS = "charts/globalroute/files/dashboards";
export const RULES = "charts/globalroute/files/rules";

/** @throws when a file is no dashboard */
export const readDashboards = (): readonly DashboardFile[] =>
  listFiles([DASHBOARDS]).map((path) => ({ path, ...dashboard.parse(JSON.parse(readFileSync(join(repository, path), "utf8"))) }));

/** Panels that show something; rows are headings. */
export const panelsOf = ({ panels }: DashboardFile): readonly PanelFile[] => panels.filter(({ type }) => type !== "row");
