/** CSV files of people: a header, then rows. Pure; what is wrong is told with its line. */

export interface CsvFault {
  /** From 1. */
  readonly line: number;
  /** The fact, then the remedy. */
  readonly message: string;
}

export interface CsvRow {
  readonly line: number;
  /** By column name; empty for columns that the file does not have. */
  readonly cells: Readonly<Record<string, string>>;
}

/** Columns by name; of `oneOf` exactly one. */
export interface CsvColumns {
  readonly required: readonly string[];
  readonly oneOf?: readonly string[];
  readonly optional?: readonly string[];
}

/** Blank lines and those that begin with `#` are passed over; a cell may stand in quotes, but hold no comma. */
export function readRows(
  text: string,
  { required, oneOf = [], optional = [] }: CsvColumns,
): { readonly rows: readonly CsvRow[] } | CsvFault {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((content, i) => ({ line: i + 1, content: content.trim() }))
    .filter(({ content }) => content !== "" && !content.startsWith("#"));
  const [head, ...rest] = lines;
  const known = [...required, ...oneOf, ...optional];
  const form = `Write a first line such as ${[...required, ...oneOf.slice(0, 1)].join(",")}${optional.length > 0 ? ` (and ${optional.join(", ")} if you like)` : ""}.`;
  if (head === undefined) return { line: 1, message: `the file is empty. ${form}` };
  const columns = cellsOf(head.content).map((name) => name.toLowerCase());
  const unknown = columns.find((name) => !known.includes(name));
  if (unknown !== undefined) return { line: head.line, message: `there is no column ${JSON.stringify(unknown)}. ${form}` };
  const isWhole = required.every((name) => columns.includes(name)) && (oneOf.length === 0 || oneOf.some((name) => columns.includes(name)));
  if (!isWhole || new Set(columns).size !== columns.length)
    return { line: head.line, message: `the columns are ${columns.join(", ")}. ${form}` };
  const rows: CsvRow[] = [];
  for (const { line, content } of rest) {
    const cells = cellsOf(content);
    if (cells.length !== columns.length)
      return { line, message: `has ${cells.length} cells, and the first line ${columns.length}. Write one for each column.` };
    rows.push({ line, cells: Object.fromEntries(columns.map((name, i) => [name, cells[i]!])) });
  }
  return rows.length === 0 ? { line: head.line, message: "no row follows the first line. Write one for each." } : { rows };
}

const cellsOf = (content: string): readonly string[] => content.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));

/** @returns undefined for what is no number of 0 or more */
export function readAmount(text: string): number | undefined {
  const value = Number(text);
  return /^\d+(\.\d+)?(e\d+)?$/i.test(text) && Number.isFinite(value) ? value : undefined;
}
