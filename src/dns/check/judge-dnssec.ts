/** Can a validating resolver follow the chain from the parent into the zone? Step `dnssec` (RFC 4035 §5, RFC 7344). */
import { CDS_DELETE } from "../dnssec/ds.ts";
import { decodeRrsig, dsOf, type RrsigFields, verifySignature } from "../dnssec/verify.ts";
import { keyTag } from "../dnssec/zone-key.ts";
import { Flag, Rcode, Type } from "../wire/codes.ts";
import type { DecodedRecord } from "../wire/decode-message.ts";
import { formatDs } from "../wire/format-dnssec.ts";
import { encodeName } from "../wire/name.ts";
import { concat, encodeRdata } from "../wire/rdata.ts";
import type { Observations, Reply, ServerObservation, ZoneDetail } from "./observations.ts";
import { formatSeconds, listed, select, serverLabel, without } from "./read-reply.ts";
import { type Finding, failed, ok, skipped, warning } from "./step.ts";

/** Seconds. Signers of large zones leave a day and more; those that sign as they answer, half of a week. */
const NEAR_EXPIRY = 86_400;

const ZONE_KEY = 0x0100;
const SECURE_ENTRY_POINT = 0x0001;

/** A zone as one server shows it. */
interface SignedView {
  readonly server: ServerObservation;
  /** RDATA. */
  readonly keys: readonly Uint8Array[];
  readonly detail: ZoneDetail;
}

export function judgeDnssec(seen: Observations): readonly Finding[] {
  const views = seen.servers.flatMap((server) => viewOf(server, seen.zone));
  if (views.length === 0) return [skipped("no server answers DNSKEY with authority", "Mend step answers, and check again.")];
  const ds = dsAtParent(seen);
  const unsigned = views.filter(({ keys }) => keys.length === 0);
  const signed = views.filter(({ keys }) => keys.length > 0);
  const owner = encodeName(seen.zone)!;
  const findings: Finding[] = [];
  if (ds === undefined)
    findings.push(warning(`no server of the parent told the DS of ${seen.zone}`, "Ask another one with --parent ADDRESS."));
  if (unsigned.length > 0) findings.push(...judgeUnsigned(unsigned, signed, ds, seen));
  if (signed.length > 0 && ds?.length === 0) findings.push(judgeUndelegated(signed[0]!, owner, seen));
  if (signed.length > 0 && ds !== undefined && ds.length > 0) {
    const chains = signed.map((view) => ({ view, findings: judgeChain(view, ds, owner, seen) }));
    findings.push(...told(chains), ...judgeCds(signed[0]!, ds, seen));
  }
  if (findings.length > 0) return findings;
  return [ok("the zone is not signed, and the parent has no DS")];
}

function viewOf(server: ServerObservation, zone: string): readonly SignedView[] {
  const { detail } = server;
  if (detail === undefined || !("message" in detail.dnskey) || detail.dnskey.message.rcode !== Rcode.NOERROR) return [];
  return [{ server, detail, keys: select(detail.dnskey.message.answers, zone, Type.DNSKEY).map(({ rdata }) => rdata) }];
}

/** RDATA of the DS records at the parent, each once; undefined when no server of it answered. */
function dsAtParent({ zone, parent }: Observations): readonly Uint8Array[] | undefined {
  const replies = parent.servers.flatMap(({ ds }) =>
    "message" in ds && (ds.message.flags & Flag.AA) !== 0 && (ds.message.rcode === Rcode.NOERROR || ds.message.rcode === Rcode.NXDOMAIN)
      ? [ds.message]
      : [],
  );
  if (replies.length === 0) return undefined;
  const all = replies.flatMap((message) => select(message.answers, zone, Type.DS).map(({ rdata }) => rdata));
  return [...new Map(all.map((rdata) => [formatDs(rdata), rdata])).values()];
}

const dsRecord = (zone: string, rdata: Uint8Array): string => `\`${zone}. DS ${formatDs(rdata)}\``;

