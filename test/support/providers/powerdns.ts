/** A real PowerDNS Authoritative Server on free loopback ports: its zones in SQLite, written by its HTTP API, its geo data in an mmdb file. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import type { RecordSet } from "../../../dns-providers/record-set.ts";
import { requireComponent } from "../component.ts";
import { freePort } from "../free-port.ts";
import { pauseProcess } from "../pause-process.ts";

export interface PowerDns {
  readonly dnsPort: number;
  /** Of its API: `http://127.0.0.1:8081`. */
  readonly server: string;
  readonly apiKey: string;
  /** Puts a set into example.org by the API, as anybody may who has the key. */
  readonly put: (set: RecordSet) => Promise<void>;
  /** A request of the API below `/api/v1/servers/localhost`. @throws Error unless it succeeds */
  readonly call: (method: string, path: string, body?: unknown) => Promise<unknown>;
  readonly log: () => string;
  /** Resolves when it stands still. */
  readonly pause: () => Promise<void>;
  readonly resume: () => void;
  readonly stop: () => Promise<void>;
}

export interface PowerDnsSetup {
  /** MaxMind's nested shape: no other is read there. Default: no geo data and no geoip backend. */
  readonly mmdb?: Buffer;
  /** More settings, or others. */
  readonly settings?: Readonly<Record<string, string>>;
}

const SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";
const API_KEY = "a key of the API";

/** As {@link requireComponent}: the server is there, and the backend that keeps its zones, which brings no command. */
export function requirePowerDns(): boolean {
  if (!requireComponent("powerdns", "pdns_server")) return false;
  if (existsSync(SCHEMA)) return true;
  if (process.env.GLOBALROUTE_ALLOW_SKIP !== "1")
    throw new Error(`${SCHEMA} is missing. Run \`npm run components -- powerdns\`, or set GLOBALROUTE_ALLOW_SKIP=1 to skip what needs it.`);
  process.stderr.write(`skipped: ${SCHEMA} is missing (component powerdns)\n`);
  return false;
}

/** @returns once it answers; it has example.org, in which `www` A 192.0.2.99 is someone's */
export async function startPowerDns({ mmdb, settings = {} }: PowerDnsSetup = {}): Promise<PowerDns> {
  const folder = mkdtempSync(join(tmpdir(), "powerdns-"));
  const [dnsPort, apiPort] = [await freePort(), await freePort()];
  const database = new DatabaseSync(join(folder, "zones.sqlite3"));
  database.exec(readFileSync(SCHEMA, "utf8"));
  database.close();
  if (mmdb !== undefined) writeFileSync(join(folder, "geo.mmdb"), mmdb);
  writeFileSync(join(folder, "geo.yaml"), "domains: []\n");
  const all: Readonly<Record<string, string>> = {
    launch: mmdb === undefined ? "gsqlite3" : "gsqlite3,geoip",
    "gsqlite3-database": join(folder, "zones.sqlite3"),
    "gsqlite3-pragma-synchronous": "0",
    ...(mmdb === undefined
      ? {}
      : { "geoip-database-files": `mmdb:${join(folder, "geo.mmdb")}`, "geoip-zones-file": join(folder, "geo.yaml") }),
    "local-address": "127.0.0.1",
    "local-port": String(dnsPort),
    "socket-dir": folder,
    daemon: "no",
    guardian: "no",
    "disable-syslog": "yes",
    "receiver-threads": "1",
    "distributor-threads": "1",
    api: "yes",
    "api-key": API_KEY,
    webserver: "yes",
    "webserver-address": "127.0.0.1",
    "webserver-port": String(apiPort),
    "webserver-allow-from": "127.0.0.1/32",
    "enable-lua-records": "yes",
    "edns-subnet-processing": "yes",
    "zone-cache-refresh-interval": "0",
    "security-poll-suffix": "",
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(folder, "pdns.conf"), lines.join(""));
  const child = spawn("pdns_server", [`--config-dir=${folder}`], { stdio: ["ignore", "pipe", "pipe"] });
  const powerDns = supervise(child, folder, dnsPort, `http://127.0.0.1:${apiPort}`);
  try {
    await untilReady(powerDns, child);
    await powerDns.call("POST", "/zones", { name: "example.org.", kind: "Native", nameservers: ["ns1.example.org."] });
    await powerDns.put({ name: "ns1.example.org", type: "A", ttl: 300, values: ["127.0.0.1"] });
    await powerDns.put({ name: "www.example.org", type: "A", ttl: 300, values: ["192.0.2.99"] });
  } catch (error) {
    await powerDns.stop();
    throw new Error(`pdns_server does not do as it should:\n${powerDns.log()}`, { cause: error });
  }
  return powerDns;
}

async function untilReady({ call }: PowerDns, child: ChildProcess): Promise<void> {
  for (let tries = 0; ; tries++) {
    const isThere = await call("GET", "").then(
      () => true,
      () => false,
    );
    if (isThere) return;
    if (tries === 100 || child.exitCode !== null) throw new Error("its API does not answer");
    await setTimeout(100);
  }
}

function supervise(child: ChildProcess, folder: string, dnsPort: number, server: string): PowerDns {
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  }
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${server}/api/v1/servers/localhost${path}`, {
      method,
      headers: { "x-api-key": API_KEY, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  return {
    dnsPort,
    server,
    apiKey: API_KEY,
    call,
    async put({ name, type, ttl, values }) {
      const records = values.map((content) => ({ content, disabled: false }));
      await call("PATCH", "/zones/example.org.", { rrsets: [{ name: `${name}.`, type, ttl, changetype: "REPLACE", records }] });
    },
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
