/** The plain CSV of our own data files: a header, then rows without quotes. */
import { readFileSync } from "node:fs";

/**
 * @param file URL of a file that ships with the code
 * @returns one object a row, by column name
 * @throws on a row of another width: such a file was damaged, and no later check would say so clearly
 */
export function readCsv(file: URL): readonly Readonly<Record<string, string>>[] {
  const [header = "", ...rows] = readFileSync(file, "utf8").trimEnd().split(/\r?\n/);
  const columns = header.split(",");
  return rows.map((row, i) => {
    const cells = row.split(",");
    if (cells.length !== columns.length)
      throw new Error(`${file.pathname}:${i + 2}: ${cells.length} cells, not ${columns.length}. Reinstall.`);
    return Object.fromEntries(columns.map((column, k) => [column, cells[k]!]));
  });
}
