/** Options of `serve` for the threads that answer DNS: rate limiting, cookies, and what the server tells of itself. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { MAX_NSID, MAX_TEXT } from "../dns/answer-settings.ts";
import { MAX_LIMIT } from "../dns/rate-limit.ts";
import { type Network, parseNetwork } from "../model/ip.ts";
import { parseCidr, parsePath } from "./options.ts";

/** As commander gives them. */
export interface AnswerFlags {
  readonly rateLimit: number;
  readonly rateLimitSource?: number;
  readonly rateLimitSlip: number;
  readonly rateLimitExempt?: readonly string[];
  readonly cookieSecret?: string;
  readonly nsid?: Uint8Array;
  readonly versionBind?: Uint8Array;
}

export interface AnswerOptions {
  /** Answers a second; see `RateLimitSettings`. */
  readonly limit: number;
  readonly sourceLimit: number;
  readonly slip: number;
  readonly exempt: readonly Network[];
  /** File of cookie secrets; one in the state folder, made if need be, if not given. */
  readonly cookieSecret?: string;
  readonly nsid?: Uint8Array;
  readonly versionBind?: Uint8Array;
}

const LIMIT = 200;
const SLIP = 2;
/** How much more all of a source prefix may have than one name of it: a public resolver asks for many. */
const SOURCE_FACTOR = 50;
const EXEMPT = ["127.0.0.0/8", "::1/128"];
const NOBODY = "none";

/** What `serve` does without any of its options. */
export const DEFAULT_ANSWERING: AnswerOptions = answerOptions({ rateLimit: LIMIT, rateLimitSlip: SLIP });

export function answerOptions(flags: AnswerFlags): AnswerOptions {
  const exempt = (flags.rateLimitExempt ?? EXEMPT).filter((text) => text !== NOBODY);
  return {
    limit: flags.rateLimit,
    sourceLimit: flags.rateLimitSource ?? Math.min(MAX_LIMIT, SOURCE_FACTOR * flags.rateLimit),
    slip: flags.rateLimitSlip,
    exempt: exempt.flatMap((text) => parseNetwork(text) ?? []),
    ...(flags.cookieSecret === undefined ? {} : { cookieSecret: flags.cookieSecret }),
    ...(flags.nsid === undefined ? {} : { nsid: flags.nsid }),
    ...(flags.versionBind === undefined ? {} : { versionBind: flags.versionBind }),
  };
}

/** Adds the options to a command; its action gets {@link AnswerFlags} among its own. */
export function addAnswerOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--rate-limit <count>", "answers a second over UDP for one network of clients, name and response code; 0 = no limit")
        .argParser(parseCount(MAX_LIMIT))
        .default(LIMIT),
    )
    .option(
      "--rate-limit-source <count>",
      `answers a second over UDP for one network of senders, whatever they ask; 0 = no limit (default: ${SOURCE_FACTOR} times --rate-limit)`,
      parseCount(MAX_LIMIT),
    )
    .addOption(
      new Option("--rate-limit-slip <count>", "of so many limited answers one is sent truncated, the others not at all; 0 = none is sent")
        .argParser(parseCount(MAX_SLIP))
        .default(SLIP),
    )
    .option(
      "--rate-limit-exempt <cidr>",
      `senders that are not limited; may be given several times, \`${NOBODY}\` = nobody (default: ${EXEMPT.join(" and ")})`,
      collectExempt,
    )
    .option(
      "--cookie-secret <file>",
      "secrets of DNS cookies, the same for all replicas (default: cookie.secret in the state folder)",
      parsePath,
    )
    .option("--nsid <text>", "name of this server for queries with NSID and for id.server; 0x… = bytes in hex", parseNsid)
    .option("--version-bind <text>", "what version.bind is answered", parseText);
}

const MAX_SLIP = 100;

const parseCount =
  (most: number) =>
  (text: string): number => {
    const count = Number(text);
    if (!/^\d+$/.test(text) || count > most) throw new InvalidArgumentError(`Write a number from 0 to ${most}.`);
    return count;
  };

function collectExempt(text: string, before: readonly string[] | undefined): readonly string[] {
  if ((text === NOBODY && before !== undefined) || before?.includes(NOBODY) === true)
    throw new InvalidArgumentError(`Write \`${NOBODY}\` alone, or networks.`);
  return [...(before ?? []), text === NOBODY ? text : parseCidr(text)];
}

function parseNsid(text: string): Uint8Array {
  const digits = /^0x((?:[0-9a-f]{2})+)$/i.exec(text)?.[1];
  return limited(digits === undefined ? Buffer.from(text) : Buffer.from(digits, "hex"), MAX_NSID);
}

const parseText = (text: string): Uint8Array => limited(Buffer.from(text), MAX_TEXT);

function limited(bytes: Uint8Array, most: number): Uint8Array {
  if (bytes.length === 0 || bytes.length > most) throw new InvalidArgumentError(`Write a text of 1 to ${most} bytes.`);
  return bytes;
}
