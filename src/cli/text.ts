/** Text for people: colours, ages, lines. Pure. */
import { printable } from "../model/printable.ts";
import type { Output } from "./io.ts";
import { cutText, textWidth, wrapText } from "./text-width.ts";

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;
export type Style = keyof typeof codes;
/** A cell of a table, or one with its colour: widths are of the bare text. */
export type Cell = string | { readonly text: string; readonly style: Style | undefined };
export type Paint = (style: Style, text: string) => string;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Colours where a person looks and did not decline them (no-color.org); `FORCE_COLOR` wants them elsewhere too (force-color.org), and `NO_COLOR`
 * goes before it. `--no-color` is `NO_COLOR`.
 */
export function paintFor(output: Output, env: Environment): Paint {
  const isSet = (name: string): boolean => (env[name] ?? "") !== "";
  const isForced = isSet("FORCE_COLOR") && env.FORCE_COLOR !== "0" && env.FORCE_COLOR !== "false";
  const wanted = !isSet("NO_COLOR") && (isForced || (output.isTTY === true && env.TERM !== "dumb" && env.FORCE_COLOR !== "0"));
  return wanted ? (style, text) => `\u001b[${codes[style]}m${text}\u001b[0m` : (_style, text) => text;
}

/** How something is shown: with which colours, and in how many columns. */
export interface Look {
  readonly paint: Paint;
  /** Infinite where lines are not shown but read by a program. */
  readonly width: number;
}

/** On a terminal that has not been told its size, as wide as the oldest were. */
const UNKNOWN_WIDTH = 80;

export const lookOf = (io: { readonly stdout: Output; readonly env: Environment }): Look => ({
  paint: paintFor(io.stdout, io.env),
  width: io.stdout.isTTY === true ? io.stdout.columns || UNKNOWN_WIDTH : Number.POSITIVE_INFINITY,
});

/**
 * A line whose text goes on below itself.
 *
 * @param head  what stands before it
 * @param style of the text; `head` has the style `headStyle`
 */
export function hanging(
  head: string,
  text: string,
  { paint, width }: Look,
  styles: { readonly head?: Style; readonly text?: Style } = {},
): readonly string[] {
  const indent = textWidth(head);
  const painted = (style: Style | undefined, part: string): string => (style === undefined || part === "" ? part : paint(style, part));
  return wrapText(text, Math.max(16, width - indent)).map(
    (part, i) => (i === 0 ? painted(styles.head, head) : " ".repeat(indent)) + painted(styles.text, part),
  );
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

/** Cuts a line to so many cells; escape sequences, which end with an `m`, do not count and all stay. */
export function cutLine(line: string, width: number): string {
  let left = width;
  const pieces = line.split("\u001b").map((piece, i) => {
    const end = i === 0 ? 0 : piece.indexOf("m") + 1;
    const visible = cutText(piece.slice(end), left);
    left -= textWidth(visible);
    return piece.slice(0, end) + visible;
  });
  return pieces.join("\u001b");
}

/** Time of day, local. */
export const clock = (at: number): string => new Date(at).toTimeString().slice(0, 8);
