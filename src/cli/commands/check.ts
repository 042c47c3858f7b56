/** `globalroute check zone DOMAIN`: does the world ask us for this zone, and do all its nameservers agree? */
import { Resolver } from "node:dns/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { formatListenAddress, type ListenAddress } from "../../model/listen-address.ts";
import { type DelegationFacts, judgeDelegation, type Lookup, type NameserverFacts, NO_ANSWER, NOBODY_THERE } from "../delegation.ts";
import type { Cli } from "../io.ts";
import { examples, type OutputFormat, outputOption, parseDomain, parseListenAddress, print } from "../options.ts";
import { paintFor } from "../text.ts";

const TIMEOUT_MS = 2000;
const TRIES = 2;

interface CheckOptions {
  readonly nameserver: ListenAddress;
  readonly resolver?: ListenAddress;
  readonly port: number;
  readonly output: OutputFormat;
}

export function registerCheck(program: Command, { io, exit }: Cli): void {
  const check = program.command("check").description("check what lies outside this server");
  const zone = check
    .command("zone")
    .description("compare a zone's delegation with what our server answers; exit 1 when they differ")
    .argument("<domain>", "domain of a DNSZone", parseDomain)
    .addOption(
      new Option("--nameserver <addr:port>", "our server")
        .argParser(parseListenAddress)
        .default({ address: "127.0.0.1", port: 5300 }, "127.0.0.1:5300"),
    )
    .option("--resolver <addr:port>", "recursive resolver to ask for the delegation (default: the system's)", parseListenAddress)
    .option("--port <port>", "port of the delegated nameservers", parsePort, 53)
    .addOption(outputOption())
    .action(async (domain: string, options: CheckOptions) => {
      const facts = await gatherDelegation(domain, options);
      const verdicts = judgeDelegation(facts);
      const paint = paintFor(io.stdout, io.env);
      print(io, options.output, { zone: domain, ok: verdicts.every(({ ok }) => ok), verdicts }, () =>
        verdicts.map(({ ok, text }) => `${ok ? paint("green", "ok  ") : paint("red", "FAIL")} ${text}`),
      );
      if (verdicts.some(({ ok }) => !ok)) exit(1);
    });
  examples(zone, [
    "globalroute check zone example.org",
    "globalroute check zone example.org --nameserver 192.0.2.53:53 --resolver 9.9.9.9:53",
  ]);
}

async function gatherDelegation(zone: string, { nameserver, resolver, port }: CheckOptions): Promise<DelegationFacts> {
  const world = resolverAt(resolver);
  const ours = resolverAt(nameserver);
  const names = (answer: readonly string[]) => answer.map((name) => name.toLowerCase().replace(/\.$/, ""));
  const [delegated, served, serial] = await Promise.all([
    lookUp(async () => names(await world.resolveNs(zone))),
    lookUp(async () => names(await ours.resolveNs(zone))),
    lookUp(async () => [(await ours.resolveSoa(zone)).serial]),
  ]);
  const nameservers =
    "values" in delegated ? await Promise.all(delegated.values.map((name) => gatherNameserver(zone, name, port, world))) : [];
  return { zone, server: formatListenAddress(nameserver), delegated, served, serial, nameservers };
}

async function gatherNameserver(zone: string, name: string, port: number, world: Resolver): Promise<NameserverFacts> {
  const [v4, v6] = await Promise.all([lookUp(() => world.resolve4(name)), lookUp(() => world.resolve6(name))]);
  const found = [v4, v6].flatMap((answer) => ("values" in answer ? answer.values : []));
  const serials = found.map(async (address) => ({
    address,
    serial: await lookUp(async () => [(await resolverAt({ address, port }).resolveSoa(zone)).serial]),
  }));
  return { name, addresses: found.length > 0 ? { values: found } : v4, serials: await Promise.all(serials) };
}

function resolverAt(server: ListenAddress | undefined): Resolver {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (server !== undefined) resolver.setServers([formatListenAddress(server)]);
  return resolver;
}

async function lookUp<T>(ask: () => Promise<readonly T[]>): Promise<Lookup<T>> {
  try {
    return { values: await ask() };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return { failure: FAILURES[code] ?? code };
  }
}

const FAILURES: Readonly<Record<string, string>> = {
  ENODATA: "no such records",
  ENOTFOUND: "no such name",
  ESERVFAIL: "SERVFAIL",
  EREFUSED: "refused",
  ETIMEOUT: NO_ANSWER,
  ECONNREFUSED: NOBODY_THERE,
};

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new InvalidArgumentError("Write a port, 1 to 65535.");
  return port;
}
