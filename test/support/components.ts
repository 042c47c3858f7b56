/**
 * `npm run components -- NAME…`: installs the real peers that integration and end-to-end tests talk to, by name, from Debian's packages or by
 * built-components.ts. What is already there is left alone. Exit codes: 0 all there, 1 an installation failed, 2 bad usage.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { buildComponent, builtComponents } from "./built-components.ts";
import { onPath } from "./component.ts";

const POLICY = "/usr/sbin/policy-rc.d";

interface Component {
  /** Commands that a test needs; the component is there when all of them are on PATH, and its files too. */
  readonly commands: readonly string[];
  readonly debian: readonly string[];
  /** Of packages that bring no command. */
  readonly files?: readonly string[];
  /** systemd services of these packages; none is started or enabled. */
  readonly services?: readonly string[];
}

const COMPONENTS: Readonly<Record<string, Component>> = {
  namespaces: { commands: ["unshare", "ip"], debian: ["util-linux", "iproute2"] },
  "dns-clients": { commands: ["dig", "kdig"], debian: ["bind9-dnsutils", "knot-dnsutils"] },
  "dnssec-tools": { commands: ["dnssec-verify", "dnssec-dsfromkey", "ldns-verify-zone"], debian: ["bind9-utils", "ldnsutils"] },
  terminal: { commands: ["script"], debian: ["bsdutils"] },
  shells: { commands: ["bash", "zsh", "fish"], debian: ["bash", "zsh", "fish"] },
  prometheus: {
    commands: ["prometheus", "promtool", "prometheus-alertmanager", "amtool"],
    debian: ["prometheus", "prometheus-alertmanager"],
    services: ["prometheus", "prometheus-alertmanager"],
  },
  knot: { commands: ["knotd", "knotc", "kzonecheck"], debian: ["knot", "knot-dnssecutils"], services: ["knot"] },
  bind: { commands: ["named", "named-checkconf"], debian: ["bind9"], services: ["named"] },
  unbound: { commands: ["unbound"], debian: ["unbound"], services: ["unbound"] },
  "pdns-recursor": { commands: ["pdns_recursor"], debian: ["pdns-recursor"], services: ["pdns-recursor"] },
  "knot-resolver": { commands: ["kresd"], debian: ["knot-resolver"], services: ["kres-cache-gc"] },
  powerdns: {
    commands: ["pdns_server"],
    files: ["/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql", "/usr/share/doc/pdns-backend-geoip"],
    debian: ["pdns-server", "pdns-backend-sqlite3", "pdns-backend-geoip"],
    services: ["pdns"],
  },
  "http-clients": { commands: ["curl", "openssl"], debian: ["curl", "openssl"] },
  haproxy: { commands: ["haproxy"], debian: ["haproxy"], services: ["haproxy"] },
  nginx: { commands: ["nginx"], debian: ["nginx-light"], services: ["nginx"] },
  wrk: { commands: ["wrk"], debian: ["wrk"] },
  chromium: { commands: ["chromium"], debian: ["chromium", "fonts-liberation"] },
  "dns-servers": {
    commands: ["gdnsd", "knotd", "pdns_server", "named", "dnsperf"],
    debian: ["gdnsd", "knot", "knot-module-geoip", "pdns-server", "pdns-backend-geoip", "bind9", "dnsperf"],
    services: ["gdnsd", "knot", "pdns", "named"],
  },
};

const known = [...Object.keys(COMPONENTS), ...builtComponents];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.includes(name));
if (wanted.length === 0 || unknown.length > 0) {
  const fact = unknown.length > 0 ? `unknown component: ${unknown.join(", ")}` : "no component named";
  process.stderr.write(`components: ${fact}. Name one or more of: ${known.join(", ")}.\n`);
  process.exit(2);
}

const names = wanted.filter((name) => !builtComponents.includes(name));
const services = names.flatMap((name) => COMPONENTS[name]?.services ?? []);
const packages = names.flatMap((name) => {
  const component = COMPONENTS[name];
  const commands = component?.commands.filter((command) => !onPath(command)) ?? [];
  const missing = [...commands, ...(component?.files?.filter((file) => !existsSync(file)) ?? [])];
  process.stdout.write(missing.length === 0 ? `${name}: already there\n` : `${name}: ${missing.join(", ")} missing\n`);
  return missing.length === 0 ? [] : (component?.debian ?? []);
});
if (packages.length > 0) process.exitCode = install(packages);
for (const name of wanted.filter((one) => builtComponents.includes(one))) {
  try {
    buildComponent(name);
  } catch (error) {
    process.exitCode = refuse(`${name}: ${error instanceof Error ? error.message : String(error)}. Its own message is above.`);
  }
}

function install(debian: readonly string[]): number {
  if (!onPath("apt-get")) return refuse(`there is no apt-get here. Install what provides these Debian packages: ${debian.join(" ")}.`);
  const prefix = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  if (prefix.length > 0 && !onPath("sudo")) return refuse(`root is needed. Run as root: apt-get install ${debian.join(" ")}.`);
  const run = (...command: readonly string[]): number | null => {
    const [program = "apt-get", ...rest] = [...prefix, ...command];
    return spawnSync(program, rest, { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } }).status;
  };
  // invoke-rc.d(8) asks this program before it starts a service: tests start what they need themselves, on ports of their own.
  const isOurs = services.length > 0 && !existsSync(POLICY);
  if (isOurs) run("sh", "-c", `printf '#!/bin/sh\\nexit 101\\n' > ${POLICY} && chmod 755 ${POLICY}`);
  try {
    for (const command of [
      ["update", "-q"],
      ["install", "-q", "-y", "--no-install-recommends", ...debian],
    ]) {
      if (run("apt-get", ...command) !== 0) return refuse(`apt-get ${command[0]} failed. Its own message is above.`);
    }
    if (services.length > 0 && existsSync("/run/systemd/system")) run("systemctl", "disable", ...services);
  } finally {
    if (isOurs) run("rm", "-f", POLICY);
  }
  return 0;
}

function refuse(message: string): number {
  process.stderr.write(`components: ${message}\n`);
  return 1;
}
