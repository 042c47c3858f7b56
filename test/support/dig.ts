/** Asks by `dig` and reads what it prints: a resolver's view of our server that shares no code with it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface DigAnswer {
  /** `NOERROR`, `NXDOMAIN`, … */
  readonly status: string;
  readonly flags: readonly string[];
  /** RDATA of the answer section, sorted. */
  readonly answers: readonly string[];
  /** `NAME TTL CLASS TYPE` and RDATA of each record of the authority section. */
  readonly authority: readonly string[];
  /** TTLs of the answer section, seconds. */
  readonly ttls: readonly number[];
  /** `91.64.0.0/16/14`: what the server made of the client subnet; undefined when it sent none. */
  readonly subnet: string | undefined;
  readonly text: string;
}

const run = promisify(execFile);

/** `dig @127.0.0.1 -p PORT +tries=1 +time=3 ARGUMENTS…`. @throws when no answer comes */
export async function dig(port: number, ...args: readonly string[]): Promise<DigAnswer> {
  const server = args.some((arg) => arg.startsWith("@")) ? [] : ["@127.0.0.1"];
  const { stdout } = await run("dig", [...server, "-p", String(port), "+tries=1", "+time=3", ...args]);
  return readDig(stdout);
}

/** Reads what dig prints without `+short`. */
export function readDig(text: string): DigAnswer {
  const section = (name: string): readonly string[] => {
    const [, body = ""] = text.split(`;; ${name} SECTION:\n`);
    return (body.split("\n\n")[0] ?? "").split("\n").filter((line) => line !== "" && !line.startsWith(";"));
  };
  const records = section("ANSWER").map((line) => line.split(/\s+/));
  return {
    status: /status: (\w+)/.exec(text)?.[1] ?? "",
    flags: /flags: ([a-z ]*);/.exec(text)?.[1]?.split(" ") ?? [],
    answers: records.map((fields) => fields.slice(4).join(" ")).sort(),
    ttls: records.map((fields) => Number(fields[1])),
    authority: section("AUTHORITY").map((line) => line.replaceAll(/\s+/g, " ")),
    subnet: /CLIENT-SUBNET: (\S+)/.exec(text)?.[1],
    text,
  };
}
