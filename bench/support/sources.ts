/** The sources of another commit, to be measured beside this one's. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Sources {
  /** Its folder, which uses our `node_modules`. */
  readonly root: string;
  /** Short name of the commit. */
  readonly commit: string;
  readonly close: () => void;
}

/** @param ref anything that git knows, such as `HEAD~1` */
export function sourcesOf(ref: string): Sources {
  const commit = execFileSync("git", ["rev-parse", "--short", `${ref}^{commit}`], { cwd: ROOT, encoding: "utf8" }).trim();
  const root = mkdtempSync(join(tmpdir(), "globalroute-previous-"));
  const archive = execFileSync("git", ["archive", "--format=tar", commit], { cwd: ROOT, maxBuffer: 1 << 30 });
  execFileSync("tar", ["-x", "-C", root], { input: archive });
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  return { root, commit, close: () => rmSync(root, { recursive: true, force: true }) };
}
