/** Real primaries on free loopback ports, which let one key update and transfer their example.org: BIND and Knot. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { TsigKey } from "../../../src/dns/transfer/tsig.ts";
import { dig } from "../dig.ts";
import { freePort } from "../free-port.ts";
import { pauseProcess } from "../pause-process.ts";

export interface Primary {
  readonly port: number;
  readonly log: () => string;
  /** Resolves when it stands still. */
  readonly pause: () => Promise<void>;
  readonly resume: () => void;
  readonly stop: () => Promise<void>;
}

const ZONE = `$TTL 300
@ SOA ns1.example.org. hostmaster.example.org. 1 3600 600 1209600 30
@ NS ns1.example.org.
ns1 A 127.0.0.1
www A 192.0.2.99
`;

/** Starts `named`. @param records more of the zone @param isSigned whether it signs the zone, by a key that it makes */
export async function startBindPrimary(
  key: TsigKey,
  { records = "", isSigned = false }: { readonly records?: string; readonly isSigned?: boolean } = {},
): Promise<Primary> {
  const { folder, port } = await prepare(records);
  const config = `
key "${key.name}" { algorithm ${key.algorithm}; secret "${base64(key)}"; };
options {
  directory "${folder}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion no;
  dnssec-validation no;
  notify no;
  allow-transfer { key "${key.name}"; };
};
controls { };
zone "example.org" { type primary; file "zone"; allow-update { key "${key.name}"; };${isSigned ? " dnssec-policy default;" : ""} };
`;
  writeFileSync(join(folder, "named.conf"), config);
  return supervise(folder, port, "named", ["-c", join(folder, "named.conf"), "-g", "-n", "1"]);
}

/** Starts `knotd`. */
export async function startKnotPrimary(key: TsigKey): Promise<Primary> {
  const { folder, port } = await prepare();
  mkdirSync(join(folder, "db"));
  const config = `
server:
  rundir: ${folder}
  listen: 127.0.0.1@${port}
log:
  - target: stderr
    any: info
database:
  storage: ${join(folder, "db")}
key:
  - id: ${key.name}
    algorithm: ${key.algorithm}
    secret: ${base64(key)}
acl:
  - id: writer
    address: 127.0.0.1
    key: ${key.name}
    action: [update, transfer]
zone:
  - domain: example.org
    storage: ${folder}
    file: zone
    acl: writer
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: all
`;
  writeFileSync(join(folder, "knot.conf"), config);
  return supervise(folder, port, "knotd", ["-c", join(folder, "knot.conf")]);
}

const base64 = ({ secret }: TsigKey): string => Buffer.from(secret).toString("base64");

async function prepare(records = ""): Promise<{ readonly folder: string; readonly port: number }> {
  const folder = mkdtempSync(join(tmpdir(), "primary-"));
  writeFileSync(join(folder, "zone"), ZONE + records);
  return { folder, port: await freePort() };
}

/** @returns once it answers for the zone */
async function supervise(folder: string, port: number, program: string, args: readonly string[]): Promise<Primary> {
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  }
  for (let tries = 0; ; tries++) {
    const answer = await dig(port, "example.org", "SOA").catch(() => undefined);
    if (answer?.status === "NOERROR") break;
    if (tries === 100) throw new Error(`${program} does not answer:\n${log}`);
    await setTimeout(100);
  }
  return {
    port,
    log: () => log,
    pause: () => pauseProcess(child),
    resume: () => void child.kill("SIGCONT"),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, "exit");
        child.kill("SIGCONT");
        child.kill("SIGTERM");
        await exit;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
