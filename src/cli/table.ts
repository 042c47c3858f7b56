/** Tables that fit a terminal: what does not fit is broken within its column, or its column is left out. Pure. */
import type { Cell, Paint, Style } from "./text.ts";
import { textWidth, wrapText } from "./text-width.ts";

export interface Column {
  readonly title: string;
  /** May be made so narrow, in cells, by breaking what it holds at spaces. */
  readonly wrap?: number;
  /** Words with blanks between, the first ones the most important: so many are shown at most, fewer where there is no room, then `+12`. */
  readonly list?: number;
  /** May be left out when a table does not fit otherwise; the smallest number goes first. */
  readonly drop?: number;
  /** Numbers, which stand at the right of their column. */
  readonly right?: boolean;
}

const GAP = 2;
/** What any column is left with at least, when nothing else helps. */
const LEAST = 6;

const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text);

/** `US MX CA +33`: at least one word, however little room there is. */
function shortList(text: string, most: number, width: number): string {
  const words = text.split(" ");
  for (let shown = Math.min(most, words.length); shown > 1; shown--) {
    const short = words.slice(0, shown).join(" ") + (shown < words.length ? ` +${words.length - shown}` : "");
    if (textWidth(short) <= width) return short;
  }
  return words.length <= 1 ? text : `${words[0]} +${words.length - 1}`;
}

/** A cell's text, in a column of a width. */
const shownText = (cell: Cell | undefined, column: Column | undefined, width: number): string =>
  column?.list === undefined ? textOf(cell ?? "") : shortList(textOf(cell ?? ""), column.list, width);

/**
 * Columns two spaces apart, as wide as their widest cell; a column without any content is left out. The last column is not padded.
 *
 * @param width cells that a line may take; without it lines are as long as they need to be
 * @returns lines, the header first; none is longer than `width`, unless that is too little for even the columns that stay
 */
export function table(
  header: readonly (string | Column)[],
  rows: readonly (readonly Cell[])[],
  paint: Paint,
  width = Number.POSITIVE_INFINITY,
): readonly string[] {
  const columns = header.map((column): Column => (typeof column === "string" ? { title: column } : column));
  const used = columns.map((_, i) => i).filter((i) => rows.some((row) => textOf(row[i] ?? "") !== ""));
  const { shown, widths } = fitColumns(columns, used, rows, width);

  const lines = (cells: readonly Cell[], every?: Style): readonly string[] => {
    const broken = shown.map((i) => wrapText(shownText(cells[i], columns[i], widths.get(i) ?? 1), widths.get(i) ?? 1));
    const height = Math.max(1, ...broken.map((parts) => parts.length));
    return Array.from({ length: height }, (_, at) =>
      shown
        .map((i, place) => {
          const text = broken[place]?.[at] ?? "";
          const cell = cells[i] ?? "";
          const style = every ?? (typeof cell === "string" ? undefined : cell.style);
          const padding = " ".repeat(Math.max(0, (widths.get(i) ?? 0) - textWidth(text)));
          const painted = style === undefined || text === "" ? text : paint(style, text);
          if (columns[i]?.right === true) return padding + painted;
          return place === shown.length - 1 ? painted : painted + padding;
        })
        .join(" ".repeat(GAP))
        .trimEnd(),
    );
  };
  return [
    ...lines(
      columns.map(({ title }) => title),
      "dim",
    ),
    ...rows.flatMap((row) => lines(row)),
  ];
}

interface Fit {
  readonly shown: readonly number[];
  readonly widths: ReadonlyMap<number, number>;
}

/** Narrows first, leaves out then, and breaks everything at last. */
function fitColumns(columns: readonly Column[], used: readonly number[], rows: readonly (readonly Cell[])[], width: number): Fit {
  const natural = new Map(
    used.map((i) => [
      i,
      Math.max(
        textWidth(columns[i]?.title ?? ""),
        ...rows.map((row) => textWidth(shownText(row[i], columns[i], Number.POSITIVE_INFINITY))),
      ),
    ]),
  );
  const leastOf = (i: number): number | undefined => {
    const column = columns[i];
    return column?.wrap === undefined ? undefined : Math.max(column.wrap, textWidth(column.title));
  };
  let shown = used;
  for (;;) {
    const narrowed = narrow(natural, shown, leastOf, width);
    if (narrowed !== undefined) return { shown, widths: narrowed };
    const droppable = shown.filter((i) => columns[i]?.drop !== undefined);
    if (droppable.length === 0) break;
    const first = droppable.reduce((a, b) => ((columns[b]?.drop ?? 0) < (columns[a]?.drop ?? 0) ? b : a));
    shown = shown.filter((i) => i !== first);
  }
  const least = new Map(shown.map((i) => [i, Math.min(LEAST, natural.get(i) ?? 0)]));
  return { shown, widths: narrow(natural, shown, () => LEAST, width) ?? least };
}

/** @returns the widths of the columns, or undefined when they cannot be made to fit */
function narrow(
  natural: ReadonlyMap<number, number>,
  shown: readonly number[],
  least: (column: number) => number | undefined,
  width: number,
): ReadonlyMap<number, number> | undefined {
  const widths = new Map(shown.map((i) => [i, natural.get(i) ?? 0]));
  let excess = [...widths.values()].reduce((sum, one) => sum + one, 0) + GAP * (shown.length - 1) - width;
  while (excess > 0) {
    // The widest of those that may still shrink gives a cell, so that what is read stays readable everywhere.
    let widest: number | undefined;
    for (const [i, now] of widths) {
      if (now <= (least(i) ?? Number.POSITIVE_INFINITY)) continue;
      if (widest === undefined || now > (widths.get(widest) ?? 0)) widest = i;
    }
    if (widest === undefined) return undefined;
    widths.set(widest, (widths.get(widest) ?? 0) - 1);
    excess--;
  }
  return widths;
}
