/** The file with the secrets of DNS cookies: one or two lines of 32 hex digits, the current secret first. All replicas have the same. */
import { link, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type CookieSecrets, newCookieSecrets, SECRET_SIZE, setCookieSecrets } from "./cookies.ts";
import { fileStamp, readSecretFile } from "./secret-file.ts";

/** A file of cookie secrets that cannot be used; the message names it and the remedy, and no secret. */
export class CookieSecretError extends Error {}

export const cookieSecretPath = (stateFolder: string): string => join(stateFolder, "cookie.secret");

/** How often the file is looked at, milliseconds. */
const INTERVAL = 60_000;

export interface CookieSecretPorts {
  /** A repeating timer. @returns its end */
  readonly every: (milliseconds: number, tick: () => void) => () => void;
  /** The file has changed and its secrets are in use. */
  readonly onChange: () => void;
  /** Of a changed file that cannot be used (the secrets before it count on), or of one that every user may read. */
  readonly onWarning: (message: string) => void;
}

export interface CookieSecretFile {
  readonly secrets: CookieSecrets;
  /** Stops looking at the file. */
  readonly close: () => void;
}

/**
 * Reads the secrets, and takes over what the file holds whenever it changes.
 *
 * @throws CookieSecretError when there are none to begin with
 */
export function openCookieSecrets(path: string, ports: CookieSecretPorts): CookieSecretFile {
  let stamp = fileStamp(path);
  const [current, previous] = readSecrets(path, ports.onWarning);
  const secrets = newCookieSecrets(current, previous);
  const close = ports.every(INTERVAL, () => {
    const now = fileStamp(path);
    if (now === stamp) return;
    stamp = now;
    try {
      setCookieSecrets(secrets, ...readSecrets(path, ports.onWarning));
      ports.onChange();
    } catch (error) {
      if (!(error instanceof CookieSecretError)) throw error;
      ports.onWarning(`${error.message} The secrets before it are still in use.`);
    }
  });
  return { secrets, close };
}

/**
 * Makes a file with a new secret, readable by its owner alone, unless there is one.
 *
 * @param random as many random bytes as asked for
 * @throws CookieSecretError when it cannot be written
 */
export async function createCookieSecret(path: string, random: (size: number) => Uint8Array): Promise<void> {
  if (fileStamp(path) !== "-") return;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Written aside and linked into place, which fails if the name is taken: nobody ever reads half a secret, and the first one stays.
    const aside = await mkdtemp(`${path}-`);
    await writeFile(join(aside, "secret"), `${Buffer.from(random(SECRET_SIZE)).toString("hex")}\n`, { mode: 0o600 });
    await link(join(aside, "secret"), path).catch(ignoreTaken);
    await rm(aside, { recursive: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : cause;
    throw new CookieSecretError(`${path}: ${reason}. Make the state folder writable, or name a file with --cookie-secret.`, { cause });
  }
}

function ignoreTaken(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}

/** @returns the current secret, and its predecessor if there is one */
function readSecrets(path: string, onWarning: (message: string) => void): readonly [Uint8Array, Uint8Array?] {
  const file = readSecretFile(path);
  if ("fault" in file) throw new CookieSecretError(`${path}: ${file.fault.message}. ${file.fault.remedy}`);
  const [current, previous, ...more] = file.text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (current === undefined || more.length > 0 || !isSecret(current) || (previous !== undefined && !isSecret(previous))) {
    throw new CookieSecretError(
      `${path}: has something else than one or two lines of ${2 * SECRET_SIZE} hex digits. Make a secret with \`openssl rand -hex ${SECRET_SIZE}\`.`,
    );
  }
  for (const { message, remedy } of file.warnings) onWarning(`${path}: ${message}. ${remedy}`);
  return previous === undefined ? [Buffer.from(current, "hex")] : [Buffer.from(current, "hex"), Buffer.from(previous, "hex")];
}

const isSecret = (line: string): boolean => line.length === 2 * SECRET_SIZE && /^[0-9a-fA-F]+$/.test(line);
