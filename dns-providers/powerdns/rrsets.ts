/**
 * Zones and changes as the HTTP API of PowerDNS tells them (https://doc.powerdns.com/authoritative/http-api/zone.html). Pure.
 *
 * ```
 * GET   {"kind": "Native", "presigned": false, "rrsets": [{"name": "shop.example.org.", "type": "A", "ttl": 30,
 *        "records": [{"content": "192.0.2.1", "disabled": false}], "comments": []}]}
 * PATCH {"rrsets": [{"name", "type", "ttl", "changetype": "REPLACE", "records": […]}, {"name", "type", "changetype": "DELETE"}]}
 * ```
 */
import { formatIp, parseIp } from "../../src/model/ip.ts";
import type { Change } from "../change.ts";
import type { RecordSet } from "../record-set.ts";

export interface ZoneView {
  /** It takes its records from another server, which would overwrite ours. */
  readonly isCopy: boolean;
  /** Its signatures were made elsewhere: nothing is answered that was not signed there. */
  readonly isPresigned: boolean;
  readonly sets: readonly RecordSet[];
}

/** What the server makes by itself: not ours to look at. */
const MADE_BY_SERVER = new Set(["SOA", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY"]);
const COPIES = new Set(["slave", "secondary", "consumer"]);

/**
 * What stands before the data of a record that is there and not answered. Nothing that we want looks like it: a set of ours that somebody
 * switched off is put right, and one of somebody else's, which a REPLACE would lose, is a conflict.
 */
const DISABLED = "(disabled) ";

/** @param value parsed JSON @returns undefined when it is no such answer */
export function readZone(value: unknown): ZoneView | undefined {
  const zone = asFields(value);
  if (!Array.isArray(zone.rrsets)) return undefined;
  const sets: RecordSet[] = [];
  for (const rrset of zone.rrsets) {
    const set = readSet(asFields(rrset));
    if (set === undefined) return undefined;
    if (set.values.length > 0 && !MADE_BY_SERVER.has(set.type)) sets.push(set);
  }
  const kind = typeof zone.kind === "string" ? zone.kind.toLowerCase() : "";
  return { isCopy: COPIES.has(kind), isPresigned: zone.presigned === true, sets };
}

/** Comments are people's: they are not read, and a REPLACE that names none leaves them. */
function readSet({ name, type, ttl, records }: Fields): RecordSet | undefined {
  if (typeof name !== "string" || typeof type !== "string" || typeof ttl !== "number" || !Array.isArray(records)) return undefined;
  const values: string[] = [];
  for (const record of records) {
    const { content, disabled } = asFields(record);
    if (typeof content !== "string") return undefined;
    values.push(disabled === true ? DISABLED + content : canonical(type, content));
  }
  return { name: name.toLowerCase().replace(/\.$/, ""), type, ttl, values };
}

/** As we write them: of an address that embeds IPv4 the server's text is another, and it may quote protocols. */
function canonical(type: string, content: string): string {
  if (type === "HTTPS") return content.replace(/ alpn="([^"\\]*)"/, " alpn=$1");
  const ip = type === "A" || type === "AAAA" ? parseIp(content) : undefined;
  return ip === undefined ? content : formatIp(ip);
}

type Fields = Readonly<Record<string, unknown>>;

const asFields = (value: unknown): Fields => (typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {});

/** A body that makes the changes in their order, all of them or none: the server makes a PATCH in one transaction. */
export const formatPatch = (changes: readonly Change[]): string => `{"rrsets":[${changes.map(formatChange).join()}]}`;

function formatChange(change: Change): string {
  if (change.action === "Delete") {
    const { name, type } = change.before;
    return JSON.stringify({ name: `${name}.`, type, changetype: "DELETE" });
  }
  const { name, type, ttl, values } = change.after;
  const records = values.map((content) => ({ content, disabled: false }));
  return JSON.stringify({ name: `${name}.`, type, ttl, changetype: "REPLACE", records });
}

/**
 * Most that one PATCH may cost. Two bounds in one: a body of a megabyte, half of what the server takes unless told otherwise
 * (`webserver-max-bodysize`), and a thousand RRsets, because a transaction keeps others waiting, in SQLite every writer of every zone.
 */
export const MAX_PATCH = 1_000_000;
const LEAST_COST = 1000;

/**
 * The larger one of its bytes in the body and a thousandth of {@link MAX_PATCH}; of what is replaced once more, as the record that says whose it is
 * goes with it.
 */
export const patchCost = (change: Change): number =>
  Math.max(LEAST_COST, formatChange(change).length + 1) + (change.action === "Replace" ? LEAST_COST : 0);
