/** From `provider` of a `DNSZone` object to who keeps the zone. Secrets are in files that others read. */
import type { ApiContext } from "./api-context.ts";
import type { Findings } from "./findings.ts";
import { parseHost } from "./host-name.ts";
import type { PowerDnsZone, Rfc2136Zone, ZoneProvider } from "./inventory.ts";
import { parseIp } from "./ip.ts";
import type { FieldPath, ObjectOf } from "./manifest-object.ts";

const PROVIDER_PATH: FieldPath = ["spec", "provider"];

/** Where the key of a zone that is kept elsewhere stands. */
export const PROVIDER_KEY_PATH: FieldPath = [...PROVIDER_PATH, "rfc2136", "key"];

/** Where the files of a zone on PowerDNS stand. */
export const API_KEY_PATH: FieldPath = [...PROVIDER_PATH, "powerdns", "key", "file"];
export const CA_PATH: FieldPath = [...PROVIDER_PATH, "powerdns", "ca", "file"];

const MEMBERS = { Embedded: "embedded", RFC2136: "rfc2136", Route53: "route53", PowerDNS: "powerdns", ExternalDNS: "externalDns" } as const;

const IN_FILES =
  "In files, keep the zone Embedded, or at a provider that takes records itself (RFC2136, Route53, PowerDNS): DNSEndpoints are objects of the controller's own cluster.";

/** Exactly the member that type names is there, and what it needs besides. */
export function checkProvider({ spec }: ObjectOf<"DNSZone">, findings: Findings): void {
  const { provider, owner } = spec;
  for (const [type, member] of Object.entries(MEMBERS)) {
    const isThere = provider[member] !== undefined;
    if (isThere === (type === provider.type)) continue;
    const message = isThere
      ? `${member} goes with type ${type}, and type is ${provider.type}`
      : `type is ${type}, and ${member} is missing`;
    const remedy = isThere ? "Remove it, or correct the type." : `Add ${member}, or correct the type.`;
    findings.error([...PROVIDER_PATH, isThere ? member : "type"], "provider-member", message, remedy);
  }
  if (provider.type === "Embedded" || owner !== undefined) return;
  const remedy = "Add owner, a name that no other installation uses for this zone.";
  findings.error(["spec"], "provider-owner", "owner is missing: in a zone that is kept elsewhere it marks which records are ours", remedy);
}

/** @returns undefined when the zone is not kept elsewhere, or nobody says where */
export function toZoneProvider({ spec }: ObjectOf<"DNSZone">, findings: Findings, api?: ApiContext): ZoneProvider | undefined {
  const { rfc2136, route53, powerdns, externalDns } = spec.provider;
  const { policy } = spec;
  if (rfc2136 !== undefined) return { ...toRfc2136(rfc2136, findings, api), policy };
  if (powerdns !== undefined) return { ...toPowerDns(powerdns, findings, api), policy };
  if (externalDns !== undefined) {
    if (api === undefined)
      findings.error([...PROVIDER_PATH, "externalDns"], "kubernetes-only", "works only with a Kubernetes controller", IN_FILES);
    return { type: "ExternalDNS", ...externalDns, adoptFrom: [], policy };
  }
  if (route53 === undefined) return undefined;
  const { hostedZoneId, visibility, role, adoptFrom = [] } = route53;
  return {
    ...{ type: "Route53", visibility, adoptFrom, policy },
    ...(hostedZoneId === undefined ? {} : { hostedZoneId }),
    ...(role === undefined ? {} : { role: { arn: role.arn, ...(role.externalId === undefined ? {} : { externalId: role.externalId }) } }),
  };
}

type PowerDns = NonNullable<ObjectOf<"DNSZone">["spec"]["provider"]["powerdns"]>;

function toPowerDns(powerdns: PowerDns, findings: Findings, api?: ApiContext): Omit<PowerDnsZone, "policy"> {
  const { server, serverId, key, ca, answers, luaEnabledBy, adoptFrom = [] } = powerdns;
  if (api !== undefined) {
    checkWholePath(key.file, API_KEY_PATH, findings);
    if (ca !== undefined) checkWholePath(ca.file, CA_PATH, findings);
  }
  return {
    ...{ type: "PowerDNS", server, serverId, keyPath: key.file, answers, luaEnabledBy, adoptFrom },
    ...(ca === undefined ? {} : { caPath: ca.file }),
  };
}

type Rfc2136 = NonNullable<ObjectOf<"DNSZone">["spec"]["provider"]["rfc2136"]>;

function toRfc2136({ server, key, adoptFrom = [] }: Rfc2136, findings: Findings, api?: ApiContext): Omit<Rfc2136Zone, "policy"> {
  if (api !== undefined) checkWholePath(key.file, [...PROVIDER_KEY_PATH, "file"], findings);
  const parsed = parseIp(server.host) === undefined ? parseHost(server.host, { wildcard: false }) : undefined;
  if (parsed !== undefined && "fault" in parsed) findings.fault([...PROVIDER_PATH, "rfc2136", "server", "host"], server.host, parsed.fault);
  const { name, algorithm, file } = key;
  return { type: "RFC2136", server, key: { name, algorithm, path: file }, adoptFrom };
}

/** An object of an API server lies in no folder at which a path could begin. @param at where the path stands */
export function checkWholePath(file: string, at: FieldPath, findings: Findings): void {
  if (file.startsWith("/")) return;
  const remedy = "Mount the Secret into the controller's Pods (chart value keys), and write the whole path there.";
  findings.error(at, "field-format", `${JSON.stringify(file)} is not a whole path`, remedy);
}
