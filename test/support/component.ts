/** The one place that decides what a missing component means: a failure, or a skip that says why where `GLOBALROUTE_ALLOW_SKIP=1`. */
import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** Where `npm run components` keeps what it builds or unpacks, each in a folder `NAME-VERSION`; outlives checkouts. */
export const builtFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "globalroute-components");

/** Programs that no Debian package holds, by command, with their pinned versions. */
export const BUILT_COMMANDS: Readonly<Record<string, string>> = {
  "kube-apiserver": join(builtFolder, "k8s-1.35.4", "kube-apiserver"),
  "kube-controller-manager": join(builtFolder, "k8s-1.35.4", "kube-controller-manager"),
  etcd: join(builtFolder, "etcd-3.6.16", "etcd"),
  kubectl: join(builtFolder, "kubectl-1.35.2", "kubectl"),
  helm: join(builtFolder, "kubectl-1.35.2", "helm"),
  "aws-python": join(builtFolder, "aws-python-1.44.5", "aws-python"),
  envoy: join(builtFolder, "envoy-1.40.0", "envoy"),
  traefik: join(builtFolder, "traefik-3.7.15", "traefik"),
  // No commands: folders with the CustomResourceDefinitions of others.
  "gateway-api-crds": join(builtFolder, "foreign-crds-1", "gateway-api"),
  "prometheus-operator-crds": join(builtFolder, "foreign-crds-1", "prometheus-operator"),
};

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** True when a command is on PATH. */
export const onPath = (command: string): boolean =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => isExecutable(join(folder, command)));

/** Path of a program of {@link BUILT_COMMANDS}, whether it is there or not. What another version on PATH does is never measured. */
export function builtCommand(command: string): string {
  const path = BUILT_COMMANDS[command];
  if (path === undefined) throw new Error(`${command} is none of the built components: ${Object.keys(BUILT_COMMANDS).join(", ")}`);
  return path;
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
  const built = BUILT_COMMANDS[command];
  if (built === undefined ? onPath(command) : isExecutable(built)) return true;
  if (process.env.GLOBALROUTE_ALLOW_SKIP !== "1") {
    throw new Error(`${command} is missing. Run \`npm run components -- ${name}\`, or set GLOBALROUTE_ALLOW_SKIP=1 to skip what needs it.`);
  }
  process.stderr.write(`skipped: ${command} is missing (component ${name})\n`);
  return false;
}