function judgeUnsigned(
  unsigned: readonly SignedView[],
  signed: readonly SignedView[],
  ds: readonly Uint8Array[] | undefined,
  { zone, expectation }: Observations,
): readonly Finding[] {
  const who = listed(unsigned.map(({ server }) => serverLabel(server)));
  if (ds !== undefined && ds.length > 0) {
    const remove = `remove ${listed(ds.map((one) => dsRecord(zone, one)))} at the parent zone or the registrar`;
    return [
      failed(
        `the parent has a DS, and ${who} ${unsigned.length === 1 ? "serves" : "serve"} the zone unsigned: validating resolvers answer SERVFAIL`,
        `At once ${remove}, or let every server have the signed zone (spec.provider.embedded.dnssec).`,
      ),
    ];
  }
  if (signed.length > 0)
    return [
      failed(
        `${who} ${unsigned.length === 1 ? "serves" : "serve"} the zone unsigned, and other servers serve it signed`,
        "Let all servers have the signed zone before the parent gets a DS.",
      ),
    ];
  if (expectation?.isSigned === true)
    return [
      failed(
        `DNSZone ${expectation.object} has keys (dnssec), and no server answers DNSKEY`,
        "Let the servers serve this DNSZone: they are others, or have older objects.",
      ),
    ];
  return [];
}

/** Signed, and nobody knows: what the parent is to be given. */
function judgeUndelegated({ keys, detail, server }: SignedView, owner: Uint8Array, { zone }: Observations): Finding {
  const cds = cdsOf(detail, zone);
  if (cds !== undefined && isDelete(cds))
    return ok(`the zone is signed (${serverLabel(server)}), asks for no DS (CDS), and the parent has none`);
  const wanted = cds ?? entryPoints(keys).map((key) => dsOf(owner, key)!);
  return warning(
    "the zone is signed, and the parent has no DS: nobody checks its signatures",
    `At the parent zone or the registrar, add ${listed(wanted.map((one) => dsRecord(zone, one)))}, after all caches have forgotten the unsigned zone.`,
  );
}

/** Keys that a DS is meant to name; all keys where none has the bit (RFC 4034 §2.1.1). */
function entryPoints(keys: readonly Uint8Array[]): readonly Uint8Array[] {
  const marked = keys.filter((key) => (key[1]! & SECURE_ENTRY_POINT) !== 0);
  return marked.length > 0 ? marked : keys;
}

/** Servers that show the same are told once. */
function told(chains: readonly { readonly view: SignedView; readonly findings: readonly Finding[] }[]): readonly Finding[] {
  const groups = Map.groupBy(chains, ({ findings }) => JSON.stringify(findings));
  return [...groups.values()].flatMap((group) => {
    const at = groups.size === 1 && group.length > 1 ? "all servers" : listed(group.map(({ view }) => serverLabel(view.server)));
    return group[0]!.findings.map((finding) => ({ ...finding, fact: `${finding.fact} (at ${at})` }));
  });
}

/** DNSKEY and SOA of a zone, with signatures (DO), as one server answers them. */
export type SignedReplies = Pick<ZoneDetail, "dnskey" | "signedSoa">;

/**
 * Whether a validating resolver follows the chain from DS records into a zone at one server.
 *
 * @param ds    in presentation form, at least one
 * @param needs how many of them must lead to a key there
 * @param now   seconds since the epoch
 * @returns what is wrong, as half a sentence; undefined: nothing, and it stays so for a day
 */
export function chainTrouble(
  ds: readonly string[],
  needs: "Every" | "Some",
  replies: SignedReplies,
  zone: string,
  now: number,
): string | undefined {
  if (!("message" in replies.dnskey)) return "no answer to DNSKEY";
  const keys = select(replies.dnskey.message.answers, zone, Type.DNSKEY).map(({ rdata }) => rdata);
  if (keys.length === 0) return "the zone is served unsigned";
  const owner = encodeName(zone)!;
  const encoded = ds.map((one) => encodeRdata("DS", one, zone));
  const rdata = encoded.flatMap((one) => ("value" in one ? [one.value] : []));
  const leading = rdata.filter((one) => keys.some((key) => isDigestOf(one, key, owner)));
  if (leading.length === 0 || (needs === "Every" && leading.length < ds.length))
    return `DS ${without(
      ds,
      leading.map((one) => formatDs(one)!),
    ).map((one) => one.split(" ")[0])} is of no key in the zone`;
  return judgeChain({ keys, detail: replies }, leading, owner, { zone, now }).find(({ status }) => status !== "ok")?.fact;
}

