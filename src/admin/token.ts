/** The admin token: whoever can read the file may change the server's state. */
import { createHash, timingSafeEqual } from "node:crypto";
import { chmod, link, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

const SHORTEST = 16;

export class TokenError extends Error {}

export const tokenPath = (stateFolder: string): string => join(stateFolder, "admin.token");

/**
 * Reads the token of a state folder; the first start creates it, readable by its owner alone.
 *
 * @param create makes a new token; at least 128 random bits as text
 * @throws TokenError when the file cannot be made or read, or is too short to be a secret
 */
export async function loadToken(stateFolder: string, create: () => string): Promise<string> {
  const path = tokenPath(stateFolder);
  try {
    await mkdir(stateFolder, { recursive: true, mode: 0o700 });
    if (!(await exists(path))) {
      // Written aside and linked into place, which fails if the name is taken: nobody ever reads half a token, and the first one stays.
      const aside = await mkdtemp(join(stateFolder, "admin.token-"));
      await writeFile(join(aside, "token"), `${create()}\n`, { mode: 0o600 });
      await link(join(aside, "token"), path).catch(ignoreTaken);
      await rm(aside, { recursive: true });
    }
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
  } catch (cause) {
    throw new TokenError(
      `${path}: ${cause instanceof Error ? cause.message : cause}. Make the state folder writable, or choose another with --state.`,
      { cause },
    );
  }
  return readToken(stateFolder);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

function ignoreTaken(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
}

/**
 * The token of a server that has been started before.
 *
 * @throws TokenError when there is none, or one that is too short
 */
export async function readToken(stateFolder: string): Promise<string> {
  const path = tokenPath(stateFolder);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new TokenError(`${path}: ${cause instanceof Error ? cause.message : cause}. Name the server's state folder with --state.`, {
      cause,
    });
  });
  const token = text.trim();
  if (token.length < SHORTEST)
    throw new TokenError(`${path}: shorter than ${SHORTEST} characters. Delete it and start the server again: it makes a new one.`);
  return token;
}

/**
 * Compares in a time that depends on neither.
 *
 * @param header value of the Authorization header
 */
export function isAuthorized(header: string | undefined, token: string): boolean {
  const match = /^Bearer +([^\s]+) *$/i.exec(header ?? "");
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(match?.[1] ?? ""), digest(token)) && match !== null;
}
