/** What docs/ says about commands, paths, errors and events is what there is. */
import { readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { startFakeServer } from "../../test/support/fake-server.ts";
import { createObjectsFolder } from "../../test/support/objects-folder.ts";
import { runCli } from "../../test/support/run-cli.ts";
import { apiErrors } from "../admin/api-error.ts";
import { errorSchema } from "../admin/api-schemas.ts";
import { readObjectsAt } from "../engine/read-objects.ts";
import { DRILL_OUTCOMES } from "../observe/drill-report.ts";
import { EVENT_KINDS } from "../observe/timeline.ts";

const page = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
const firstCells = (text: string, pattern: RegExp): readonly string[] => [...text.matchAll(pattern)].map(([, cell]) => cell!).sort();

test("docs/timeline.md lists every kind of event", () => {
  expect(firstCells(page("timeline.md"), /^\| `([A-Z]\w+)` \|/gm)).toEqual([...EVENT_KINDS].sort());
});

test("the schedule that docs/drill.md shows is a drill that a folder takes", async () => {
  const folder = createObjectsFolder();
  onTestFinished(folder.remove);
  folder.write("schedule.yaml", /```yaml\n([^`]+)```/.exec(page("drill.md"))?.[1] ?? "");
  const { inventory, problems } = await readObjectsAt([folder.path]);
  expect([problems, inventory.overrides]).toMatchObject([
    [],
    [{ action: "Drill", target: { name: "eu-west" }, reason: "quarterly rehearsal" }],
  ]);
});

test("docs/drill.md lists every outcome", () => {
  expect(firstCells(page("drill.md"), /^\| `([A-Z]\w+)` \|/gm)).toEqual([...DRILL_OUTCOMES].sort());
});

test("docs/api.md lists every error with its status", () => {
  const wanted = Object.entries(apiErrors).map(([code, { status }]) => `${code}\` | ${status}`);
  expect(firstCells(page("api.md"), /^\| `([a-z-]+` \| \d+) \|/gm)).toEqual(wanted.sort());
});

test("docs/api.md lists every path", async () => {
  const { admin, url } = await startFakeServer();
  const answer = await fetch(`${url}/none`);
  const { error } = errorSchema.parse(await answer.json());
  await admin.stop();
  expect(firstCells(page("api.md"), /^\| `((?:GET|POST) [^`?]+)/gm)).toEqual(
    error.message
      .replace(/^.*There are: /, "")
      .slice(0, -1)
      .split(", ")
      .sort(),
  );
});

test("docs/cli.md lists every command", async () => {
  const { stdout } = await runCli(["--help"]);
  const commands = firstCells(stdout.slice(stdout.indexOf("Start here:"), stdout.indexOf("Examples:")), /^ {2}([a-z]+)\b/gm).filter(
    (name) => name !== "help",
  );
  expect(firstCells(page("cli.md"), /^\| `globalroute ([a-z]+)/gm)).toEqual(commands);
});
