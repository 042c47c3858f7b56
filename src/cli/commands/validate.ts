/** `globalroute validate PATH…`: every problem of a folder of objects, at once, with its place and its remedy. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { count } from "../../model/count.ts";
import { formatProblem, type Problem } from "../../model/problem.ts";
import { type Cli, CommandError } from "../io.ts";
import { collect, examples, type OutputFormat, outputOption, parsePath, print } from "../options.ts";
import { type Paint, paintFor } from "../text.ts";

interface Validation {
  readonly problems: readonly Problem[];
  readonly summary: { readonly files: number; readonly objects: number; readonly errors: number; readonly warnings: number };
}

interface ValidateOptions {
  readonly output: OutputFormat;
  readonly mmdb?: readonly string[];
  readonly notify?: string;
  readonly kubernetes: boolean;
  readonly controllerNamespace: string;
}

export function registerValidate(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("validate")
    .summary("report every problem in folders or files of objects")
    .description("report every problem in folders or files of objects; exit 2 when one is an error, 0 when all are warnings")
    .argument("[path...]", "folders (*.yaml and *.yml at any depth) or files; read together, as one", collect(parsePath))
    .option(
      "--mmdb <file>",
      "geo database that the server will use, to warn of rules that ask more of it than it knows; may be given several times",
      collect(parsePath),
    )
    .option("--notify <file>", "also check a file of `serve --notify`, and that what it names can be read", parsePath)
    .option(
      "--kubernetes",
      "the objects are for a cluster: sources are taken to be there, and objects of other systems are passed over",
      false,
    )
    .option("--controller-namespace <name>", "with --kubernetes: where the controller runs", "globalroute-system")
    .addOption(outputOption())
    .action(async (paths: readonly string[], options: ValidateOptions) => {
      if (paths.length === 0 && options.notify === undefined)
        throw new CommandError(2, "missing required argument 'path'. Name folders or files of objects, or a file with --notify.");
      // Schemas, regions and geo data: not needed to print a help text.
      const [{ readObjectsAt }, { loadGeoFiles }, { GeoFileError }] = await Promise.all([
        import("../../engine/read-objects.ts"),
        import("../../geo/geo-files.ts"),
        import("../../geo/geo-file-error.ts"),
      ]);
      const geo = await loadGeoFiles((options.mmdb ?? []).map((path) => resolve(io.cwd, path))).catch((error: unknown) => {
        throw error instanceof GeoFileError ? new CommandError(2, error.message, { cause: error }) : error;
      });
      const controllerNamespace = options.kubernetes ? options.controllerNamespace : undefined;
      const { readNotifications } = await import("../open-notifications.ts");
      const none = { files: 0, objects: [], problems: [] };
      const read = paths.length === 0 ? none : await readObjectsAt(paths, { geo: geo.capabilities, controllerNamespace });
      const notify = options.notify === undefined ? [] : readNotifications(options.notify, io.cwd).problems;
      const problems = [...read.problems, ...notify];
      const files = read.files + (options.notify === undefined ? 0 : 1);
      const { objects } = read;
      const errors = problems.filter(({ severity }) => severity === "error").length;
      const validation = { problems, summary: { files, objects: objects.length, errors, warnings: problems.length - errors } };
      print(io, options.output, validation, (value) => render(value, paintFor(io.stdout, io.env)));
      if (errors > 0) exit(2);
    });
  examples(command, [
    "globalroute validate examples/quickstart",
    "globalroute validate clusters.yaml routes/ --output json | jq '.problems[].code'",
    "globalroute validate --kubernetes manifests/",
    "globalroute validate my-config --notify notify.yaml",
  ]);
}

function render({ problems, summary }: Validation, paint: Paint): readonly string[] {
  const read = `${count(summary.files, "file")}, ${count(summary.objects, "valid object")}`;
  const verdict = `${read}: ${count(summary.errors, "error")}, ${count(summary.warnings, "warning")}`;
  const style = summary.errors > 0 ? "red" : summary.warnings > 0 ? "yellow" : "green";
  return [...problems.map(formatProblem), paint(style, verdict)];
}
