/** What the answering threads are told of the operator's choices: options become settings, files are opened and followed. */
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import type { AnswerSettings } from "../dns/answer-settings.ts";
import { CookieSecretError, type CookieSecretFile, cookieSecretPath, createCookieSecret, openCookieSecrets } from "../dns/cookie-secret.ts";
import { SEED_WORDS } from "../dns/rate-limit.ts";
import type { Log } from "../observe/log.ts";
import type { AnswerOptions } from "./answer-options.ts";
import { CommandError, type Io } from "./io.ts";

export interface OpenAnswerSettings {
  readonly settings: AnswerSettings;
  /** Stops looking at files. */
  readonly close: () => void;
}

/**
 * @param state folder of the server's own files, where the cookie secret is made unless a file is named
 * @throws CommandError (exit 2) when the cookie secret cannot be made or read
 */
export async function openAnswerSettings(
  { limit, sourceLimit, slip, exempt, cookieSecret, nsid, versionBind }: AnswerOptions,
  state: string,
  io: Pick<Io, "cwd" | "every">,
  log: Pick<Log, "info" | "warn">,
): Promise<OpenAnswerSettings> {
  const cookies = await openCookies(cookieSecret, state, io, log);
  const isLimited = limit > 0 || sourceLimit > 0;
  const settings: AnswerSettings = {
    workers: 1,
    cookies: cookies.secrets,
    ...(isLimited ? { rateLimit: { limit, sourceLimit, slip, exempt, seed: randomWords(SEED_WORDS) } } : {}),
    ...(nsid === undefined ? {} : { nsid }),
    ...(versionBind === undefined ? {} : { versionBind }),
  };
  return { settings, close: cookies.close };
}

async function openCookies(
  named: string | undefined,
  state: string,
  io: Pick<Io, "cwd" | "every">,
  log: Pick<Log, "info" | "warn">,
): Promise<CookieSecretFile> {
  const file = named === undefined ? cookieSecretPath(state) : resolve(io.cwd, named);
  try {
    if (named === undefined) await createCookieSecret(file, randomBytes);
    return openCookieSecrets(file, {
      every: io.every,
      onChange: () => log.info({ file }, "DNS cookies: the secrets of the changed file are in use"),
      onWarning: (reason) => log.warn({ reason }, "DNS cookies: something is wrong with the file of secrets"),
    });
  } catch (error) {
    if (error instanceof CookieSecretError) throw new CommandError(2, error.message, { cause: error });
    throw error;
  }
}

const randomWords = (count: number): Int32Array => new Int32Array(Uint8Array.from(randomBytes(4 * count)).buffer);
