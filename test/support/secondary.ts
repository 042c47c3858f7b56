/** Real secondaries on free loopback ports, which take example.org from a server of ours with one key: Knot and BIND. And Unbound behind one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { TsigKey } from "../../src/dns/transfer/tsig.ts";
import { dig } from "./dig.ts";
import { freePort } from "./free-port.ts";

export interface Secondary {
  readonly port: number;
  /** Serial of its example.org; undefined while it has none. */
  readonly serial: () => Promise<number | undefined>;
  /** Resolves when it has this serial. Throws with its log after ten seconds. */
  readonly has: (serial: number) => Promise<void>;
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

export interface SecondaryOptions {
  /** Where it listens. */
  readonly port: number;
  /** Where we do. */
  readonly primary: number;
  readonly key: TsigKey;
}

/** Starts `knotd`. */
export function startKnot(options: SecondaryOptions): Secondary {
  const { port, primary, key } = options;
  const folder = mkdtempSync(join(tmpdir(), "knot-"));
  const config = `
server:
  rundir: ${folder}
  listen: 127.0.0.1@${port}
log:
  - target: stderr
    any: info
database:
  storage: ${folder}
key:
  - id: ${key.name}
    algorithm: ${key.algorithm}
    secret: ${base64(key)}
remote:
  - id: primary
    address: 127.0.0.1@${primary}
    key: ${key.name}
acl:
  - id: told
    address: 127.0.0.1
    key: ${key.name}
    action: notify
  - id: taken
    address: 127.0.0.1
    action: transfer
template:
  - id: default
    storage: ${folder}
zone:
  - domain: example.org
    master: primary
    acl: [told, taken]
`;
  writeFileSync(join(folder, "knot.conf"), config);
  return supervise(options, folder, "knotd", ["-c", join(folder, "knot.conf")]);
}

/** Starts `named`. */
export function startNamed(options: SecondaryOptions): Secondary {
  const { port, primary, key } = options;
  const folder = mkdtempSync(join(tmpdir(), "named-"));
  const config = `
key "${key.name}" { algorithm ${key.algorithm}; secret "${base64(key)}"; };
options {
  directory "${folder}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile "${folder}/session.key";
  recursion no;
  dnssec-validation no;
  notify no;
  masterfile-format text;
  allow-transfer { 127.0.0.1; };
};
controls { };
zone "example.org" {
  type secondary;
  primaries { 127.0.0.1 port ${primary} key "${key.name}"; };
  allow-notify { key "${key.name}"; };
  file "example.org.db";
};
`;
  writeFileSync(join(folder, "named.conf"), config);
  return supervise(options, folder, "named", ["-c", join(folder, "named.conf"), "-g", "-n", "1"]);
}

/** Starts `unbound` on a free port: it validates by this trust anchor, and asks one server of 127.0.0.1 for the zone. */
export async function startUnbound({
  zone,
  authority,
  anchor,
}: {
  readonly zone: string;
  /** Port of the server. */
  readonly authority: number;
  /** A DS record as text. */
  readonly anchor: string;
}): Promise<Omit<Secondary, "serial" | "has">> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "unbound-"));
  const config = `
server:
  directory: "${folder}"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  interface: 127.0.0.1
  port: ${port}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  module-config: "validator iterator"
  trust-anchor: "${anchor}"
stub-zone:
  name: "${zone}"
  stub-addr: 127.0.0.1@${authority}
`;
  writeFileSync(join(folder, "unbound.conf"), config);
  const { has: _, serial, ...unbound } = supervise({ port }, folder, "unbound", ["-d", "-c", join(folder, "unbound.conf")]);
  for (let tries = 0; (await serial()) === undefined; tries++) {
    if (tries < 50) await setTimeout(100);
    else throw new Error(`unbound does not answer:\n${unbound.log()}`);
  }
  return unbound;
}

const base64 = ({ secret }: TsigKey): string => Buffer.from(secret).toString("base64");

function supervise({ port }: Pick<SecondaryOptions, "port">, folder: string, program: string, args: readonly string[]): Secondary {
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  }
  const serial = async (): Promise<number | undefined> => {
    const answer = await dig(port, "example.org", "SOA").catch(() => undefined);
    const text = answer?.answers[0]?.split(" ")[2];
    return text === undefined ? undefined : Number(text);
  };
  return {
    port,
    serial,
    async has(wanted) {
      for (let tries = 0; tries < 100; tries++) {
        if ((await serial()) === wanted) return;
        await setTimeout(100);
      }
      throw new Error(`${program} has serial ${await serial()} and not ${wanted}:\n${log}`);
    },
    log: () => log,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, "exit");
        child.kill("SIGTERM");
        await exit;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
