/** Options that several commands share, and the parsers of their values. A value that does not parse is bad usage (exit 2). */
import { availableParallelism, homedir } from "node:os";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { stringify } from "yaml";
import { parseDuration } from "../model/duration.ts";
import { formatNetwork, parseIp, parseNetwork } from "../model/ip.ts";
import type { ListenAddress } from "../model/listen-address.ts";
import { type Milliseconds, ms } from "../model/units.ts";
import { CommandError, type Io } from "./io.ts";
import { type Look, lookOf, printableLine } from "./text.ts";

export const OUTPUT_FORMATS = ["table", "json", "yaml"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export const DEFAULT_SERVER = "http://127.0.0.1:8053";

/** Headings of what help lists. */
export const GROUPS = {
  output: "Output:",
  server: "Which server:",
  folder: "Without a server:",
  kubernetes: "In Kubernetes:",
} as const;

export const outputOption = (): Option =>
  new Option("-o, --output <format>", "form of the output").choices(OUTPUT_FORMATS).default("table").helpGroup(GROUPS.output);
export const serverOption = (): Option =>
  new Option("--server <url>", `admin API of a running server (default: $GLOBALROUTE_SERVER, else ${DEFAULT_SERVER})`)
    .argParser(parseServerUrl)
    .helpGroup(GROUPS.server);
export const stateOption = (): Option =>
  new Option("--state <dir>", "folder of the server's own files (default: $XDG_STATE_HOME/globalroute, else ~/.local/state/globalroute)")
    .argParser(parsePath)
    .helpGroup(GROUPS.server);

export interface WatchFlags {
  readonly watch?: boolean;
  /** Milliseconds. */
  readonly interval: Milliseconds;
}

/** Of commands that can show something again and again. */
export const watchOptions = (command: Command): Command =>
  command
    .addOption(new Option("-w, --watch", "show it again whenever it changes, until q or Ctrl-C").helpGroup(GROUPS.output))
    .addOption(
      new Option("--interval <duration>", "with --watch: look again after this long, though nothing was heard of")
        .argParser(parsePeriod)
        .default(ms(2000), "2s")
        .helpGroup(GROUPS.output),
    );

/** Of commands that can do without a server. */
export const configOption = (description: string): Option =>
  new Option("--config <dir>", description).argParser(parsePath).helpGroup(GROUPS.folder);
export const mmdbOption = (description: string): Option => new Option("--mmdb <file>", description).argParser(collect(parsePath));
export const folderMmdbOption = (): Option =>
  mmdbOption("with --config: geo database; may be given several times, the most trusted first").helpGroup(GROUPS.folder);

export const watchResolverOption = (): Option =>
  new Option(
    "--watch-resolver <addr[:port]>",
    "recursive resolver that is asked, after a failover, until it answers so; may be given several times",
  ).argParser(collect(parseResolverAddress));

/** Writes a value as JSON or YAML, or the lines that `render` makes of it. */
export function print<T>(io: Io, format: OutputFormat, value: T, render: (value: T, look: Look) => readonly string[]): void {
  const text =
    format === "json"
      ? JSON.stringify(value, null, 2)
      : format === "yaml"
        ? stringify(value).trimEnd()
        : render(value, lookOf(io)).map(printableLine).join("\n");
  io.stdout.write(`${text}\n`);
}

/** The state folder: the option, else where the XDG base directory specification puts it. */
export function stateFolder(option: string | undefined, io: Io): string {
  if (option !== undefined) return resolve(io.cwd, option);
  const base = io.env.XDG_STATE_HOME;
  return join(base === undefined || base === "" ? join(io.env.HOME ?? homedir(), ".local", "state") : base, "globalroute");
}

/** `127.0.0.1:8053`, `[::1]:8053`; an address, no name. Port 0 = any free one. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? "";
  if (match === null || Number(match[3]) > 65_535 || parseIp(address) === undefined || (match[1] !== undefined) !== address.includes(":")) {
    throw new InvalidArgumentError("Write ADDRESS:PORT, for example 127.0.0.1:8053 or [::1]:8053.");
  }
  return { address, port: Number(match[3]) };
}

/** `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353`; an address, no name. The port is 53 if it is not said. */
export function parseResolverAddress(text: string): ListenAddress {
  if (parseIp(text) !== undefined) return { address: text, port: DNS_PORT };
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const [address, port] = [match?.[1] ?? match?.[2] ?? "", Number(match?.[3])];
  if (match === null || port < 1 || port > 65_535 || parseIp(address) === undefined || (match[1] !== undefined) !== address.includes(":"))
    throw new InvalidArgumentError("Write ADDRESS or ADDRESS:PORT, for example 192.0.2.53 or [2001:db8::53]:5353.");
  return { address, port };
}

const DNS_PORT = 53;

/** `192.0.2.10:443` or `name.example.org:443`. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) throw new InvalidArgumentError("Write HOST:PORT, for example 192.0.2.10:443.");
  return { host: match[1] ?? match[2] ?? "", port };
}

/** Canonical CIDR; a bare address is its host network. */
export function parseCidr(text: string): string {
  const network = parseNetwork(text);
  if (network === undefined) throw new InvalidArgumentError("Write a network without bits behind its length, for example 192.0.2.0/24.");
  return formatNetwork(network);
}

/** Above zero. */
export function parsePeriod(text: string): Milliseconds {
  const result = parseDuration(text);
  if ("fault" in result) throw new InvalidArgumentError(result.fault.remedy);
  if (result.value === 0) throw new InvalidArgumentError("It must be longer than 0.");
  return result.value;
}

const MAX_WORKERS = 64;

/** Of `--dns-workers`. */
export function parseWorkers(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > MAX_WORKERS) throw new InvalidArgumentError(`Write a number from 1 to ${MAX_WORKERS}.`);
  return count;
}

