/** `globalroute explain HOST --client IP`: what one client is answered, and why; from a running server or from a folder. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { explanationSchema } from "../../admin/api-schemas.ts";
import { parsePrefix } from "../../model/ip.ts";
import type { Candidate, Explanation } from "../../routing/explanation.ts";
import { createApiClient } from "../api-client.ts";
import { type Cli, CommandError, type Io } from "../io.ts";
import { collect, examples, type OutputFormat, outputOption, parsePath, print, serverOption } from "../options.ts";
import { type Cell, formatPercent, type Paint, paintFor, stateCell, table } from "../text.ts";

interface ExplainOptions {
  readonly client: string;
  readonly type: "A" | "AAAA";
  readonly output: OutputFormat;
  readonly server?: string;
  readonly config?: string;
  readonly mmdb?: readonly string[];
}

export function registerExplain(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("explain")
    .description("tell what a client is answered, and why: place, rules, tiers, every candidate; exit 1 when nothing can be answered")
    .argument("<host>", "host name of a route", parseHostName)
    .requiredOption("--client <ip[/n]>", "address of the client, or its network (as a resolver's client subnet)", parseClient)
    .addOption(new Option("--type <type>", "query type").choices(["A", "AAAA"]).default("A"))
    .addOption(serverOption().conflicts("config"))
    .option("--config <dir>", "ask a folder of objects instead of a server; nothing is probed then", parsePath)
    .option("--mmdb <file>", "with --config: geo database; may be given several times, the most trusted first", collect(parsePath))
    .addOption(outputOption())
    .action(async (host: string, options: ExplainOptions) => {
      const explanation = await ask(host, options, io);
      print(io, options.output, explanation, (value) => renderExplanation(value, paintFor(io.stdout, io.env)));
      if (explanation.addresses.length === 0) exit(1);
    });
  examples(command, [
    "globalroute explain shop.example.org --client 192.0.2.1",
    "globalroute explain shop.example.org --client 2001:db8::/56 --type AAAA",
    "globalroute explain shop.example.org --client 192.0.2.0/24 --output json | jq .candidates",
    "globalroute explain shop.example --client 192.0.2.1 --config examples/quickstart",
  ]);
}

async function ask(host: string, { client, type, config, mmdb, server }: ExplainOptions, io: Io): Promise<Explanation> {
  if (config !== undefined) {
    const { explainOffline } = await import("../explain-offline.ts"); // compiler and geo data: not needed to ask a server
    return explainOffline({ config, mmdb: mmdb ?? [], host, client, family: type }, io);
  }
  if (mmdb !== undefined) throw new CommandError(2, "--mmdb goes with --config: a server has its own geo databases.");
  const query = new URLSearchParams({ host, client, family: type });
  return createApiClient(io, server).get(`/v1/explain?${query}`, explanationSchema);
}

function parseHostName(text: string): string {
  if (/[/:\s]/.test(text) || text === "")
    throw new InvalidArgumentError("Write the host name alone, for example shop.example.org: no scheme, port or path.");
  return text;
}

function parseClient(text: string): string {
  if (parsePrefix(text) === undefined)
    throw new InvalidArgumentError("Write an address or a network: 192.0.2.1, 192.0.2.0/24, 2001:db8::/56.");
  return text;
}

/** @returns the lines of the table form; one screen for a route of a dozen backends */
export function renderExplanation(it: Explanation, paint: Paint): readonly string[] {
  const rules = it.rules.length === 0 ? ["none applies"] : it.rules.map(({ name, mode, why }) => `${name} (${mode}): ${why}`);
  return [
    `${paint("bold", it.host)} ${it.family} for ${paint("bold", it.client)}: ${answer(it, paint)}`,
    "",
    field("place", place(it), paint),
    field("route", `${it.route}${it.slot === undefined ? "" : `, sticky: the client's slot is ${it.slot}`}`, paint),
    ...rules.map((rule, i) => field(i === 0 ? "rules" : "", rule, paint)),
    field("tier", tier(it), paint),
    field(
      "answer",
      `TTL ${it.ttl} s, scope /${it.scopePrefixLength}${it.clusters.length > 1 ? `, clusters ${it.clusters.join(", ")}` : ""}`,
      paint,
    ),
    "",
    ...candidateLines(it, paint),
    ...it.notes.flatMap((note, i) => [...(i === 0 ? [""] : []), `${paint("yellow", "note:")} ${note}`]),
  ];
}

const field = (name: string, value: string, paint: Paint): string => `${paint("dim", name.padEnd(7))} ${value}`;

function answer({ addresses, clusters, mode, shares }: Explanation, paint: Paint): string {
  if (addresses.length === 0) return paint("red", "nothing can be answered (SERVFAIL)");
  const sharing = Object.values(shares ?? {}).filter((share) => share > 0).length;
  const drawn = sharing > clusters.length ? ` this time (${sharing} clusters share this client's answers)` : "";
  const text = `${clusters.join(", ")} at ${addresses.join(", ")}${drawn}`;
  return mode === "Usable" ? paint("green", text) : `${paint("yellow", text)} (${MODES[mode] ?? mode})`;
}

function tier({ tier: serving, mode }: Explanation): string {
  const why = MODES[mode] ?? mode;
  return serving === null ? why : `${serving} serves: ${why}`;
}

const MODES: Readonly<Record<string, string>> = {
  Usable: "the first with a usable backend",
  Pending: "none is usable, so one whose failback is pending",
  FailOpenUnknown: "fail-open: none is known to be healthy, so one of unknown health",
  FailOpenUnhealthy: "fail-open: none is healthy, so an unhealthy one",
  FailOpenDraining: "fail-open: none else is left, so a draining one",
  Held: "none may be chosen, so the last answer is held",
  Nothing: "no backend may be answered",
  NotOffered: "nobody has an address of this family",
};

function place({ place: it }: Explanation): string {
  const where = [
    it.country === undefined ? undefined : `country ${it.country}`,
    it.continent === undefined ? undefined : `continent ${it.continent}`,
    it.subdivisions === undefined || it.subdivisions.length === 0 ? undefined : `subdivision ${it.subdivisions.join(", ")}`,
    it.asn === undefined ? undefined : `AS${it.asn}`,
    it.latitude === undefined || it.longitude === undefined ? undefined : `at ${it.latitude}, ${it.longitude}`,
    it.subnets === undefined || it.subnets.length === 0 ? undefined : `in ${it.subnets.join(" and ")}`,
  ].filter((part) => part !== undefined);
  if (!it.known) return ["unknown: no loaded database holds this client", ...where].join("; ");
  return where.join("; ");
}

/** In the order in which they would serve: by tier, those that a rule excludes last. */
function candidateLines({ candidates, shares }: Explanation, paint: Paint): readonly string[] {
  const header = ["TIER", "CLUSTER", "BACKEND", "ADDRESS", "HEALTH", "DISTANCE", "LATENCY", "WEIGHT", "SHARE", "WHY"];
  const rank = ({ tier: own }: Candidate): number => own ?? Number.POSITIVE_INFINITY;
  const rows = [...candidates]
    .sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)))
    .map((it): readonly Cell[] => [
      `${it.taken ? "→" : " "} ${it.tier ?? "–"}`,
      { text: it.cluster, style: it.taken ? "bold" : undefined },
      it.backend === it.cluster ? "" : it.backend,
      it.address,
      stateCell(it.health),
      it.distanceKm === null ? "" : `${Math.round(it.distanceKm)} km`,
      it.latencyMs === null ? "" : `${it.latencyMs.toFixed(0)} ms${it.latencySource === null ? "" : ` ${it.latencySource}`}`,
      String(it.weight),
      shares === undefined ? "" : formatPercent(shares[it.cluster] ?? 0),
      it.reason,
    ]);
  return table(header, rows, paint);
}
