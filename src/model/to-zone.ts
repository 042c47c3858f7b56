/** From a `DNSZone` object to the zone that is served. What needs other zones and routes is checkZones'. */
import type { ApiContext } from "./api-context.ts";
import type { Findings } from "./findings.ts";
import { isWithin } from "./host-name.ts";
import type { StaticRecord, Zone, ZoneDnssec, ZoneProvider } from "./inventory.ts";
import type { FieldPath, ObjectOf } from "./manifest-object.ts";
import { parseRecordValue } from "./record-value.ts";
import { TRANSFER_PATH, toTransfer } from "./to-transfer.ts";
import { checkProvider, checkWholePath, toZoneProvider } from "./to-zone-provider.ts";
import { seconds } from "./units.ts";
import type { AllowedRoutes } from "./zone-grants.ts";

type Embedded = NonNullable<ObjectOf<"DNSZone">["spec"]["provider"]["embedded"]>;

/** Where the records of a DNSZone object stand. */
export const RECORDS_PATH: FieldPath = ["spec", "provider", "embedded", "records"];

/** Where the keys of a signed DNSZone object stand. */
export const KEYS_PATH: FieldPath = ["spec", "provider", "embedded", "dnssec", "keys"];

/**
 * When findings failed, the result is not to be used. Its records are in the order of the object's. Its keys have the paths that the object
 * names, and what only their files tell (`tag`, `publicKey`) is left empty.
 *
 * @param api absent when the objects are files'
 */
export function toZone(object: ObjectOf<"DNSZone">, findings: Findings, api?: ApiContext): Zone {
  const { domain, owner = "", allowedRoutes = [], delegation } = object.spec;
  const delegated = delegation === undefined ? {} : { delegation };
  const allowedSuffixes = toSuffixes(allowedRoutes, domain, findings, api);
  checkProvider(object, findings);
  const { embedded } = object.spec.provider;
  if (embedded === undefined) {
    const provider = toZoneProvider(object, findings, api);
    const none = { nameservers: [], records: [], soa: toSoa(NO_SOA, domain, findings) };
    const deletion = toDeletion(object, findings, api);
    return {
      ...{ name: object.name, domain, ...none, allowedSuffixes, owner, ...delegated },
      ...(provider === undefined ? {} : { provider: { ...provider, ...deletion } }),
    };
  }
  const { nameservers, records, dnssec, transfer } = embedded;
  if (api !== undefined) {
    for (const [i, { file }] of (dnssec?.keys ?? []).entries()) checkWholePath(file, [...KEYS_PATH, i, "file"], findings);
    for (const [i, { file }] of (transfer?.keys ?? []).entries()) checkWholePath(file, [...TRANSFER_PATH, "keys", i, "file"], findings);
  }
  return {
    name: object.name,
    domain,
    nameservers,
    soa: toSoa(embedded, domain, findings),
    records: toRecords(records, domain, findings),
    allowedSuffixes,
    owner,
    ...delegated,
    ...(dnssec === undefined ? {} : { dnssec: toDnssec(dnssec, findings) }),
    ...(transfer === undefined ? {} : { transfer: toTransfer(transfer, findings) }),
  };
}

/** A file that is gone tells nobody that records are to go, too: it may be on its way to another folder. */
function toDeletion({ spec }: ObjectOf<"DNSZone">, findings: Findings, api: ApiContext | undefined): Pick<ZoneProvider, "deletionPolicy"> {
  if (spec.deletionPolicy === "Orphan") return {};
  const remedy = "Remove it: records of a zone whose file is removed stay at the provider, unless globalroute plan --destroy removes them.";
  if (api === undefined)
    findings.error(["spec", "deletionPolicy"], "kubernetes-only", "Delete works only with a Kubernetes controller", remedy);
  return { deletionPolicy: spec.deletionPolicy };
}

/** Of a zone that is kept elsewhere nobody asks it here. */
const NO_SOA: Pick<Embedded, "soa" | "nameservers"> = {
  nameservers: [],
  soa: { refresh: seconds(0), retry: seconds(0), expire: seconds(0), minimum: seconds(0), ttl: seconds(0) },
};

function toDnssec({ keys, delegation }: NonNullable<Embedded["dnssec"]>, findings: Findings): ZoneDnssec {
  const active = keys.flatMap(({ state }, i) => (state === "Active" ? [i] : []));
  const wrong = (path: FieldPath, message: string, remedy: string) => findings.error(path, "dnssec-active", message, remedy);
  if (active.length === 0) wrong(KEYS_PATH, "no key is Active, so nothing signs the zone", "Set the state of one key to Active.");
  for (const i of active.slice(1)) {
    const message = `${keys[active[0] ?? 0]?.name} is Active already, and one key signs a zone`;
    wrong([...KEYS_PATH, i, "state"], message, "Write state: Published for a key that is to sign later, Retired for one that has signed.");
  }
  return { keys: keys.map(({ name, file, state }) => ({ name, path: file, state, tag: 0, publicKey: "" })), delegation };
}

function toSoa({ soa, nameservers }: Pick<Embedded, "soa" | "nameservers">, domain: string, findings: Findings): Zone["soa"] {
  const { mname = nameservers[0] ?? domain, rname = `hostmaster@${domain}`, ...timers } = soa;
  return { mname, rname: toMailbox(rname, findings), ...timers };
}