/** Of `--proxy-trusted-hops`. */
export function parseHops(text: string): number {
  if (!/^\d$/.test(text)) throw new InvalidArgumentError("Write how many there are, 0 to 9.");
  return Number(text);
}

/** Of `--proxy-per-client`. */
export function parsePerClient(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError("Write how many there may be; 0 means any number.");
  return Number(text);
}

/** One core is left to probes and the API. Beyond eight the network is the limit, and each costs memory. */
export const defaultWorkers = (): number => Math.min(8, Math.max(1, availableParallelism() - 1));

/** For options that may be given several times: the first replaces the default. */
export const collect =
  <T>(parse: (text: string) => T) =>
  (text: string, before: readonly T[] | undefined): readonly T[] => [...(before ?? []), parse(text)];

/** A domain in small letters, without its last dot. */
export function parseDomain(text: string): string {
  const name = text.toLowerCase().replace(/\.$/, "");
  if (name.length > 253 || !/^([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/.test(name))
    throw new InvalidArgumentError("Write a domain such as example.org.");
  return name;
}

/** A path as it was written. An empty one is the working folder to Node, and an unset variable to whoever wrote `--state "$DIR"`. */
export function parsePath(text: string): string {
  if (text === "") throw new InvalidArgumentError("Write a path; the working folder is `.`.");
  return text;
}

function parseServerUrl(text: string): string {
  const url = readServerUrl(text);
  if (url === undefined) throw new InvalidArgumentError(SERVER_URL_REMEDY);
  return url;
}

const SERVER_URL_REMEDY = `Write a URL such as ${DEFAULT_SERVER}.`;

/** Without a slash at its end; undefined when it is no URL of HTTP. */
function readServerUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) ? url.href.replace(/\/$/, "") : undefined;
}

/**
 * The server that a command talks to.
 *
 * @throws CommandError (exit 2) when GLOBALROUTE_SERVER is no URL
 */
export function serverUrl(option: string | undefined, io: Io): string {
  const fromEnvironment = io.env.GLOBALROUTE_SERVER;
  if (option !== undefined || fromEnvironment === undefined || fromEnvironment === "") return option ?? DEFAULT_SERVER;
  const url = readServerUrl(fromEnvironment);
  if (url === undefined) throw new CommandError(2, `GLOBALROUTE_SERVER is ${JSON.stringify(fromEnvironment)}. ${SERVER_URL_REMEDY}`);
  return url;
}

/** Examples behind a command's help. */
export const examples = (command: Command, lines: readonly string[]): Command =>
  command.addHelpText("after", `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`);
