/** `globalroute simulate`: what would happen if a cluster failed, was drained, or the configuration changed. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { loadCentroids } from "../../geo/country-centroids.ts";
import { loadCountryShapes } from "../../geo/country-shapes.ts";
import type { Simulation } from "../../what-if/simulation.ts";
import { type Cli, CommandError, type Io } from "../io.ts";
import { collect, examples, type OutputFormat, outputOption, parsePath, print, serverOption } from "../options.ts";
import { renderSimulation } from "../render-simulation.ts";
import type { SimulateQuestion, SimulationRun } from "../simulate.ts";

interface SimulateOptions {
  readonly config?: string;
  readonly server?: string;
  readonly down?: readonly string[];
  readonly drain?: readonly string[];
  readonly route?: readonly string[];
  readonly policy?: string;
  readonly compare?: string;
  readonly atLoad?: string;
  readonly clients: number | string;
  readonly seed: number;
  readonly mmdb?: readonly string[];
  readonly report?: string;
  readonly maxChanged?: number;
  readonly output: OutputFormat;
}

const MOST_CLIENTS = 10_000_000;

export function registerSimulate(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("simulate")
    .description(
      "tell what would happen to the clients of the world if a cluster failed or the configuration changed; exit 1 beyond --max-changed and when a Require rule would be broken",
    )
    .option("--down <clusters>", "as if all probes of these clusters failed; separated by commas", listOf)
    .option("--drain <clusters>", "as if an operator drained these", listOf)
    .option("--config <dir>", "folder of objects (default: the demo's)", parsePath)
    .addOption(serverOption().conflicts("config"))
    .option("--policy <file>", "objects that replace those of the same name", parsePath)
    .option("--compare <dir>", "compare with the configuration in another folder", parsePath)
    .option("--route <name>", "NAMESPACE/NAME of a route to look at; may be given several times (default: all)", collect(parsePath))
    .option("--clients <n|file>", "how many clients of the world, or a CSV file of network,weight", parseClients, 1_000_000)
    .option("--at-load <file>", "CSV file of country,requests_per_second, to compare load with capacity", parsePath)
    .option("--seed <n>", "of the draw of clients", parseSeed, 1)
    .option("--mmdb <file>", "geo database; may be given several times, the most trusted first", collect(parsePath))
    .option("--max-changed <percent>", "exit 1 when more of any route's clients would get another answer", parsePercent)
    .option("--report <file>", "write a page with a map, in HTML", parsePath)
    .addOption(outputOption())
    .action(async (options: SimulateOptions) => {
      const question = questionOf(options);
      const { runSimulation } = await import("../simulate.ts"); // compiler and geo data: no other command needs them
      const progress = progressOn(io);
      const run = await runSimulation(question, io, progress.tell).finally(progress.end);
      const { simulation } = run;
      if (options.report !== undefined) await writeReport(options.report, run, io);
      const limit = options.maxChanged;
      const asked = limit === undefined ? {} : { maxChanged: limit };
      print(io, options.output, simulation, (value, { width, paint }) => renderSimulation(value, { width, ...asked }, paint));
      if (options.report !== undefined) io.stderr.write(`globalroute: ${options.report} is written.\n`);
      if (isRefused(simulation, limit)) exit(1);
    });
  examples(command, [
    "globalroute simulate --down eu-west                              # in the demo's world",
    "globalroute simulate --config my-config --down eu-west --at-load peak.csv --report report.html",
    "globalroute simulate --config my-config --policy new.yaml        # who would get another answer?",
    "globalroute simulate --config main --compare branch --max-changed 5   # in CI: exit 1 beyond 5 %",
    "globalroute simulate --server http://127.0.0.1:8053 --drain us-east --output json | jq .total",
  ]);
}

function questionOf(options: SimulateOptions): SimulateQuestion {
  const { config, server, policy, compare, atLoad, down = [], drain = [] } = options;
  if (policy !== undefined && compare !== undefined) throw new CommandError(2, "--policy and --compare do not go together. Leave one out.");
  if (down.length + drain.length === 0 && policy === undefined && compare === undefined)
    throw new CommandError(2, "nothing would change. Say what: --down CLUSTER, --drain CLUSTER, --policy FILE or --compare DIR.");
  return {
    ...{ down, drain, routes: options.route ?? [], clients: options.clients, seed: options.seed, mmdb: options.mmdb ?? [] },
    ...(config !== undefined && { config }),
    ...(server !== undefined && { server }),
    ...(policy !== undefined && { policy }),
    ...(compare !== undefined && { compare }),
    ...(atLoad !== undefined && { atLoad }),
  };
}

const isRefused = ({ total }: Simulation, maxChanged: number | undefined): boolean =>
  total.violations.after.weight > 0 || (maxChanged !== undefined && total.mostChanged * 100 > maxChanged);

async function writeReport(path: string, { simulation, regions, worlds }: SimulationRun, io: Io): Promise<void> {
  const { simulationPage } = await import("../report/simulation-page.ts");
  const byName = new Map([...worlds.before.inventory.clusters, ...worlds.after.inventory.clusters].map((one) => [one.name, one]));
  const atlas = { shapes: loadCountryShapes(), centroids: loadCentroids() };
  const page = simulationPage({ simulation, regions, clusters: [...byName.values()], ...atlas });
  await writeFile(resolve(io.cwd, path), page).catch((cause: unknown) => {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new CommandError(2, `${path} cannot be written (${code}). Name a file in a folder that is there.`, { cause });
  });
}

/** One line on a terminal, which the result takes the place of. */
function progressOn({ stderr }: Io) {
  const isSeen = stderr.isTTY === true;
  return {
    tell: (text: string): void => void (isSeen && stderr.write(`\r\u001b[K${text}…`)),
    end: (): void => void (isSeen && stderr.write("\r\u001b[K")),
  };
}

const listOf = (text: string): readonly string[] => {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw new InvalidArgumentError("Write names of clusters with commas between: eu-west,us-east.");
  return [...new Set(names)];
};

function parseClients(text: string): number | string {
  if (!/^\d+$/.test(text)) return parsePath(text);
  const count = Number(text);
  if (count < 1 || count > MOST_CLIENTS) throw new InvalidArgumentError(`Write a number from 1 to ${MOST_CLIENTS}, or a file.`);
  return count;
}

function parseSeed(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Write a whole number of 0 or more.");
  return Number(text);
}

function parsePercent(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > 100) throw new InvalidArgumentError("Write a number from 0 to 100.");
  return value;
}