/** One server's view: DS → DNSKEY → signatures of DNSKEY and SOA (RFC 4035 §5.2, §5.3). */
function judgeChain(
  { keys, detail }: { readonly keys: readonly Uint8Array[]; readonly detail: SignedReplies },
  ds: readonly Uint8Array[],
  owner: Uint8Array,
  { zone, now }: Pick<Observations, "zone" | "now">,
): readonly Finding[] {
  const matches = ds.map((one) => ({ ds: one, key: keys.find((key) => isDigestOf(one, key, owner)) }));
  const trusted = matches.flatMap(({ key }) => (key === undefined ? [] : [key]));
  const stale = matches
    .filter(({ key, ds: one }) => key === undefined && dsOf(owner, keys[0]!, one[3]) !== undefined)
    .map((match) => match.ds);
  if (trusted.length === 0) {
    if (stale.length < ds.length)
      return [
        warning(
          "the DS at the parent has a digest that is not known here, so the chain was not checked",
          "Add a DS with a SHA-256 digest (RFC 4509).",
        ),
      ];
    return [
      failed(
        `no DS at the parent is of a key in the zone: the parent has ${listed(ds.map(tagOf))}, the zone ${listed(keys.map((key) => `key ${keyTag(key)}`))}`,
        `At the parent zone or the registrar, add ${listed(entryPoints(keys).map((key) => dsRecord(zone, dsOf(owner, key)!)))} and remove ${listed(ds.map((one) => dsRecord(zone, one)))}.`,
      ),
    ];
  }
  const zoneKeys = keys.filter((key) => (((key[0]! << 8) | key[1]!) & ZONE_KEY) !== 0);
  const checks = [
    checkRrset(detail.dnskey, zone, Type.DNSKEY, "DNSKEY", trusted, owner, now),
    checkRrset(detail.signedSoa, zone, Type.SOA, "SOA", zoneKeys, owner, now),
  ];
  const bad = checks.flatMap((check) => ("finding" in check ? [check.finding] : []));
  const ends = Math.min(...checks.flatMap((check) => ("ends" in check ? [check.ends] : [])));
  return [
    ...bad,
    ...stale.map((one) =>
      warning(
        `${tagOf(one)} at the parent is of no key in the zone`,
        `Remove ${dsRecord(zone, one)} at the parent zone or the registrar, unless its key is about to come.`,
      ),
    ),
    ...(bad.length === 0
      ? [
          ok(
            `DS ${listed([...new Set(trusted.map((key) => String(keyTag(key))))])} leads to the zone's keys, and the signatures of DNSKEY and SOA are valid for ${formatSeconds(ends)}`,
          ),
        ]
      : []),
  ];
}

const tagOf = (ds: Uint8Array): string => `DS ${(ds[0]! << 8) | ds[1]!}`;

function isDigestOf(ds: Uint8Array, key: Uint8Array, owner: Uint8Array): boolean {
  const own = dsOf(owner, key, ds[3]);
  return own !== undefined && Buffer.compare(own, ds) === 0;
}

type RrsetCheck = { readonly ends: number } | { readonly finding: Finding };

