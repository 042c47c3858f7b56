/** How many files and sockets a process may have open: thousands of tunnels need thousands of them. */
import { readFileSync } from "node:fs";

/**
 * For tests that need so many in one process. Node raises its own limit to the hardest one by itself.
 *
 * @returns false when there are fewer and skipping is allowed
 * @throws when there are fewer and skipping is not allowed
 */
export function requireOpenFiles(count: number): boolean {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1] ?? "0";
  if (hard === "unlimited" || Number(hard) >= count) return true;
  const fact = `${count} open files are needed for each process, ${hard} are allowed.`;
  if (process.env.GLOBALROUTE_ALLOW_SKIP !== "1")
    throw new Error(
      `${fact} Run \`ulimit -Hn ${count}\` as root in the shell first, or set GLOBALROUTE_ALLOW_SKIP=1 to skip what needs them.`,
    );
  process.stderr.write(`skipped: ${fact}\n`);
  return false;
}
