/** A map of the world as SVG: countries in the colour of the cluster that serves most of their clients, and arcs of those that move. Pure. */
import type { Centroids } from "../../geo/country-centroids.ts";
import type { CountryShapes } from "../../geo/country-shapes.ts";
import { MAP, outline, type Point, project } from "../../geo/equal-earth.ts";
import type { RegionServing } from "../../what-if/region-serving.ts";
import type { Move } from "../../what-if/simulation.ts";
import { countryName } from "../render-simulation.ts";
import { formatPercent } from "../text.ts";
import { escapeHtml } from "./html.ts";

export interface MapSite {
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
  /** Class that colours it, {@link colourClass}. */
  readonly colour: string;
  readonly isOut: boolean;
}

export interface MapInput {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  readonly side: "before" | "after";
  readonly regions: readonly RegionServing[];
  readonly moves: readonly Move[];
  readonly sites: readonly MapSite[];
  readonly centroids: Centroids;
}

/** Arcs beyond so many are not seen any more. */
const MOST_ARCS = 40;
const WIDEST_ARC = 7;

/** Outlines that all maps of a page use, by id. */
export function mapShapes(shapes: CountryShapes): string {
  const paths = [...shapes].map(([country, rings]) => `<path id="land-${country}" d="${outline(rings)}"/>`);
  return `<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs>${paths.join("")}</defs></svg>`;
}

export function worldMap(input: MapInput, shapes: CountryShapes): string {
  const { id, title, side, regions } = input;
  const served = new Map(regions.map((region) => [region.country, region]));
  const land = [...shapes.keys()].map((country) => countryPatch(country, served.get(country), input));
  const { arcs, count } = movingArcs(input);
  const what = `Each country has the colour of the cluster that serves most of its clients ${side === "before" ? "before" : "afterwards"}.${count > 0 ? ` Arcs lead from the ${count} countries with most clients that move to the clusters that serve them ${side === "before" ? "before" : "afterwards"}.` : ""}`;
  return `<svg viewBox="0 0 ${MAP.width} ${MAP.height}" role="img" aria-labelledby="${id}-title ${id}-text"><title id="${id}-title">${escapeHtml(title)}</title><desc id="${id}-text">${what}</desc>
<g class="land">${land.join("")}</g>
<g class="arcs">${arcs}</g>
<g class="sites">${siteMarks(input.sites)}</g>
</svg>`;
}

function countryPatch(country: string, region: RegionServing | undefined, { side, sites }: MapInput): string {
  const [most] = [...(region?.[side] ?? [])].sort(([, a], [, b]) => b - a);
  const site = most === undefined ? undefined : sites.find(({ name }) => name === most[0]);
  if (region === undefined || most === undefined || site === undefined)
    return `<use href="#land-${country}" class="nobody"><title>${escapeHtml(countryName(country))}</title></use>`;
  const others = [...region[side]]
    .sort(([, a], [, b]) => b - a)
    .map(([name, share]) => `${name} ${formatPercent(share)}`)
    .join(", ");
  // The paler, the more of its clients are served by others.
  const opacity = (0.25 + 0.45 * most[1]).toFixed(2);
  return `<use href="#land-${country}" class="${site.colour}" style="fill-opacity:${opacity}"><title>${escapeHtml(`${countryName(country)}: ${others}`)}</title></use>`;
}

