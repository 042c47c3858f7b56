/**
 * Reports of drills in the state folder, for whoever wants to know later what was rehearsed.
 *
 * ```
 * STATE/drills/NAMESPACE_NAME-20261121T120000Z.json   the report; while the drill runs, as far as it was seen
 * STATE/drills/NAMESPACE_NAME-20261121T120000Z.md     for people, once nothing more is expected
 * ```
 */
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { drillReportSchema } from "../admin/drill-schemas.ts";
import type { DrillReport } from "../observe/drill-report.ts";
import { makeFolder } from "./make-folder.ts";
import { renderDrill } from "./render-drill.ts";

/** So many are read at a start, and kept by a server. */
export const DRILLS_KEPT = 20;

/** `default_drill-eu-west-20261121T120000Z`: `_` stands in no name, so that no two drills share a file. */
const baseName = ({ name, began }: DrillReport): string => `${name.replaceAll("/", "_")}-${began.replaceAll(/[-:]|\.\d+/g, "")}`;
const DRILL_FILE = /-(\d{8}T\d{6}Z)\.json$/;

/**
 * Each whole or not at all; the page for people only when the report is settled.
 *
 * @returns path of the JSON
 * @throws the system's error
 */
export async function writeDrill(folder: string, report: DrillReport): Promise<string> {
  await makeFolder(folder);
  const path = join(folder, `${baseName(report)}.json`);
  if (report.settled) await writeAside(join(folder, `${baseName(report)}.md`), drillPage(report));
  await writeAside(path, `${JSON.stringify(report, null, 2)}\n`);
  return path;
}

/** A file of Markdown. */
export const drillPage = (report: DrillReport): string => `${renderDrill(report, (_style, text) => text).join("\n")}\n`;

async function writeAside(path: string, text: string): Promise<void> {
  const aside = `${path}.${process.pid}.tmp`;
  await writeFile(aside, text);
  await rename(aside, path);
}

/**
 * @returns the last ones, oldest first; none when there is no such folder
 * @param onDamaged told of each file that is no report; it is left alone
 */
export async function loadDrills(folder: string, onDamaged: (file: string) => void): Promise<readonly DrillReport[]> {
  const names = await readdir(folder).catch((): readonly string[] => []);
  const files = names
    .flatMap((name) => {
      const began = DRILL_FILE.exec(name)?.[1];
      return began === undefined ? [] : [{ name, began }];
    })
    .sort((a, b) => (a.began < b.began || (a.began === b.began && a.name < b.name) ? -1 : 1))
    .slice(-DRILLS_KEPT);
  const reports = await Promise.all(files.map(({ name }) => readReport(join(folder, name))));
  return reports.flatMap((report, i) => {
    if (report !== undefined) return [report];
    onDamaged(join(folder, files[i]!.name));
    return [];
  });
}

async function readReport(path: string): Promise<DrillReport | undefined> {
  try {
    return drillReportSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}
