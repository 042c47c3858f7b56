/** A simulation as one HTML file that asks nobody for anything: maps, bars, curve and tables. Pure. */
import type { Centroids } from "../../geo/country-centroids.ts";
import type { CountryShapes } from "../../geo/country-shapes.ts";
import type { Cluster } from "../../model/inventory.ts";
import type { RegionServing } from "../../what-if/region-serving.ts";
import type { RouteSimulation, Simulation } from "../../what-if/simulation.ts";
import { summarise } from "../../what-if/summary.ts";
import { clientsOf, clusterNames, titleOf, whereOf } from "../render-simulation.ts";
import { formatPercent } from "../text.ts";
import { loadBars, spreadTable, staleChart } from "./charts.ts";
import { escapeHtml } from "./html.ts";
import { styles } from "./styles.ts";
import { colourClass, type MapSite, mapShapes, worldMap } from "./world-map.ts";

export interface PageInput {
  readonly simulation: Simulation;
  /** For each route. */
  readonly regions: readonly (readonly RegionServing[])[];
  /** Of both configurations, each once. */
  readonly clusters: readonly Cluster[];
  readonly shapes: CountryShapes;
  readonly centroids: Centroids;
}

/** Routes that are drawn; of the others there is a line each. */
const MOST_ROUTES = 12;
const MOST_MOVES = 15;