/** A mailbox as a domain name: the @ becomes a dot, and dots before it are escaped (RFC 1035 §5.3). */
function toMailbox(text: string, findings: Findings): string {
  const [local = "", host, ...rest] = text.toLowerCase().replace(/\.$/, "").split("@");
  if (host === undefined) return local;
  if (rest.length > 0 || local === "" || host === "") {
    const path = ["spec", "provider", "embedded", "soa", "rname"];
    findings.error(path, "field-format", `${JSON.stringify(text)} is not a mailbox`, "Write it as in hostmaster@example.org.");
  }
  return `${local.replaceAll(".", "\\.")}.${host}`;
}

/** In Kubernetes hosts that are not allowed never reach a zone: see `checkHostZones`. */
function toSuffixes(
  allowed: NonNullable<AllowedRoutes>,
  domain: string,
  findings: Findings,
  api: ApiContext | undefined,
): readonly string[] {
  allowed.forEach(({ suffixes, namespaceSelector, clusterSelector }, i) => {
    if (api === undefined && namespaceSelector !== undefined) selectorInFiles(["spec", "allowedRoutes", i, "namespaceSelector"], findings);
    if (api === undefined && clusterSelector !== undefined) selectorInFiles(["spec", "allowedRoutes", i, "clusterSelector"], findings);
    suffixes?.forEach((suffix, j) => {
      if (isWithin(suffix, domain)) return;
      const path = ["spec", "allowedRoutes", i, "suffixes", j];
      findings.error(path, "record-name", `${suffix} lies outside the zone ${domain}`, `Write a whole name, such as shop.${domain}.`);
    });
  });
  if (api !== undefined || allowed.some(({ suffixes }) => suffixes === undefined)) return [];
  return allowed.flatMap(({ suffixes }) => suffixes ?? []);
}

function selectorInFiles(path: FieldPath, findings: Findings): void {
  const remedy =
    "Remove it and name suffixes: namespaces of files have no labels, and only a Kubernetes controller finds annotated sources.";
  findings.error(path, "kubernetes-only", "works only with a Kubernetes controller", remedy);
}

function toRecords(records: Embedded["records"], domain: string, findings: Findings): readonly StaticRecord[] {
  const taken = new Map<string, number>();
  const types = new Map<string, Set<StaticRecord["type"]>>();
  const converted = records.map((record, i) => {
    const path = [...RECORDS_PATH, i];
    const name = toOwner(record.name, domain, [...path, "name"], findings);
    const first = taken.get(`${name} ${record.type}`);
    if (first !== undefined) {
      const message = `${record.type} records of ${name} are in entry ${first} already`;
      findings.error([...path, "name"], "record-conflict", message, "Put all values into one entry.");
    }
    taken.set(`${name} ${record.type}`, i);
    types.set(name, (types.get(name) ?? new Set()).add(record.type));
    const values = record.values.map((text, j) => {
      const value = parseRecordValue(record.type, text, domain);
      if ("value" in value) return value.value;
      findings.fault([...path, "values", j], text, value.fault);
      return text;
    });
    return { name, type: record.type, ttl: record.ttl, values };
  });
  converted.forEach((record, i) => {
    checkPlacement(record, types.get(record.name) ?? new Set(), domain, [...RECORDS_PATH, i], findings);
  });
  return converted;
}

/** Absolute, lower-case, without the trailing dot. */
function toOwner(text: string, domain: string, path: FieldPath, findings: Findings): string {
  const name = text.toLowerCase();
  if (name === "@") return domain;
  if (name.endsWith(".")) {
    const whole = name.slice(0, -1);
    if (!isWithin(whole, domain))
      findings.error(path, "record-name", `${text} lies outside the zone ${domain}`, "Move it to the zone that holds it.");
    return whole;
  }
  if (isWithin(name, domain)) {
    const relative = name === domain ? "@" : name.slice(0, -domain.length - 1);
    findings.error(
      path,
      "record-name",
      `${text} without a trailing dot means ${name}.${domain}`,
      `Write ${relative}, or ${name}. with its dot.`,
    );
  }
  const whole = `${name}.${domain}`;
  if (whole.length > 253) findings.error(path, "record-name", `makes a name of ${whole.length} characters`, "A name has at most 253.");
  return whole;
}

function checkPlacement(record: StaticRecord, types: ReadonlySet<string>, domain: string, path: FieldPath, findings: Findings): void {
  const conflict = (message: string, remedy: string) => findings.error([...path, "type"], "record-conflict", message, remedy);
  if (record.type === "NS" && record.name === domain)
    conflict("NS records of the apex come from nameservers", "Add the names to nameservers.");
  if (record.type === "DS" && record.name === domain)
    conflict("a zone's own DS records stand in its parent zone", "Give them to whoever runs the parent zone, or the registrar.");
  else if (record.type === "DS" && !types.has("NS"))
    conflict(
      `${record.name} has no NS records, so there is no zone for this DS`,
      "Add the NS records of the delegation, or remove the DS.",
    );
  if (record.type !== "CNAME") return;
  if (record.name === domain)
    conflict("a CNAME cannot stand at the apex, beside SOA and NS", "Use A and AAAA records, or a GlobalRoute for the name.");
  else if (types.size > 1) {
    const others = [...types].filter((type) => type !== "CNAME").join(", ");
    conflict(`${record.name} has ${others} too, and a CNAME stands alone at its name`, "Keep the CNAME or the others.");
  }
  if (record.values.length > 1) findings.error([...path, "values"], "record-conflict", "a CNAME has one value", "Keep one of them.");
}
