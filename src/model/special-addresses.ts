/** Networks that the IANA special-purpose registries keep from the public internet (RFC 6890). Pure. */
import { type Ip, type Network, networkContains, parseNetwork } from "./ip.ts";

const networks = (...texts: readonly string[]): readonly Network[] => texts.flatMap((text) => parseNetwork(text) ?? []);

/** Where no public client should be sent. */
export const SPECIAL_NETWORKS: readonly Network[] = [
  ...networks("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
  ...networks("192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
  ...networks("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
];

/** For examples in texts; nothing on the internet has them (RFC 5737, RFC 3849). */
const DOCUMENTATION = networks("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32");

export const isSpecial = (ip: Ip): boolean => SPECIAL_NETWORKS.some((network) => networkContains(network, ip));

/** Whether somebody out on the internet could connect to it. */
export const isOnInternet = (ip: Ip): boolean => !isSpecial(ip) && !DOCUMENTATION.some((network) => networkContains(network, ip));
