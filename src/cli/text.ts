/** Text for people: tables, colours, ages. Pure. */
import { printable } from "../model/printable.ts";
import type { Output } from "./io.ts";

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;
export type Style = keyof typeof codes;
export type Paint = (style: Style, text: string) => string;

/** Colours only where a person looks and did not decline them (no-color.org). */
export function paintFor(output: Output, env: Readonly<Record<string, string | undefined>>): Paint {
  const wanted = output.isTTY === true && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
  return wanted ? (style, text) => `\u001b[${codes[style]}m${text}\u001b[0m` : (_style, text) => text;
}

/** What `paintFor` writes. */
const ownColour = new RegExp(`(\\u001b\\[(?:0|${Object.values(codes).join("|")})m)`);

/**
 * A line that a terminal shows and does not obey: names, reasons and paths come from files and servers. Our own colours stay; the rest is made
 * {@link printable}.
 */
export const printableLine = (line: string): string =>
  line
    .split(ownColour)
    .map((part, i) => (i % 2 === 0 ? printable(part) : part))
    .join("");

/** A cell, or a cell with its colour: widths are of the bare text. */
export type Cell = string | { readonly text: string; readonly style: Style | undefined };

const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text);

/**
 * Columns two spaces apart, as wide as their widest cell; a column without any content is left out. The last column is not padded.
 *
 * @returns lines, the header first
 */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): readonly string[] {
  const used = header.map((_, i) => i).filter((i) => rows.some((row) => textOf(row[i] ?? "") !== ""));
  const widths = used.map((i) => Math.max(width(header[i] ?? ""), ...rows.map((row) => width(textOf(row[i] ?? "")))));
  const line = (cells: readonly Cell[], every?: Style): string =>
    used
      .map((i, at) => {
        const cell = cells[i] ?? "";
        const text = textOf(cell);
        const style = every ?? (typeof cell === "string" ? undefined : cell.style);
        const padding = at === used.length - 1 ? "" : " ".repeat(widths[at]! - width(text));
        return (style === undefined ? text : paint(style, text)) + padding;
      })
      .join("  ")
      .trimEnd();
  return [line(header, "dim"), ...rows.map((row) => line(row))];
}

/** Characters, not UTF-16 units. */
const width = (text: string): number => [...text].length;

/** `45 s`, `12 min`, `3 h`, `2 d`: the largest unit that leaves a whole number above 1. */
export function formatAge(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.floor(whole / 60)} min`;
  if (whole < 172_800) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86_400)} d`;
}

/** `12 s ago`; empty for no instant. */
export const formatSince = (instant: string | null, now: number): string =>
  instant === null ? "" : `${formatAge((now - Date.parse(instant)) / 1000)} ago`;

export const formatPercent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** Green is well, red is out, yellow is anything between. */
export function stateCell(state: string): Cell {
  if (["Healthy", "Usable", "Active"].includes(state)) return { text: state, style: "green" };
  return { text: state, style: ["Unhealthy", "Excluded", "Cordoned", "Nothing"].includes(state) ? "red" : "yellow" };
}
