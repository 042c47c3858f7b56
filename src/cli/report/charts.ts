/** Bars of load and the curve of stale answers, as SVG and HTML. Pure. */
import type { ClusterServing, RouteSimulation, Stale } from "../../what-if/simulation.ts";
import { formatPercent } from "../text.ts";
import { escapeHtml } from "./html.ts";

/**
 * A row a cluster: its share before and after; of load against capacity where both are known, with the mark of full capacity.
 *
 * @param colourOf class of a cluster
 */
export function loadBars(clusters: readonly ClusterServing[], colourOf: (cluster: string) => string): string {
  const isLoad = clusters.some(({ after }) => after.utilisation !== null);
  const figuresOf = ({ before, after }: ClusterServing): readonly [number | null, number | null] =>
    isLoad ? [before.utilisation, after.utilisation] : [before.share, after.share];
  const longest = Math.max(isLoad ? 1.1 : 0.01, ...clusters.flatMap((one) => figuresOf(one).map((value) => value ?? 0)));
  const rows = [...clusters]
    .sort((a, b) => b.after.share - a.after.share || (a.cluster < b.cluster ? -1 : 1))
    .map((one) => {
      const [before, after] = figuresOf(one);
      const bar = (value: number | null, name: string): string =>
        `<span class="bar ${name} ${colourOf(one.cluster)}" style="width:${(((value ?? 0) / longest) * 100).toFixed(1)}%"></span>`;
      const mark = isLoad && one.capacity !== null ? `<span class="full" style="left:${(100 / longest).toFixed(1)}%"></span>` : "";
      const over = after !== null && isLoad && after > 1;
      const figures = isLoad
        ? `${shown(before)} → <b class="${over ? "bad" : ""}">${shown(after)}</b>${over ? " over capacity" : ""}`
        : `${shown(before)} → <b>${shown(after)}</b>`;
      const rates =
        one.after.load === null
          ? ""
          : `<small>${rate(one.before.load)} → ${rate(one.after.load)}/s${one.capacity === null ? "" : ` of ${rate(one.capacity)}/s`}${one.after.time === null ? "" : `, at ${escapeHtml(one.after.time)}`}</small>`;
      return `<tr><th scope="row">${escapeHtml(one.cluster)}</th><td class="bars">${bar(before, "was")}${bar(after, "is")}${mark}</td><td>${figures} ${rates}</td></tr>`;
    });
  const what = isLoad
    ? "Load by capacity, before (pale) and after; the line is full capacity"
    : "Share of clients, before (pale) and after";
  return `<table class="loads"><caption>${what}</caption><thead class="hidden"><tr><th>Cluster</th><th>Bars</th><th>Before → after</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

const shown = (value: number | null): string => (value === null ? "–" : formatPercent(value));
const rate = (value: number | null): string => (value === null ? "–" : Math.round(value).toLocaleString("en"));

const CURVE = { width: 420, height: 190, left: 52, right: 14, top: 14, bottom: 34 } as const;

/** Straight between the points that it is told at. @returns an empty text when nobody moves */
export function staleChart({ ttl, curve }: Stale, id: string): string {
  const [first] = curve;
  if (first === undefined || ttl === 0) return "";
  const { width, height, left, right, top, bottom } = CURVE;
  const x = (seconds: number): number => left + (seconds / ttl) * (width - left - right);
  const y = (share: number): number => height - bottom - (share / first.share) * (height - top - bottom);
  const points = curve.map(({ seconds, share }) => `${x(seconds).toFixed(1)},${y(share).toFixed(1)}`);
  const area = `${x(0)},${y(0)} ${points.join(" ")} ${x(ttl).toFixed(1)},${y(0)}`;
  const gridY = [0, 0.5, 1].map((part) => {
    const at = y(first.share * part).toFixed(1);
    return `<line x1="${left}" x2="${width - right}" y1="${at}" y2="${at}"/><text x="${left - 8}" y="${Number(at) + 4}" text-anchor="end">${formatPercent(first.share * part)}</text>`;
  });
  // The end, and those times before it that leave room for their labels.
  const times = curve.map(({ seconds }) => seconds);
  const ticks = times.filter(
    (time, i) => time === ttl || (x(ttl) - x(time) > 44 && times.slice(0, i).every((other) => x(time) - x(other) > 44)),
  );
  const gridX = ticks.map((time) => `<text x="${x(time).toFixed(1)}" y="${height - 12}" text-anchor="middle">${time} s</text>`);
  const text = curve.map(({ seconds, share }) => `${seconds} s ${formatPercent(share)}`).join(", ");
  return `<figure><svg class="curve" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-text"><title id="${id}-title">Share of clients that still get the old answer</title><desc id="${id}-text">After ${text}.</desc>
<g class="grid">${gridY.join("")}${gridX.join("")}</g><polygon points="${area}"/><polyline points="${points.join(" ")}"/></svg>
<figcaption>Share of all clients that resolvers still give the old answer, by seconds since the change was published; TTL ${ttl} s.</figcaption></figure>`;
}

/** Distances and round trips in a small table. */
export function spreadTable({ distanceKm, latencyMs }: RouteSimulation): string {
  const row = (name: string, { before, after }: RouteSimulation["distanceKm"], unit: string): string => {
    const cells = (["mean", "p50", "p95"] as const).map((key) => `<td>${rate(before[key])} → <b>${rate(after[key])}</b></td>`);
    return `<tr><th scope="row">${name}, ${unit}</th>${cells.join("")}</tr>`;
  };
  return `<table class="figures"><caption>How far clients are from the cluster that serves them, before → after</caption><thead><tr><td></td><th scope="col">mean</th><th scope="col">median</th><th scope="col">95 %</th></tr></thead><tbody>${row("Distance", distanceKm, "km")}${row("Round trip", latencyMs, "ms")}</tbody></table>`;
}
