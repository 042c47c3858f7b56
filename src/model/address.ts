/** Entries of `addresses`: what clients of a site connect to. */
import { type Decoded, decoded, type Fault, fault } from "./fault.ts";
import { parseHost } from "./host-name.ts";
import { formatIp, type Ip, parseIp } from "./ip.ts";

/** The characters that an address can have; the rest of the form is checked by {@link parseAddress}. */
export const ADDRESS_PATTERN = "^[0-9A-Za-z:.-]+$";

/**
 * Reads an IPv4 or IPv6 address or a host name.
 *
 * @returns its canonical text (RFC 5952 for IPv6)
 */
export function parseAddress(text: string): Decoded<string> {
  const ip = parseIp(text);
  if (ip !== undefined) {
    const unusable = unusableAddress(ip);
    return unusable === undefined ? decoded(formatIp(ip)) : { fault: unusable };
  }
  if (/^\[.*\](:\d+)?$/.test(text) || /^[^:]+:\d+$/.test(text)) {
    const bare = text.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
    return fault(
      "address-syntax",
      "is more than an address",
      `Write ${bare}: DNS carries no ports, and the port probed is health.probe.port.`,
    );
  }
  if (text.includes("://")) return fault("address-syntax", "is a URL", "Write the bare address or host name.");
  if (/^[0-9a-fA-F:.]+\/\d+$/.test(text)) return fault("address-syntax", "is a network", "Write single addresses.");
  if (text.includes(":")) return fault("address-syntax", "is not an IPv6 address", "Write it as in 2001:db8::10.");
  if (/^[\d.]+$/.test(text)) {
    return fault("address-syntax", "is not an IPv4 address", "Write four numbers from 0 to 255 without leading zeros, as in 192.0.2.10.");
  }
  const host = parseHost(text, { wildcard: false });
  if (!("fault" in host)) return host;
  return fault("address-syntax", `is neither an IP address nor a host name: it ${host.fault.message}`, host.fault.remedy);
}

function unusableAddress({ family, bytes }: Ip): Fault | undefined {
  const unusable = (what: string): Fault => ({
    code: "address-unusable",
    message: `is ${what}, to which no client can connect`,
    remedy: "Write the address that clients of the site connect to.",
  });
  const leadingZeros = bytes.findIndex((byte) => byte !== 0);
  if (leadingZeros < 0) return unusable("the unspecified address");
  if (family === 6) {
    if (bytes[0] === 0xff) return unusable("a multicast address");
    const mapped = leadingZeros === 10 && bytes[10] === 0xff && bytes[11] === 0xff;
    if (!mapped) return undefined;
    const v4 = formatIp({ family: 4, bytes: bytes.slice(12) });
    return { ...unusable("an IPv4-mapped address"), remedy: `Write the IPv4 address itself: ${v4}.` };
  }
  if (bytes[0]! >= 224 && bytes[0]! < 240) return unusable("a multicast address");
  return bytes[0]! >= 240 ? unusable("a reserved or broadcast address") : undefined;
}