export function simulationPage(input: PageInput): string {
  const { simulation: it, shapes } = input;
  const byMoves = [...it.routes.keys()].sort((a, b) => it.routes[b]!.changed.share - it.routes[a]!.changed.share || a - b);
  const drawn = byMoves.slice(0, MOST_ROUTES);
  const title = titleOf(it);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · GlobalRoute</title>
<style>${styles}</style>
</head>
<body>
${mapShapes(shapes)}
<header><p class="product">GlobalRoute what-if</p><h1>${escapeHtml(title)}</h1><p>${escapeHtml(clientsOf(it))}. ${escapeHtml(summarise(it))}</p></header>
<main>
${tiles(it)}
${it.routes.length > 1 ? summary(it, byMoves) : ""}
${drawn.map((index) => routeSection(input, index)).join("\n")}
${it.notes.length === 0 ? "" : `<section><h2>Notes</h2><ul>${it.notes.map((note) => `<li>${escapeHtml(note)}</li>`).join("")}</ul></section>`}
</main>
<footer>Map: Natural Earth. People: GeoNames cities (CC BY 4.0).</footer>
</body>
</html>
`;
}

function tiles({ total, routes }: Simulation): string {
  const violated = total.violations.after.weight > 0;
  const over = total.overloaded.length;
  const out = total.nothing.weight + total.failOpen.weight + total.held.weight;
  const isChange = total.changed.weight > total.moved.weight;
  const list = [
    tile(formatPercent(total.moved.share), `of clients move${routes.length > 1 ? ", over these routes" : ""}`),
    ...(isChange ? [tile(formatPercent(total.changed.share), "would get another answer")] : []),
    tile(
      violated ? formatPercent(total.violations.after.share) : "none",
      violated ? "answered against a Require rule" : "answered against a Require rule",
      violated ? "bad" : "good",
    ),
    tile(
      out === 0 ? "none" : formatPercent(total.nothing.share + total.failOpen.share + total.held.share),
      "answered by fail-open, a hold, or not at all",
      out === 0 ? "good" : "bad",
    ),
    ...(routes.some(({ clusters }) => clusters.some(({ after }) => after.utilisation !== null))
      ? [
          tile(
            over === 0 ? "none" : String(over),
            over === 1 ? "backend over its capacity" : "backends over their capacity",
            over === 0 ? "good" : "bad",
          ),
        ]
      : []),
  ];
  return `<section class="tiles" aria-label="Summary">${list.join("")}</section>`;
}

const tile = (figure: string, text: string, kind = ""): string => `<div class="tile ${kind}"><b>${figure}</b><span>${text}</span></div>`;

function summary({ routes }: Simulation, order: readonly number[]): string {
  const rows = order.slice(0, 200).map((index) => {
    const { route, moved, changed, distanceKm, residency } = routes[index]!;
    const name = order.indexOf(index) < MOST_ROUTES ? `<a href="#route-${index}">${escapeHtml(route)}</a>` : escapeHtml(route);
    const broken = residency.after.reduce((sum, { share }) => sum + share, 0);
    return `<tr><th scope="row">${name}</th><td>${formatPercent(moved.share)}</td><td>${formatPercent(changed.share)}</td><td>${km(distanceKm.before.mean)} → ${km(distanceKm.after.mean)} km</td><td>${broken === 0 ? "none" : `<b class="bad">${formatPercent(broken)}</b>`}</td></tr>`;
  });
  return `<section><h2>Routes</h2><table class="figures"><thead><tr><th scope="col">Route</th><th scope="col">Move</th><th scope="col">Other answer</th><th scope="col">Mean distance</th><th scope="col">Against a rule</th></tr></thead><tbody>${rows.join("")}</tbody></table></section>`;
}

const km = (value: number): string => Math.round(value).toLocaleString("en");

function routeSection({ simulation, regions, clusters, shapes, centroids }: PageInput, index: number): string {
  const route = simulation.routes[index]!;
  const { down, drain } = simulation.scenario;
  const own = new Set(route.clusters.map(({ cluster }) => cluster));
  const colourOf = (name: string): string => colourClass(clusters.findIndex((one) => one.name === name));
  const sites = (side: "before" | "after"): readonly MapSite[] =>
    clusters
      .filter(({ name }) => own.has(name))
      .map(({ name, location: { latitude, longitude } }) => ({
        ...{ name, latitude, longitude, colour: colourOf(name) },
        isOut: side === "after" && (down.includes(name) || drain.includes(name)),
      }));
  const map = (side: "before" | "after"): string => {
    const title = `${route.route} ${side}`;
    const of = { id: `map-${index}-${side}`, title, side, regions: regions[index]!, moves: route.moves, sites: sites(side), centroids };
    return `<figure class="map">${worldMap(of, shapes)}<figcaption>${side === "before" ? "Before" : "After"}</figcaption></figure>`;
  };
  return `<section id="route-${index}"><h2>${escapeHtml(route.route)} <small>${escapeHtml(route.hosts.slice(0, 3).join(", "))}${route.hosts.length > 3 ? ` and ${route.hosts.length - 3} more` : ""}</small></h2>
<p>${sentence(route)}</p>
<div class="maps">${map("before")}${map("after")}</div>
<div class="columns"><div>${loadBars(route.clusters, colourOf)}</div><div>${spreadTable(route)}${staleChart(route.stale, `stale-${index}`)}</div></div>
${moveTable(route)}${violationTable(route)}</section>`;
}

function sentence({ moved, changed, presence, residency }: RouteSimulation): string {
  const what = presence === "Added" ? "The route is new: " : presence === "Removed" ? "The route is removed: " : "";
  const moves = moved.weight === 0 ? "nobody moves" : `${formatPercent(moved.share)} of clients move`;
  const other = changed.weight > moved.weight ? `, ${formatPercent(changed.share)} would get another answer` : "";
  const rules = residency.after.length === 0 ? "No Require rule is broken." : "<b class=bad>Require rules are broken.</b>";
  const text = `${what}${moves}${other}.`;
  return `${text[0]!.toUpperCase()}${text.slice(1)} ${rules}`;
}

function moveTable({ moves, changes, moved, changed }: RouteSimulation): string {
  const list = changed.weight > moved.weight ? changes : moves;
  if (list.length === 0) return "";
  const rows = list
    .slice(0, MOST_MOVES)
    .map(
      (move) =>
        `<tr><th scope="row">${escapeHtml(whereOf(move))}</th><td>${escapeHtml(clusterNames(move.from))}</td><td>${escapeHtml(clusterNames(move.to))}</td><td>${formatPercent(move.share)}</td></tr>`,
    );
  const more = list.length > MOST_MOVES ? `<p class="more">and ${list.length - MOST_MOVES} more</p>` : "";
  return `<h3>Who moves where</h3><div class="scroll"><table class="figures"><thead><tr><th scope="col">Clients in</th><th scope="col">From</th><th scope="col">To</th><th scope="col">Of all clients</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>${more}`;
}

function violationTable({ residency: { after } }: RouteSimulation): string {
  if (after.length === 0) return "";
  const rows = after.map(
    ({ rule, cluster, country, share }) =>
      `<tr><th scope="row">${escapeHtml(rule)}</th><td>${escapeHtml(cluster)}</td><td>${escapeHtml(country ?? "unknown place")}</td><td>${formatPercent(share)}</td></tr>`,
  );
  return `<h3 class="bad">Against Require rules</h3><table class="figures"><thead><tr><th scope="col">Rule</th><th scope="col">Cluster</th><th scope="col">Clients in</th><th scope="col">Of all clients</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}
