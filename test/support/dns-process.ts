/** Our DNS server on free loopback ports with the world of `dns-world.ts`, for tests with real clients: real clock, real sockets. */
import { createDnsServer, type DnsServer } from "../../src/dns/dns-server.ts";
import { dnsWorld } from "./dns-world.ts";
import { realPorts } from "./real-ports.ts";

export interface RunningDns {
  readonly server: DnsServer;
  readonly v4: number;
  readonly v6: number;
}

export async function startDns(): Promise<RunningDns> {
  const server = createDnsServer({
    listen: [
      { address: "127.0.0.1", port: 0 },
      { address: "::1", port: 0 },
    ],
    ports: realPorts,
  });
  const [v4, v6] = await server.start();
  server.swap(dnsWorld());
  return { server, v4: v4!.port, v6: v6!.port };
}