/** Whether an RRset of the apex has a signature by one of these keys that counts now; `ends` is how long it still does, seconds. */
function checkRrset(
  reply: Reply,
  zone: string,
  type: number,
  what: string,
  keys: readonly Uint8Array[],
  owner: Uint8Array,
  now: number,
): RrsetCheck {
  const answers = "message" in reply ? reply.message.answers : [];
  const records = select(answers, zone, type);
  const signatures = select(answers, zone, Type.RRSIG)
    .flatMap(({ rdata }) => decodeRrsig(rdata) ?? [])
    .filter(({ typeCovered }) => typeCovered === type);
  const resign = "Let the zone be signed again, by a key that a DS at the parent leads to, and see that the signer's clock is right.";
  if (records.length === 0 || signatures.length === 0)
    return { finding: failed(`${what} has no signature, and the parent has a DS: validating resolvers answer SERVFAIL`, resign) };
  const rdata = records.map(uncompressed);
  const verdicts = signatures.map((rrsig) => ({ rrsig, verdict: verdictOf(rrsig, keys, zone, owner, type, rdata) }));
  const valid = verdicts.filter(({ verdict }) => verdict === "valid").map(({ rrsig }) => rrsig);
  if (valid.length === 0) {
    if (verdicts.some(({ verdict }) => verdict === "unsupported"))
      return {
        finding: warning(
          `${what} is signed by an algorithm that is not known here, and was not checked`,
          "Check it with delv, or use algorithm 13 (ECDSA P-256).",
        ),
      };
    return {
      finding: failed(
        `${what} is signed by key ${listed(signatures.map(({ tag }) => String(tag)))}, and no signature of it is valid by a key that counts`,
        resign,
      ),
    };
  }
  // 32 bits that wrap: compared as distances (RFC 4034 §3.1.5)
  const left = (until: number): number => (until - Math.floor(now)) | 0;
  const current = valid.filter(({ inception, expiration }) => left(inception) <= 0 && left(expiration) > 0);
  if (current.length === 0) {
    const [first] = valid;
    const fact =
      left(first!.expiration) <= 0
        ? `ended ${formatSeconds(-left(first!.expiration))} ago`
        : `begins in ${formatSeconds(left(first!.inception))}`;
    return { finding: failed(`the signature of ${what} ${fact}`, resign) };
  }
  const ends = Math.max(...current.map(({ expiration }) => left(expiration)));
  if (ends < NEAR_EXPIRY)
    return {
      finding: warning(
        `the signature of ${what} ends in ${formatSeconds(ends)}`,
        "See that the signer runs and signs again; the zone is not found any more when it does not.",
      ),
    };
  return { ends };
}

function verdictOf(
  rrsig: RrsigFields,
  keys: readonly Uint8Array[],
  zone: string,
  owner: Uint8Array,
  type: number,
  rdata: readonly Uint8Array[],
): "valid" | "wrong" | "unsupported" {
  if (rrsig.signer !== zone) return "wrong"; // RFC 4035 §5.3.1
  const verdicts = keys.map((key) => verifySignature(rrsig, key, owner, type, rdata));
  return verdicts.find((one) => one === "valid") ?? verdicts.find((one) => one === "unsupported") ?? "wrong";
}

/** RDATA as it is signed: a message may have shortened the names of an SOA. */
function uncompressed({ type, rdata, data }: DecodedRecord): Uint8Array {
  if (type !== Type.SOA) return rdata;
  const [mname = "", rname = "", ...numbers] = data.split(" ");
  const fields = new Uint8Array(20);
  const view = new DataView(fields.buffer);
  for (const [i, number] of numbers.entries()) view.setUint32(4 * i, Number(number));
  return concat([encodeName(mname) ?? new Uint8Array(1), encodeName(rname) ?? new Uint8Array(1), fields]);
}

/** RDATA of the zone's CDS records; undefined when there are none. */
function cdsOf({ cds }: ZoneDetail, zone: string): readonly Uint8Array[] | undefined {
  const records = "message" in cds ? select(cds.message.answers, zone, Type.CDS) : [];
  return records.length === 0 ? undefined : records.map(({ rdata }) => rdata);
}

const isDelete = (cds: readonly Uint8Array[]): boolean => cds.some((rdata) => Buffer.compare(rdata, CDS_DELETE) === 0);

/** What the zone asks of its parent by CDS (RFC 7344 §4), where that is something else than what the parent has. */
function judgeCds({ detail }: SignedView, ds: readonly Uint8Array[], { zone }: Observations): readonly Finding[] {
  const cds = cdsOf(detail, zone);
  if (cds === undefined) return [];
  const at = "At the parent zone or the registrar";
  const all = (records: readonly string[]): string => listed(records.map((one) => `\`${zone}. DS ${one}\``));
  const present = ds.map((one) => formatDs(one)!);
  if (isDelete(cds))
    return [warning("the zone asks for its DS to be removed (CDS 0 0 0 00), and the parent has one", `${at}, remove ${all(present)}.`)];
  const asked = cds.map((one) => formatDs(one)!);
  const [missing, extra] = [without(asked, present), without(present, asked)];
  if (missing.length === 0 && extra.length === 0) return [];
  const acts = [...(missing.length > 0 ? [`add ${all(missing)}`] : []), ...(extra.length > 0 ? [`remove ${all(extra)}`] : [])];
  return [warning("the zone asks for another DS (CDS) than the parent has", `${at}, ${acts.join(" and ")}.`)];
}
