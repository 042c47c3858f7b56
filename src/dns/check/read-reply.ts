/** What single replies say, told apart as far as a remedy differs. Pure. */
import { formatIp, parseIp } from "../../model/ip.ts";
import { formatListenAddress, type ListenAddress } from "../../model/listen-address.ts";
import { Flag, Rcode, rcodeName, Type } from "../wire/codes.ts";
import type { DecodedMessage, DecodedRecord } from "../wire/decode-message.ts";
import { isWithin } from "../zone-draft.ts";
import type { Failure, NamedServer, Reply } from "./observations.ts";

const DNS_PORT = 53;

/** `192.0.2.53`, with its port if that is not 53. */
export const formatServer = (server: ListenAddress): string => (server.port === DNS_PORT ? server.address : formatListenAddress(server));

/** `ns1.example.org (192.0.2.53)`. */
export const serverLabel = ({ name, server }: NamedServer): string =>
  name === "" ? formatServer(server) : `${name} (${formatServer(server)})`;

/** @param patience milliseconds that it was given. @returns the rest of a sentence that begins with the server */
export function formatFailure(failure: Failure, patience: number): string {
  switch (failure) {
    case "timeout":
      return `did not answer within ${patience / 1000} s`;
    case "nothing-listens":
      return "refused the connection: nothing listens there";
    case "no-route":
      return "cannot be reached from this machine: there is no route";
    case "closed":
      return "closed the connection without an answer";
    case "malformed":
      return "answered with something that is no DNS message";
    case "not-asked":
      return "was not asked: the time for the whole check was over";
  }
}

/** A name as everything here compares it. */
export const foldName = (name: string): string => name.toLowerCase().replace(/(?<=.)\.$/, "");

/** Records of a section with this owner and type. */
export const select = (records: readonly DecodedRecord[], name: string, type: number): readonly DecodedRecord[] =>
  records.filter((record) => record.type === type && foldName(record.name) === name);

/** Records of the answer, whatever the owner: an alias may lead elsewhere. Empty for no answer. */
export const answersOf = (reply: Reply, type: number): readonly DecodedRecord[] =>
  "message" in reply ? reply.message.answers.filter((record) => record.type === type) : [];

/** Canonical addresses of A and AAAA records, sorted. */
export const addressesOf = (records: readonly DecodedRecord[]): readonly string[] =>
  [...new Set(records.filter(({ type }) => type === Type.A || type === Type.AAAA).map(({ data }) => canonical(data)))].sort();

/** As {@link addressesOf} writes it. */
export function canonical(address: string): string {
  const ip = parseIp(address);
  return ip === undefined ? address : formatIp(ip);
}

/** What a server of the parent zone says of a zone. */
export type Delegation =
  | {
      readonly kind: "Delegated";
      /** False: the server has the zone itself, and what the parent zone holds cannot be seen there. */
      readonly isReferral: boolean;
      readonly names: readonly string[];
      /** Seconds. */
      readonly ttl: number;
      readonly glue: readonly { readonly name: string; readonly address: string }[];
    }
  | { readonly kind: "NotDelegated"; readonly why: "NXDOMAIN" | "NODATA" }
  /** It does not know the parent zone. */
  | { readonly kind: "NotOfParent"; readonly why: string }
  | { readonly kind: "Failed"; readonly failure: Failure };

/** Reads a parent server's answer to NS of the zone: a referral, as a rule (RFC 1034 §4.3.2 step 3b). */
export function readDelegation(reply: Reply, zone: string): Delegation {
  if ("failure" in reply) return { kind: "Failed", failure: reply.failure };
  const { message } = reply;
  const isAuthoritative = (message.flags & Flag.AA) !== 0;
  const own = select(message.answers, zone, Type.NS);
  const referral = select(message.authorities, zone, Type.NS);
  const found = own.length > 0 ? own : referral;
  if (message.rcode === Rcode.NOERROR && found.length > 0) {
    return {
      kind: "Delegated",
      isReferral: own.length === 0,
      names: [...new Set(found.map(({ data }) => foldName(data)))].sort(),
      ttl: Math.min(...found.map(({ ttl }) => ttl)),
      glue: message.additionals
        .filter(({ type }) => type === Type.A || type === Type.AAAA)
        .map(({ name, data }) => ({ name: foldName(name), address: canonical(data) })),
    };
  }
  if (isAuthoritative && message.rcode === Rcode.NXDOMAIN) return { kind: "NotDelegated", why: "NXDOMAIN" };
  if (isAuthoritative && message.rcode === Rcode.NOERROR) return { kind: "NotDelegated", why: "NODATA" };
  return { kind: "NotOfParent", why: message.rcode === Rcode.NOERROR ? "no authority (AA) in its answer" : rcodeName(message.rcode) };
}

export interface SoaFacts {
  readonly serial: number;
  /** Seconds; that of the record and the MINIMUM field. */
  readonly ttl: number;
  readonly minimum: number;
}

/** The SOA of a zone in an answer section. */
export function readSoa(message: DecodedMessage, zone: string): SoaFacts | undefined {
  const [record] = select(message.answers, zone, Type.SOA);
  const fields = record?.data.split(" ") ?? [];
  return record === undefined ? undefined : { serial: Number(fields[2]), ttl: record.ttl, minimum: Number(fields[6]) };
}

/** Whether a server is an authority for a zone, by its answer to SOA; a *lame* one is reached and is none (RFC 9499 §7). */
export type Authority =
  | { readonly kind: "Authoritative"; readonly soa: SoaFacts }
  | { readonly kind: "Lame"; readonly why: string }
  | { readonly kind: "Failed"; readonly failure: Failure };

export function readAuthority(reply: Reply, zone: string): Authority {
  if ("failure" in reply) return { kind: "Failed", failure: reply.failure };
  const { message } = reply;
  if (message.rcode !== Rcode.NOERROR) return { kind: "Lame", why: rcodeName(message.rcode) };
  if ((message.flags & Flag.AA) === 0) return { kind: "Lame", why: "no authority (AA) in its answer" };
  const soa = readSoa(message, zone);
  return soa === undefined ? { kind: "Lame", why: "no SOA in its answer" } : { kind: "Authoritative", soa };
}

/** Whether the name lies in the zone, so that only the zone itself can say its addresses. */
export const isInBailiwick = (name: string, zone: string): boolean => isWithin(name, zone);

/** `a, b and c`. */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

/** What `these` has and `those` does not, sorted. */
export const without = (these: Iterable<string>, those: Iterable<string>): readonly string[] => {
  const others = new Set(those);
  return [...new Set(these)].filter((one) => !others.has(one)).sort();
};

/** `1 h 30 min`: whole seconds as people say them, exactly. */
export function formatSeconds(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor((seconds % 86_400) / 3600), "h"],
    [Math.floor((seconds % 3600) / 60), "min"],
    [seconds % 60, "s"],
  ] as const;
  const told = parts.filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount} ${unit}`);
  return told.length === 0 ? "0 s" : told.slice(0, 2).join(" ");
}

/** Of a TTL, in the number that records have. */
export const formatTtl = (seconds: number): string => (seconds < 60 ? `${seconds} s` : `${seconds} s (${formatSeconds(seconds)})`);
