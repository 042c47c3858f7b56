/** `globalroute check zone DOMAIN`: step by step, does the world reach a zone as it should? */
import { randomInt } from "node:crypto";
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { ZoneCheck } from "../../dns/check/check-zone.ts";
import type { Expectation } from "../../dns/check/expectation.ts";
import type { Step, StepResult, StepStatus } from "../../dns/check/step.ts";
import type { ListenAddress } from "../../model/listen-address.ts";
import { didYouMean } from "../../model/nearest-word.ts";
import { formatProblem } from "../../model/problem.ts";
import { type Milliseconds, ms } from "../../model/units.ts";
import { type Cli, CommandError, type Io } from "../io.ts";
import {
  collect,
  examples,
  type OutputFormat,
  outputOption,
  parseDomain,
  parseListenAddress,
  parsePath,
  parsePeriod,
  print,
  serverOption,
} from "../options.ts";
import { withProgress } from "../progress.ts";
import { DNS_PORT, readServerAddress, systemResolvers } from "../system-resolvers.ts";
import { type Paint, paintFor, type Style } from "../text.ts";

/** Hosts of routes that are asked for. More would be the load of a test, and each fault is in one of the first, as a rule. */
const MOST_HOSTS = 20;
const SETTLE = ms(10_000);

interface CheckZoneOptions {
  readonly config?: string;
  readonly resolver?: ListenAddress;
  readonly parent?: ListenAddress;
  readonly nameserver?: ListenAddress;
  readonly port: number;
  readonly settle?: Milliseconds;
  readonly drift?: boolean;
  readonly server?: string;
  readonly mmdb?: readonly string[];
  readonly output: OutputFormat;
}

export function registerCheckZone(program: Command, { io, exit }: Cli): void {
  const check = program.command("check").description("check what lies outside this server");
  const zone = check
    .command("zone")
    .summary("check a zone from outside, step by step")
    .description("check a zone's delegation from the parent down to the hosts of its routes; exit 1 when a step fails")
    .argument("<domain>", "domain of the zone", parseDomain)
    .option("--config <dir>", "folder of objects: what the zone is to be", parsePath)
    .option("--resolver <addr[:port]>", "recursive resolver to find the parent by (default: the system's)", parseServerAddress)
    .option("--parent <addr[:port]>", "server of the parent zone, instead of looking for one", parseServerAddress)
    .option(
      "--nameserver <addr:port>",
      "a server to check besides those of the delegation, such as one that is not delegated to yet",
      parseListenAddress,
    )
    .option("--port <port>", "port of the delegated name servers", parsePort, DNS_PORT)
    .option(
      "--drift",
      "for a zone that is kept elsewhere, or whose delegation is: also compare what the provider has with what the running server publishes (the zone alone), or with --config by the provider's credentials with the objects",
    )
    .addOption(serverOption().conflicts("config"))
    .option(
      "--mmdb <file>",
      "with --drift and --config: geo database; may be given several times, the most trusted first",
      collect(parsePath),
    )
    .option("--settle <duration>", "how long servers may take to reach one serial (default: 10s)", parsePeriod)
    .addOption(outputOption())
    .action(async (domain: string, options: CheckZoneOptions) => {
      const expectation = options.config === undefined ? undefined : await readExpectation(domain, options.config, io);
      const { checkZone } = await import("../../dns/check/check-zone.ts");
      const { exchangeOverTcp, exchangeOverUdp } = await import("../../dns/check/exchange.ts");
      const { parent, nameserver, resolver, port, settle = SETTLE } = options;
      const request = {
        ...{ zone: domain, port, settle, resolvers: resolver === undefined ? systemResolvers() : [resolver] },
        ...(parent === undefined ? {} : { parent }),
        ...(nameserver === undefined ? {} : { nameserver }),
        ...(expectation === undefined ? {} : { expectation }),
      };
      const drift = driftOf({ ...options, domain }, expectation, io);
      const ports = {
        exchange: { udp: exchangeOverUdp, tcp: exchangeOverTcp },
        randomId: () => randomInt(0x1_0000),
        deadline: (milliseconds: number) => AbortSignal.timeout(milliseconds),
        now: () => io.now() / 1000,
        sleep: (milliseconds: number) => setTimeout(milliseconds),
      };
      const verdict = await withProgress(io, `checking ${domain}`, () => checkZone(request, ports, drift));
      print(io, options.output, verdict, (value) => renderCheck(value, paintFor(io.stdout, io.env)));
      if (!verdict.ok) exit(1);
    });
  examples(zone, [
    "globalroute check zone example.org",
    "globalroute check zone example.org --config my-config",
    "globalroute check zone example.org --config my-config --drift",
    "globalroute check zone example.org --drift    # as a running server sees it",
    "globalroute check zone example.org --nameserver 192.0.2.53:53 --resolver 9.9.9.9",
    "globalroute check zone example.org --output json | jq '.steps[] | select(.status != \"ok\")'",
  ]);
}

