/** The one place that decides what a missing component means: a failure, or a skip that says why where `GLOBALROUTE_ALLOW_SKIP=1`. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** True when a command is on PATH. */
export function onPath(command: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * For `describe.skipIf(!requireComponent("dns-clients", "dig"))`.
 *
 * @param name of the component as `npm run components` knows it
 * @param command that the tests run
 * @returns false when it is missing and skipping is allowed
 * @throws when it is missing and skipping is not allowed
 */
export function requireComponent(name: string, command: string): boolean {
  if (onPath(command)) return true;
  if (process.env.GLOBALROUTE_ALLOW_SKIP !== "1") {
    throw new Error(`${command} is missing. Run \`npm run components -- ${name}\`, or set GLOBALROUTE_ALLOW_SKIP=1 to skip what needs it.`);
  }
  process.stderr.write(`skipped: ${command} is missing (component ${name})\n`);
  return false;
}
