/** BIND and Knot as authorities of zones that tests write, at loopback addresses of their own and all on one port; and a server without TCP. */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { dig } from "./dig.ts";

export interface ZoneServer {
  readonly stop: () => Promise<void>;
}

export interface ZoneServerOptions {
  /** In 127.0.0.0/8. */
  readonly address: string;
  readonly port: number;
  /** Domain → zone file; at least one. */
  readonly zones: Readonly<Record<string, string>>;
}

/** Starts `named` at 127.0.0.1: it listens on addresses of interfaces alone. Mistakes of delegations and glue are loaded as they are. */
export function startNamedZones({ port, zones }: Omit<ZoneServerOptions, "address">): Promise<ZoneServer> {
  const address = "127.0.0.1";
  const folder = mkdtempSync(join(tmpdir(), "zones-named-"));
  for (const [domain, text] of Object.entries(zones)) writeFileSync(join(folder, domain), text);
  const zone = (domain: string): string => `zone "${domain}" { type primary; file "${domain}"; check-integrity no; };`;
  const config = `
options {
  directory "${folder}";
  listen-on port ${port} { ${address}; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion no;
  dnssec-validation no;
  notify no;
};
controls { };
${Object.keys(zones).map(zone).join("\n")}
`;
  writeFileSync(join(folder, "named.conf"), config);
  return supervise({ address, port, zones }, folder, "named", ["-c", join(folder, "named.conf"), "-g", "-n", "1"]);
}

/** Starts `knotd`. */
export function startKnotZones({ address, port, zones }: ZoneServerOptions): Promise<ZoneServer> {
  const folder = mkdtempSync(join(tmpdir(), "zones-knot-"));
  for (const [domain, text] of Object.entries(zones)) writeFileSync(join(folder, domain), text);
  const config = `
server:
  rundir: ${folder}
  listen: ${address}@${port}
log:
  - target: stderr
    any: info
database:
  storage: ${folder}
zone:
${Object.keys(zones)
  .map((domain) => `  - domain: ${domain}\n    storage: ${folder}\n    file: ${domain}\n    zonefile-sync: -1\n    zonefile-load: whole\n`)
  .join("")}`;
  writeFileSync(join(folder, "knot.conf"), config);
  return supervise({ address, port, zones }, folder, "knotd", ["-c", join(folder, "knot.conf")]);
}

/** @returns once it answers for its first zone */
async function supervise(
  { address, port, zones }: ZoneServerOptions,
  folder: string,
  program: string,
  args: readonly string[],
): Promise<ZoneServer> {
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  }
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await exit;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const [domain = "."] = Object.keys(zones);
  for (let tries = 0; ; tries++) {
    const answer = await dig(port, `@${address}`, "+norecurse", domain, "SOA").catch(() => undefined);
    if (answer?.status === "NOERROR" && answer.flags.includes("aa")) return { stop };
    if (tries === 100 || child.exitCode !== null) {
      await stop();
      throw new Error(`${program} does not answer:\n${log}`);
    }
    await setTimeout(100);
  }
}

/** A name server behind a firewall that forgot TCP: what comes by UDP goes to another address, and its answers back. */
export async function startUdpOnly({
  address,
  port,
  to,
}: {
  readonly address: string;
  readonly port: number;
  readonly to: string;
}): Promise<ZoneServer> {
  const socket = createSocket("udp4");
  const upstreams = new Set<ReturnType<typeof createSocket>>();
  socket.on("message", (question, from) => {
    const upstream = createSocket("udp4");
    upstreams.add(upstream);
    upstream.once("message", (answer) => {
      upstreams.delete(upstream);
      upstream.close();
      socket.send(answer, from.port, from.address);
    });
    upstream.send(question, port, to);
  });
  socket.bind(port, address);
  await once(socket, "listening");
  return {
    async stop() {
      for (const upstream of upstreams) upstream.close();
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

/** A name server behind a firewall that drops everything: whoever asks waits. */
export async function startSilent({ address, port }: Pick<ZoneServerOptions, "address" | "port">): Promise<ZoneServer> {
  const udp = createSocket("udp4").bind(port, address);
  const connections = new Set<Socket>();
  const tcp = createServer((connection) => connections.add(connection)).listen(port, address);
  await Promise.all([once(udp, "listening"), once(tcp, "listening")]);
  return {
    async stop() {
      for (const connection of connections) connection.destroy();
      await Promise.all([new Promise<void>((resolve) => udp.close(resolve)), new Promise((resolve) => tcp.close(resolve))]);
    },
  };
}
