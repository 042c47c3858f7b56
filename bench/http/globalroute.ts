/** Our own proxy as a contender: the whole program, with DNS, probes, geo data and API in service. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { launcher } from "../../test/support/demo.ts";
import type { Contender } from "./contender.ts";

/** @param dnsPort, adminPort of its other listeners, on 127.0.0.1 */
export function ownProxy(name: string, dnsPort: number, adminPort: number): Contender {
  return {
    name,
    program: () => process.execPath,
    configure({ host, upstreamPort }, folder, port) {
      const config = join(folder, "config");
      mkdirSync(config);
      writeFileSync(join(config, "objects.yaml"), objects(host, upstreamPort));
      return {
        args: [
          ...[launcher, "serve", "--config", config, "--state", join(folder, "state"), "--proxy", `127.0.0.1:${port}`],
          ...["--listen", `127.0.0.1:${dnsPort}`, "--admin", `127.0.0.1:${adminPort}`, "--dns-workers", "1"],
          ...["--probe-allow", "127.0.0.0/8", "--log-level", "warn", "--json"],
        ],
      };
    },
  };
}

function objects(host: string, port: number): string {
  const spec = {
    DNSZone: { domain: host.slice(host.indexOf(".") + 1), provider: { type: "Embedded", embedded: { nameservers: ["ns1.example.net"] } } },
    MemberCluster: { location: { cloud: "aws", region: "eu-west-1" } },
    GlobalRoute: {
      hosts: [host],
      backends: [{ name: "here", cluster: "bench", addresses: ["127.0.0.1"] }],
      health: { probe: { port, path: "/healthz" }, interval: "10s", timeout: "2s" },
    },
  };
  const all = Object.entries(spec).map(([kind, one]) => ({
    apiVersion: "globalroute.dev/v1alpha1",
    kind,
    metadata: { name: "bench" },
    spec: one,
  }));
  return all.map((object) => JSON.stringify(object)).join("\n---\n"); // JSON is YAML
}