/** @throws CommandError (exit 2) when there is nothing to compare with */
function driftOf(
  { domain, drift, config, mmdb, server }: CheckZoneOptions & { readonly domain: string },
  expectation: Expectation | undefined,
  io: Io,
): (() => Promise<StepResult>) | undefined {
  if (drift !== true) {
    if (server !== undefined) throw new CommandError(2, "--server goes with --drift: the other steps ask no server of ours.");
    return undefined;
  }
  if (config === undefined || expectation === undefined) {
    if (mmdb !== undefined) throw new CommandError(2, "--mmdb goes with --config: a server has its own geo databases.");
    return async () => {
      const [{ servedDrift }, { createApiClient }] = await Promise.all([import("../zone-drift.ts"), import("../api-client.ts")]);
      return servedDrift(domain, createApiClient(io, server));
    };
  }
  const { object, keptElsewhere, delegatedBy } = expectation;
  if (keptElsewhere === undefined && delegatedBy === undefined)
    throw new CommandError(2, `--drift is for a zone that is kept elsewhere, or its delegation; DNSZone ${object} is answered here.`);
  return async () => {
    const { zoneDrift } = await import("../zone-drift.ts");
    const of = { domain, zone: object, isElsewhere: keptElsewhere !== undefined };
    return zoneDrift({ ...of, ...(delegatedBy === undefined ? {} : { parent: delegatedBy }) }, { config, mmdb: mmdb ?? [] }, io);
  };
}

/** @throws CommandError (exit 2) for objects with errors, and when no DNSZone has the domain */
async function readExpectation(domain: string, config: string, io: Pick<Io, "cwd">): Promise<Expectation> {
  const [{ readObjectsAt }, { expectationOf }] = await Promise.all([
    import("../../engine/read-objects.ts"), // schemas and regions: not needed without a folder
    import("../../dns/check/expectation.ts"),
  ]);
  const { inventory, problems } = await readObjectsAt([resolve(io.cwd, config)]);
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0)
    throw new CommandError(2, [`${config} has errors, so a server would not take it:`, ...errors.map(formatProblem)].join("\n"));
  const expectation = expectationOf(domain, inventory, MOST_HOSTS);
  if (expectation !== undefined) return expectation;
  const domains = inventory.zones.map((zone) => zone.domain);
  const there = domains.length === 0 ? "It has no DNSZone at all." : `It has: ${domains.join(", ")}.`;
  throw new CommandError(2, `${config} has no DNSZone of ${domain}. ${didYouMean(domain, domains)}${there}`);
}

const MARKS: Readonly<Record<StepStatus, { readonly mark: string; readonly style: Style }>> = {
  ok: { mark: "✓", style: "green" },
  warning: { mark: "!", style: "yellow" },
  failed: { mark: "✗", style: "red" },
  skipped: { mark: "–", style: "dim" },
};

/** @returns the lines of the table form: a mark, the step, its facts one below the other, and the way out */
export function renderCheck({ zone, steps }: ZoneCheck, paint: Paint): readonly string[] {
  const width = Math.max(...steps.map(({ name }) => name.length));
  const indent = " ".repeat(width + 4);
  const lines = steps.flatMap(({ name, status, facts, remedy }) => {
    const { mark, style } = MARKS[status];
    const [first = "", ...more] = facts;
    return [
      `${paint(style, mark)} ${name.padEnd(width)}  ${first}`,
      ...more.map((fact) => `${indent}${fact}`),
      ...(remedy === undefined ? [] : [`${indent}${paint("bold", "→")} ${remedy}`]),
    ];
  });
  return [...lines, "", summary(zone, steps, paint)];
}

function summary(zone: string, steps: readonly Step[], paint: Paint): string {
  const named = (status: StepStatus): string =>
    steps
      .filter((step) => step.status === status)
      .map(({ name }) => name)
      .join(", ");
  const [failures, warnings] = [named("failed"), named("warning")];
  if (failures !== "") return paint("red", `${zone} is not reached as it should be: ${failures}`);
  return warnings === ""
    ? paint("green", `${zone} is reached as it should be`)
    : paint("yellow", `${zone} is reached; look at: ${warnings}`);
}

function parseServerAddress(text: string): ListenAddress {
  const address = readServerAddress(text);
  if (address === undefined)
    throw new InvalidArgumentError("Write an address, perhaps with a port: 192.0.2.53, 192.0.2.53:5300, [2001:db8::53]:5300.");
  return address;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new InvalidArgumentError("Write a port, 1 to 65535.");
  return port;
}
