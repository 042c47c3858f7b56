/**
 * Which addresses may be probed at all (docs/health.md). Whoever may write a route could otherwise make us knock at the machine's own
 * services, at its cloud's metadata service, or at our own admin API. Pure.
 */
import { type Ip, type Network, networkContains, parseIp, parseNetwork } from "../../src/model/ip.ts";

interface Listener {
  readonly address: string;
  readonly port: number;
}

export interface AddressPolicy {
  /** Networks that may be probed although they are on the list (`--probe-allow`). */
  readonly allow: readonly Network[];
  /**
   * Our own listeners: never probed, allowed network or not. A listener on a wildcard address is given here once for each address of the
   * machine.
   */
  readonly refuse: readonly Listener[];
  /** API servers that we talk to, today: not probed unless their network is allowed. */
  readonly apiServers?: () => readonly Listener[];
}

const networks = (...texts: string[]): Network[] => texts.flatMap((text) => parseNetwork(text) ?? []);

/** Special-purpose networks (RFC 6890 and the IANA registries) and the clouds' metadata services. The narrow ones stand first. */
const forbidden: readonly { readonly what: string; readonly networks: readonly Network[] }[] = [
  {
    what: "metadata service",
    // EC2 and most others; ECS; Alibaba; Azure's host agent; Oracle. In IPv6: EC2, Google.
    networks: networks(
      "169.254.169.254",
      "169.254.170.2",
      "100.100.100.200",
      "168.63.129.16",
      "192.0.0.192",
      "fd00:ec2::254",
      "fd20:ce::254",
    ),
  },
  { what: "loopback", networks: networks("127.0.0.0/8", "::1") },
  { what: "link-local", networks: networks("169.254.0.0/16", "fe80::/10") },
  { what: "multicast", networks: networks("224.0.0.0/4", "ff00::/8") },
  { what: "unspecified", networks: networks("0.0.0.0/8", "::") },
  { what: "broadcast or reserved", networks: networks("240.0.0.0/4") },
];

/** IPv6 networks whose last 32 bits are an IPv4 address that the packet ends at: mapped, compatible (RFC 4291 §2.5.5), NAT64 (RFC 6052). */
const embedding: readonly Network[] = networks("::ffff:0:0/96", "::/96", "64:ff9b::/96");

/**
 * Why an address may not be probed.
 *
 * @returns what it is (`loopback`, `our own listener`…), or undefined when it may be probed
 */
export function forbiddenAddress(address: string, port: number, policy: AddressPolicy): string | undefined {
  const ip = parseIp(address);
  if (ip === undefined) return "no IP address";
  const forms = [ip, ...embedded(ip)];
  const isThere = (listener: Listener): boolean => {
    const other = listener.port === port ? parseIp(listener.address) : undefined;
    return other !== undefined && forms.some((form) => sameIp(form, other));
  };
  if (policy.refuse.some(isThere)) return "our own listener";
  if (forms.some((form) => policy.allow.some((network) => networkContains(network, form)))) return undefined;
  if (policy.apiServers?.().some(isThere) === true) return "API server";
  return forbidden.find((entry) => entry.networks.some((network) => forms.some((form) => networkContains(network, form))))?.what;
}

const sameIp = (a: Ip, b: Ip): boolean => a.family === b.family && a.bytes.every((byte, i) => byte === b.bytes[i]);

function embedded(ip: Ip): Ip[] {
  // `::` and `::1` sit inside ::/96 but are addresses of their own
  const isOwn = ip.family === 6 && ip.bytes.slice(0, 15).every((byte) => byte === 0) && ip.bytes[15]! <= 1;
  if (isOwn || !embedding.some((network) => networkContains(network, ip))) return [];
  return [{ family: 4, bytes: ip.bytes.slice(12) }];
}
