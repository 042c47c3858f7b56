/** Our DNS server on free loopback ports with the world of `dns-world.ts`, for tests with real clients: real clock, real sockets. */
import { setImmediate } from "node:timers/promises";
import { createDnsServer, type DnsServer, type DnsServerOptions } from "../../src/dns/dns-server.ts";
import { dnsWorld } from "./dns-world.ts";
import { realPorts } from "./real-ports.ts";

export interface RunningDns {
  readonly server: DnsServer;
  readonly v4: number;
  readonly v6: number;
}

/** @param options what is to differ from a bare server over node:dgram */
export async function startDns(options: Partial<DnsServerOptions> = {}): Promise<RunningDns> {
  const server = createDnsServer({
    listen: [
      { address: "127.0.0.1", port: 0 },
      { address: "::1", port: 0 },
    ],
    ports: realPorts,
    ...options,
  });
  const [v4, v6] = await server.start();
  server.swap(dnsWorld());
  while (!server.isCurrent()) await setImmediate();
  return { server, v4: v4!.port, v6: v6!.port };
}