function movingArcs({ side, moves, sites, centroids }: MapInput): { readonly arcs: string; readonly count: number } {
  const shown = moves
    .flatMap((move) => {
      const home = move.country === null ? undefined : centroids.get(move.country);
      const [name] = side === "before" ? move.from : move.to;
      const site = sites.find((one) => one.name === name);
      return home === undefined || site === undefined ? [] : [{ move, home: project(home.latitude, home.longitude), site }];
    })
    .slice(0, MOST_ARCS);
  const largest = Math.max(...shown.map(({ move }) => move.share), 0);
  const arcs = shown.map(({ move, home, site }) => {
    const width = Math.max(0.8, WIDEST_ARC * Math.sqrt(move.share / largest));
    const label = `${countryName(move.country)} ${side === "before" ? "from" : "to"} ${site.name}: ${formatPercent(move.share)} of all clients`;
    return `<path class="${site.colour}" d="${arc(home, project(site.latitude, site.longitude))}" stroke-width="${width.toFixed(1)}"><title>${escapeHtml(label)}</title></path>`;
  });
  return { arcs: arcs.reverse().join(""), count: new Set(shown.map(({ move }) => move.country)).size };
}

/** Bent to the north, more the farther it goes. */
function arc(from: Point, to: Point): string {
  const distance = Math.hypot(to.x - from.x, to.y - from.y);
  const middle = { x: (from.x + to.x) / 2, y: Math.max(0, (from.y + to.y) / 2 - distance * 0.22) };
  return `M${from.x.toFixed(1)} ${from.y.toFixed(1)}Q${middle.x.toFixed(1)} ${middle.y.toFixed(1)} ${to.x.toFixed(1)} ${to.y.toFixed(1)}`;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
}

/** Radius of a site's mark. */
const DOT = 10;
const LABEL_HEIGHT = 26;

/** Where a label stands to its dot, tried in this order. */
const SPOTS = [
  { anchor: "start", dx: 15, dy: 8 },
  { anchor: "end", dx: -15, dy: 8 },
  { anchor: "start", dx: 12, dy: -14 },
  { anchor: "end", dx: -12, dy: -14 },
  { anchor: "start", dx: 12, dy: 30 },
  { anchor: "end", dx: -12, dy: 30 },
] as const;

function siteMarks(sites: readonly MapSite[]): string {
  const taken: Box[] = [];
  const points = sites.map(({ latitude, longitude }) => project(latitude, longitude));
  for (const { x, y } of points) taken.push({ left: x - DOT, top: y - DOT, width: 2 * DOT });
  return sites
    .map((site, i) => {
      const { x, y } = points[i]!;
      const width = 13.5 * labelOf(site).length;
      const boxAt = ({ anchor, dx, dy }: (typeof SPOTS)[number]): Box => ({
        left: x + dx - (anchor === "end" ? width : 0),
        top: y + dy - 20,
        width,
      });
      const spot = SPOTS.find((one) => isFree(boxAt(one), taken)) ?? SPOTS[0];
      taken.push(boxAt(spot));
      const cross = site.isOut ? `<path class="out" d="M${(x - 5).toFixed(1)} ${(y - 5).toFixed(1)}l10 10m0-10l-10 10"/>` : "";
      return `<circle class="${site.colour}" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${DOT}"/>${cross}<text x="${(x + spot.dx).toFixed(1)}" y="${(y + spot.dy).toFixed(1)}" text-anchor="${spot.anchor}">${escapeHtml(labelOf(site))}</text>`;
    })
    .join("");
}

const labelOf = ({ name, isOut }: MapSite): string => `${name}${isOut ? " (out)" : ""}`;

const isFree = (box: Box, taken: readonly Box[]): boolean =>
  box.left > 0 &&
  box.left + box.width < MAP.width &&
  taken.every(
    ({ left, top, width }) =>
      box.left + box.width < left || left + width < box.left || Math.abs(top - box.top) >= (width === 2 * DOT ? 2 * DOT : LABEL_HEIGHT),
  );

/** @param index of the cluster on the page */
export const colourClass = (index: number): string => `c${index % COLOURS.length}`;

/** Told apart on light and on dark ground, and by most people who do not see all colours (Okabe and Ito, then Tol). */
export const COLOURS: readonly string[] = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#b5379b",
  "#c79100",
  "#3aa7dd",
  "#8c510a",
  "#6a51a3",
  "#4d9221",
  "#c51b7d",
];
