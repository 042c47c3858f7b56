/** Which certificate a host gets. Names are those of the certificate itself (RFC 6125 §6.4): whole, or with `*` for exactly one first label. */
import type { SecureContext } from "node:tls";
import { formatIp, parseIp } from "../../../model/ip.ts";

/** A certificate and its key, ready to be shown; and as PEM. */
export interface ShownCertificate {
  readonly secure: SecureContext;
  readonly certificate: string;
  readonly key: string;
}

export interface Certificate<Context> {
  /** Its file, for people. */
  readonly path: string;
  /** Lower case: `shop.example.org`, `*.example.org`, `192.0.2.1`, `2001:db8::1`. */
  readonly names: readonly string[];
  /** Milliseconds since 1970: the last moment at which it is valid. */
  readonly notAfter: number;
  /** Given to clients that name no host. */
  readonly isDefault: boolean;
  readonly context: Context;
}

export interface CertificateIndex<Context> {
  /** Name, with its `*` if it has one → the certificate. */
  readonly byName: ReadonlyMap<string, Certificate<Context>>;
  readonly unnamed: Certificate<Context> | undefined;
}

/** Of several for one name the one that lasts longest counts, whatever their order. */
export function indexCertificates<Context>(certificates: readonly Certificate<Context>[]): CertificateIndex<Context> {
  const byName = new Map<string, Certificate<Context>>();
  const lastFirst = [...certificates].sort((a, b) => b.notAfter - a.notAfter || (a.path < b.path ? -1 : 1));
  for (const certificate of lastFirst) {
    for (const name of certificate.names) if (!byName.has(name)) byName.set(name, certificate);
  }
  return { byName, unnamed: lastFirst.find(({ isDefault }) => isDefault) };
}

/**
 * @param host as the client names it in its greeting (RFC 6066 §3); undefined when it names none
 * @returns undefined when there is none to show: the handshake is refused then, because any other certificate would only be an error later
 */
export function certificateFor<Context>(index: CertificateIndex<Context>, host: string | undefined): Certificate<Context> | undefined {
  if (host === undefined || host === "") return index.unnamed;
  const name = host.toLowerCase().replace(/\.$/, "");
  return index.byName.get(name) ?? index.byName.get(wildcardOf(name));
}

/** Does the certificate speak for this host? @param host lower case, without port and final dot; IPv6 in brackets */
export function coversHost({ names }: Pick<Certificate<unknown>, "names">, host: string): boolean {
  const ip = parseIp(host.replace(/^\[(.*)\]$/, "$1"));
  return ip === undefined ? names.includes(host) || names.includes(wildcardOf(host)) : names.includes(formatIp(ip));
}

/** `shop.example.org` → `*.example.org`; "" for a name of one label. */
function wildcardOf(name: string): string {
  const dot = name.indexOf(".");
  return dot > 0 ? `*${name.slice(dot)}` : "";
}

/**
 * The names in the text that Node makes of a certificate's alternative names: `DNS:a.example.org, IP Address:192.0.2.1`. Others are left out,
 * and so is what no host can be called: Node puts such values into quotes.
 */
export function readAlternativeNames(text: string | undefined): readonly string[] {
  return (text ?? "").split(", ").flatMap((item) => {
    const address = /^IP Address:(.+)$/.exec(item)?.[1];
    const ip = address === undefined ? undefined : parseIp(address);
    if (ip !== undefined) return [formatIp(ip)];
    const name = /^DNS:((?:\*\.)?[\w-]+(?:\.[\w-]+)*)\.?$/.exec(item)?.[1]?.toLowerCase();
    return name === undefined ? [] : [name];
  });
}
