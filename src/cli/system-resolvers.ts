/** Recursive resolvers that this machine uses, and how a server's address is written. */
import { getServers } from "node:dns";
import { parseIp } from "../model/ip.ts";
import type { ListenAddress } from "../model/listen-address.ts";

export const DNS_PORT = 53;

/** Addresses with a zone index (`fe80::1%eth0`) are left out: nothing here knows interfaces. */
export const systemResolvers = (): readonly ListenAddress[] => getServers().flatMap((text) => readServerAddress(text) ?? []);

/** `192.0.2.53`, `192.0.2.53:5300`, `2001:db8::53`, `[2001:db8::53]:5300`. */
export function readServerAddress(text: string): ListenAddress | undefined {
  if (parseIp(text) !== undefined) return { address: text, port: DNS_PORT };
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const [address, port] = [match?.[1] ?? match?.[2] ?? "", Number(match?.[3])];
  return parseIp(address) === undefined || port < 1 || port > 65_535 ? undefined : { address, port };
}
