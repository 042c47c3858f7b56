/**
 * `npm run components -- NAME…`: installs the real peers that integration tests talk to, by name, from Debian's packages.
 * What is already there is left alone. Exit codes: 0 all there, 1 an installation failed, 2 bad usage.
 */
import { spawnSync } from "node:child_process";
import { onPath } from "./component.ts";

interface Component {
  /** Commands that a test needs; the component is there when all of them are on PATH. */
  readonly commands: readonly string[];
  readonly debian: readonly string[];
}

const COMPONENTS: Readonly<Record<string, Component>> = {
  "dns-clients": { commands: ["dig", "kdig"], debian: ["bind9-dnsutils", "knot-dnsutils"] },
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => COMPONENTS[name] === undefined);
if (names.length === 0 || unknown.length > 0) {
  const fact = unknown.length > 0 ? `unknown component: ${unknown.join(", ")}` : "no component named";
  process.stderr.write(`components: ${fact}. Name one or more of: ${Object.keys(COMPONENTS).join(", ")}.\n`);
  process.exit(2);
}

const packages = names.flatMap((name) => {
  const component = COMPONENTS[name];
  const missing = component?.commands.filter((command) => !onPath(command)) ?? [];
  process.stdout.write(missing.length === 0 ? `${name}: already there\n` : `${name}: ${missing.join(", ")} missing\n`);
  return missing.length === 0 ? [] : (component?.debian ?? []);
});
if (packages.length > 0) process.exit(install(packages));

function install(wanted: readonly string[]): number {
  if (!onPath("apt-get")) return refuse(`there is no apt-get here. Install what provides these Debian packages: ${wanted.join(" ")}.`);
  const prefix = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  if (prefix.length > 0 && !onPath("sudo")) return refuse(`root is needed. Run as root: apt-get install ${wanted.join(" ")}.`);
  for (const command of [
    ["update", "-q"],
    ["install", "-q", "-y", "--no-install-recommends", ...wanted],
  ]) {
    const [program = "apt-get", ...rest] = [...prefix, "apt-get", ...command];
    const run = spawnSync(program, rest, { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
    if (run.status !== 0) return refuse(`apt-get ${command[0]} failed. Its own message is above.`);
  }
  return 0;
}

function refuse(message: string): number {
  process.stderr.write(`components: ${message}\n`);
  return 1;
}
