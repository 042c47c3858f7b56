/** `globalroute dnssec keygen` and `globalroute dnssec ds`: the key of a signed zone, and what the parent zone is told of it. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { formatProblem } from "../../model/problem.ts";
import { type Cli, CommandError, type Io } from "../io.ts";
import { examples, type OutputFormat, outputOption, parseDomain, parsePath, print } from "../options.ts";

/** Seconds, in the records that are printed; whoever takes them over chooses another. */
const TTL = 3600;

/** What is told of a key; records are in zone-file form. */
interface KeyReport {
  readonly domain: string;
  /** Of the private key. */
  readonly file: string;
  readonly tag: number;
  readonly algorithm: number;
  readonly ds: string;
  readonly dnskey: string;
}

export function registerDnssec(program: Command, { io }: Cli): void {
  const dnssec = program
    .command("dnssec")
    .summary("make and show keys of signed zones")
    .description("make keys for signed zones, and show what the parent zone is told of them");
  const keygen = dnssec
    .command("keygen")
    .summary("make a key and print its DS record")
    .description("make a key (ECDSA P-256) and print its DS record; an existing file is never overwritten")
    .requiredOption("--domain <domain>", "domain of the DNSZone", parseDomain)
    .option("--out <file>", "where to write the private key (default: DOMAIN-TAG.pem in the working folder)", parsePath)
    .addOption(outputOption())
    .action(async ({ domain, out, output }: { domain: string; out?: string; output: OutputFormat }) => {
      const { makeKeyText } = await import("../../dns/dnssec/key-file.ts");
      const text = makeKeyText();
      const report = await describe(domain, text, out);
      await writeNew(resolve(io.cwd, report.file), text);
      print(io, output, report, (key) => [...records(key), "", ...nextSteps(key, io)]);
    });
  examples(keygen, [
    "globalroute dnssec keygen --domain example.org",
    "globalroute dnssec keygen --domain example.org --out /etc/globalroute/keys/example.org-2.pem",
  ]);
  const ds = dnssec
    .command("ds")
    .summary("print the records of a key again")
    .description("print the DS and DNSKEY records of a key again")
    .requiredOption("--key <file>", "file with the private key", parsePath)
    .requiredOption("--domain <domain>", "domain of the DNSZone", parseDomain)
    .addOption(outputOption())
    .action(async ({ key, domain, output }: { key: string; domain: string; output: OutputFormat }) => {
      const { readSecretFile } = await import("../../dns/secret-file.ts");
      const file = readSecretFile(resolve(io.cwd, key));
      if ("fault" in file) throw new CommandError(2, `${key} ${file.fault.message}. ${file.fault.remedy}`);
      for (const { code, message, remedy } of file.warnings)
        io.stderr.write(`${formatProblem({ severity: "warning", code, file: key, line: 0, column: 0, path: "", message, remedy })}\n`);
      print(io, output, await describe(domain, file.text, key), records);
    });
  examples(ds, ["globalroute dnssec ds --key example.org-12345.pem --domain example.org"]);
}

/** @throws CommandError (exit 2) when the text is no key for a zone */
async function describe(domain: string, text: string, file: string | undefined): Promise<KeyReport> {
  const [{ parseKey, publicKeyOf }, { encodeDnskey, zoneKey }, { encodeDs }, { formatDnskey, formatDs }, { encodeName }] =
    await Promise.all([
      import("../../dns/dnssec/key-file.ts"),
      import("../../dns/dnssec/zone-key.ts"),
      import("../../dns/dnssec/ds.ts"),
      import("../../dns/wire/format-dnssec.ts"),
      import("../../dns/wire/name.ts"),
    ]);
  const parsed = parseKey(text);
  if ("fault" in parsed) throw new CommandError(2, `${file ?? "the key"} ${parsed.fault.message}. ${parsed.fault.remedy}`);
  const key = zoneKey(publicKeyOf(parsed.value), "Active");
  return {
    domain,
    file: file ?? `${domain}-${key.tag}.pem`,
    tag: key.tag,
    algorithm: key.algorithm,
    ds: `${domain}. ${TTL} IN DS ${formatDs(encodeDs(encodeName(domain)!, key))}`,
    dnskey: `${domain}. ${TTL} IN DNSKEY ${formatDnskey(encodeDnskey(key))}`,
  };
}

/** Readable by its owner alone. */
async function writeNew(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600, flag: "wx" }).catch((cause: unknown) => {
    const exists = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    const fact = exists ? "exists already" : `cannot be written (${cause instanceof Error ? cause.message : cause})`;
    const remedy = exists
      ? "Name another file with --out: a key that is lost cannot be made again."
      : "Name a file in a folder that is there and writable.";
    throw new CommandError(exists ? 2 : 1, `${path} ${fact}. ${remedy}`, { cause });
  });
}

const records = ({ ds, dnskey }: KeyReport): readonly string[] => [ds, dnskey];

const nextSteps = ({ file, tag }: KeyReport, io: Io): readonly string[] => [
  `Private key ${tag} is in ${file}. Keep a copy where the other secrets are: without it the zone cannot be signed.`,
  `1. Name it in the DNSZone:  dnssec: {keys: [{name: k${tag}, file: ${resolve(io.cwd, file)}}]}`,
  "2. Look at the signed zone, and wait until the answers of before are out of all caches (an hour, or the longest TTL).",
  "3. Give the DS record to the parent zone or the registrar. From then on a zone that is not signed by this key is not found.",
  "A key that replaces another one takes more steps: docs/dnssec.md.",
];
