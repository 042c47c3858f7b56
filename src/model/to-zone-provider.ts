/** From `provider` of a `DNSZone` object to who keeps the zone. Secrets are in files that others read. */
import type { ApiContext } from "./api-context.ts";
import type { Findings } from "./findings.ts";
import { parseHost } from "./host-name.ts";
import type { ZoneProvider } from "./inventory.ts";
import { parseIp } from "./ip.ts";
import type { FieldPath, ObjectOf } from "./manifest-object.ts";

const PROVIDER_PATH: FieldPath = ["spec", "provider"];

/** Where the key of a zone that is kept elsewhere stands. */
export const PROVIDER_KEY_PATH: FieldPath = [...PROVIDER_PATH, "rfc2136", "key"];

const MEMBERS = { Embedded: "embedded", RFC2136: "rfc2136" } as const;

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
  const { rfc2136 } = spec.provider;
  if (rfc2136 === undefined) return undefined;
  const { server, key, adoptFrom = [] } = rfc2136;
  if (api !== undefined) checkWholePath(key.file, [...PROVIDER_KEY_PATH, "file"], findings);
  const parsed = parseIp(server.host) === undefined ? parseHost(server.host, { wildcard: false }) : undefined;
  if (parsed !== undefined && "fault" in parsed) findings.fault([...PROVIDER_PATH, "rfc2136", "server", "host"], server.host, parsed.fault);
  const { name, algorithm, file } = key;
  return { type: "RFC2136", server, key: { name, algorithm, path: file }, adoptFrom, policy: spec.policy };
}

/** An object of an API server lies in no folder at which a path could begin. @param at where the path stands */
export function checkWholePath(file: string, at: FieldPath, findings: Findings): void {
  if (file.startsWith("/")) return;
  const remedy = "Mount the Secret into the controller's Pods (chart value keys), and write the whole path there.";
  findings.error(at, "field-format", `${JSON.stringify(file)} is not a whole path`, remedy);
}
