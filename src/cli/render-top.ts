/** Who is served where, as lines for people. Pure. */
import type { ClusterStatus, RouteStatus, Status } from "../engine/view.ts";
import { type Column, table } from "./table.ts";
import { type Cell, formatPercent, type Look, stateCell } from "./text.ts";

export interface TopCluster {
  readonly cluster: string;
  readonly state: ClusterStatus["state"];
  readonly health: ClusterStatus["health"];
  /** Share of the world's population whose answers name it, 0..1; the mean over the routes that are looked at. */
  readonly population: number;
  /** Routes that it serves somebody of, and those that have a backend in it. */
  readonly routes: { readonly serving: number; readonly all: number };
  /** ISO codes, those that most of its routes serve there first. */
  readonly countries: readonly string[];
}

export interface Top {
  /** `namespace/name`; null = all. */
  readonly route: string | null;
  readonly routes: number;
  /** Largest share first. */
  readonly clusters: readonly TopCluster[];
}

/** @param route looked at alone */
export function topOf({ clusters, routes }: Pick<Status, "clusters" | "routes">, route?: RouteStatus): Top {
  const looked = route === undefined ? routes : [route];
  const rows = clusters
    .map(({ name, state, health }): TopCluster => {
      const all = looked.filter(({ backends }) => backends.some(({ cluster }) => cluster === name));
      const shares = looked.flatMap(({ servedBy }) => servedBy.filter(({ cluster }) => cluster === name));
      const population = looked.length === 0 ? 0 : shares.reduce((sum, one) => sum + one.population, 0) / looked.length;
      return {
        cluster: name,
        state,
        health,
        population,
        routes: { serving: shares.length, all: all.length },
        countries: commonest(shares),
      };
    })
    .filter(({ routes: { all } }) => route === undefined || all > 0);
  return {
    route: route === undefined ? null : `${route.namespace}/${route.name}`,
    routes: looked.length,
    clusters: rows.sort((a, b) => b.population - a.population || a.cluster.localeCompare(b.cluster)),
  };
}

/** Most frequent first; of equals the more populous, which is the order they come in. */
function commonest(shares: readonly { readonly countries: readonly string[] }[]): readonly string[] {
  const times = new Map<string, number>();
  for (const country of shares.flatMap(({ countries }) => countries)) times.set(country, (times.get(country) ?? 0) + 1);
  return [...times].sort(([, a], [, b]) => b - a).map(([country]) => country);
}

const BAR = 16;
/** A bar in eighths of a cell. */
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

export function bar(share: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * BAR * 8);
  const text = "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
  return text === "" && share > 0 ? "▏" : text;
}

/** On a terminal as wide as there are. */
const SHOWN_COUNTRIES = 24;

const COLUMNS: readonly (string | Column)[] = [
  "CLUSTER",
  { title: "STATE", drop: 2 },
  "HEALTH",
  { title: "PEOPLE", right: true },
  { title: "", drop: 1 },
  { title: "ROUTES", right: true, drop: 3 },
  { title: "COUNTRIES", list: SHOWN_COUNTRIES, wrap: 9 },
];

export function renderTop({ route, routes, clusters }: Top, { paint, width }: Look): readonly string[] {
  if (routes === 0) return ["no routes: nobody is sent anywhere"];
  const what = route ?? (routes === 1 ? "1 route" : `${routes} routes`);
  const rows = clusters.map((it): readonly Cell[] => [
    { text: it.cluster, style: it.population > 0 ? "bold" : undefined },
    stateCell(it.state),
    stateCell(it.health),
    it.population > 0 ? formatPercent(it.population) : it.routes.serving > 0 ? "0 %" : "nobody",
    bar(it.population),
    route === null ? `${it.routes.serving}/${it.routes.all}` : "",
    it.countries.join(" "),
  ]);
  return [`${paint("bold", what)}: share of the world's population that each cluster serves`, "", ...table(COLUMNS, rows, paint, width)];
}
