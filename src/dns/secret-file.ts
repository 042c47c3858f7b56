/** Files with secrets: DNSSEC keys and the like. Read in threads of their own, never by whoever answers. */
import { readFileSync, statSync } from "node:fs";
import { type Fault, fault } from "../model/fault.ts";

/** A key is a few hundred bytes; whatever is much larger is another file. */
const MAX_BYTES = 65_536;

export type SecretFile = { readonly text: string; readonly warnings: readonly Fault[] } | { readonly fault: Fault };

/**
 * Reads a file whole.
 *
 * @returns its text, with a warning when all users may read it; or why it cannot be read
 */
export function readSecretFile(path: string): SecretFile {
  try {
    const facts = statSync(path);
    if (!facts.isFile()) return fault("file-unreadable", "is no regular file", "Name a file.");
    if (facts.size > MAX_BYTES) return fault("file-size", `has ${facts.size} bytes, far more than a key`, "Name the right file.");
    const text = readFileSync(path, "utf8");
    const exposed = fault("file-exposed", "may be read by every user", `Run chmod o-rwx ${path}.`).fault;
    return { text, warnings: (facts.mode & 0o007) === 0 ? [] : [exposed] };
  } catch (error) {
    return unreadable(error);
  }
}

function unreadable(error: unknown): { readonly fault: Fault } {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return fault("path-missing", "does not exist", "Correct the path, or put the file there.");
  if (code === "EACCES" || code === "EPERM")
    return fault("file-unreadable", "may not be read", "Let the user that runs GlobalRoute read it.");
  return fault("file-unreadable", `cannot be read (${error instanceof Error ? error.message : error})`, "Mend it, or name another.");
}

/** What changes when a file is replaced, written to, or gets other permissions; `-` while there is none. */
export function fileStamp(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch {
    return "-";
  }
}
