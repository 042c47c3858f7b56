/** `serve --proxy` as a process of its own, before one site of one backend. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { writeMmdb } from "../mmdb-writer.ts";
import { startServer } from "../serve.ts";

export const HOST = "shop.example.org";

export interface ProxyProcess {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly pid: number;
  /** SIGTERM. @returns its exit code, null when a signal ended it */
  readonly stop: () => Promise<number | null>;
  /** Kills it if it still runs, and removes what it wrote. */
  readonly remove: () => Promise<void>;
}

/** @param addresses of the backend, of 127.0.0.0/8; all listen on `port` and answer /healthz */
export async function startProxyProcess(addresses: readonly string[], port: number): Promise<ProxyProcess> {
  const folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
  const config = join(folder, "config");
  mkdirSync(config);
  writeFileSync(join(config, "all.yaml"), objects(addresses, port));
  // a large geo table would leave behind what it was made of, many times what is to be measured
  const places = join(folder, "places.mmdb");
  writeFileSync(places, writeMmdb([{ network: "192.0.2.0/24", record: { country_code: "IE" } }]));
  const proxyPort = await freePort();
  const listener = ["--mmdb", places, "--proxy", `127.0.0.1:${proxyPort}`, "--proxy-per-client", "0", "--probe-allow", "127.0.0.0/8"];
  const server = await startServer("--config", config, "--state", join(folder, "state"), ...listener);
  return {
    port: proxyPort,
    pid: server.pid,
    stop: () => server.stop(),
    async remove() {
      await server.stop("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const objects = (addresses: readonly string[], port: number): string =>
  [
    "kind: MemberCluster\nmetadata: {name: here}\nspec: {location: {cloud: aws, region: eu-west-1}}",
    "kind: DNSZone\nmetadata: {name: example}\nspec: {domain: example.org, provider: {type: Embedded, embedded: {nameservers: [ns1.example.org]}}}",
    `kind: GlobalRoute
metadata: {name: shop}
spec:
  hosts: [${HOST}]
  backends: [{name: here, cluster: here, addresses: [${addresses.join(", ")}]}]
  health: {probe: {port: ${port}, path: /healthz}, interval: 30s, timeout: 2s}`,
  ]
    .map((object) => `---\napiVersion: globalroute.dev/v1alpha1\n${object}\n`)
    .join("");
