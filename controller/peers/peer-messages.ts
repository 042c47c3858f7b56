/**
 * What instances say to each other. Values in, values out: how it is framed and signed is `seal.ts`, who may say what `peer-exchange.ts`.
 *
 * Clocks of peers are not compared: instants travel as ages, counted back from the moment of sending.
 */

import type { Opinion } from "../../health/quorum.ts";
import type { Voter } from "../../src/engine/peer-port.ts";
import type { Endpoint, ProbeReason } from "../../src/model/health.ts";
import { SOURCE_KINDS, type SourceKind } from "../clusters/cluster-objects.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { withTexts } from "../kube/kube-status.ts";
import { asBoolean, asCount, asList, asObject, asOneOf, asText, Malformed, optional } from "./decode.ts";
import { decodeTarget } from "./decode-target.ts";

/** Raised when a message that has to be understood changes its meaning. Unknown messages and fields are ignored. */
export const PROTOCOL = 1;

/** First on every stream, from both sides. */
export interface Hello {
  readonly type: "hello";
  readonly protocol: number;
  readonly role: "replica" | "vantage";
  /** Name of the instance: of its pod, or of the vantage. */
  readonly instance: string;
  /** Random, one for each start. */
  readonly incarnation: string;
  /** Where it probes from. */
  readonly site: string;
  /** Of the program. */
  readonly version: string;
  /** Degrees, if the place is known. */
  readonly location?: { readonly latitude: number; readonly longitude: number };
}

/** Says that the sender is there. */
export interface Beat {
  readonly type: "beat";
}

/** Votes that changed. Endpoints have numbers, valid in this direction of this stream from `names` to `gone`. */
export interface Votes {
  readonly type: "votes";
  /** In whose name; absent = the sender's own. Only replicas pass on votes of others, of vantages that are connected to them. */
  readonly voter?: Voter;
  readonly names: readonly (readonly [id: number, key: string])[];
  readonly votes: readonly VoteEntry[];
  /** These numbers may mean something else from now on. */
  readonly gone: readonly number[];
}

export interface VoteEntry {
  readonly id: number;
  readonly opinion: Opinion;
  readonly reason: ProbeReason;
  readonly proven: boolean;
  /** How long ago the newest probe ended, ms. */
  readonly age: number;
  /** How long ago the first probe of the run that led to the opinion ended, ms. */
  readonly signAge: number;
  /** Time until the opinion can change, ms; null = it cannot. */
  readonly changeIn: number | null;
}

/** A voter whose votes the sender passed on has left for good. */
export interface Left {
  readonly type: "left";
  readonly voter: Voter;
}

/** What the sender serves: the generations that changed, and objects that it no longer serves. */
export interface Programmed {
  readonly type: "programmed";
  /** Of its table. */
  readonly version: number;
  readonly set: readonly (readonly [key: string, generation: number])[];
  readonly gone: readonly string[];
}

/** To a vantage: endpoints to watch and to watch no longer. Nothing of it counts until a message with `isLast`. */
export interface Targets {
  readonly type: "targets";
  readonly add: readonly Endpoint[];
  readonly gone: readonly string[];
  readonly isLast: boolean;
}

/** From a vantage: all objects of one kind of its own cluster, in parts. They count when the last part has come. */
export interface Sources {
  readonly type: "sources";
  readonly kind: SourceKind;
  readonly uid?: string;
  readonly isCurrent: boolean;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly objects: readonly KubeObject[];
}

/** The sender leaves for good and is not to be waited for. */
export interface Bye {
  readonly type: "bye";
}

export type PeerMessage = Hello | Beat | Votes | Left | Programmed | Targets | Sources | Bye;

/** Most entries of any list in a message. */
export const MOST_ENTRIES = 2000;
/** Longest key of an endpoint or an object. */
const LONGEST_KEY = 8192;
const LONGEST_NAME = 253;
/** Endpoints that one stream may name at a time. */
export const MOST_ENDPOINTS = 200_000;
const LONGEST_SPAN = Number.MAX_SAFE_INTEGER;

const OPINIONS = ["healthy", "unhealthy", "abstain"] as const satisfies readonly Opinion[];
/** On the wire by place: append only. */
const REASONS: readonly ProbeReason[] = [
  "ok",
  "timeout",
  "unreachable",
  "resolution",
  "descriptors",
  "refused",
  "reset",
  "tls",
  "status",
  "body",
  "protocol",
  "not-serving",
  "forbidden-address",
  "not-ready",
  "requests-failed",
];

/** The JSON of a message. Votes are rows of numbers, because they are many. */
export function encodeMessage(message: PeerMessage): string {
  if (message.type !== "votes") return JSON.stringify(message);
  const rows = message.votes.map(({ id, opinion, reason, proven, age, signAge, changeIn }) => [
    id,
    OPINIONS.indexOf(opinion),
    REASONS.indexOf(reason),
    proven ? 1 : 0,
    Math.round(age),
    Math.round(signAge),
    changeIn === null ? null : Math.round(changeIn),
  ]);
  return JSON.stringify({ ...message, votes: rows });
}

/**
 * Reads a message.
 *
 * @param value parsed JSON
 * @returns `ignored` for a type that this version does not know; `malformed`, with the place, for anything else that is not a message
 */
export function decodeMessage(
  value: unknown,
): { readonly ok: PeerMessage } | { readonly ignored: string } | { readonly malformed: string } {
  try {
    const body = asObject(value, "body");
    const type = asText(body.type, "type", 32);
    const decode = decoders.get(type);
    return decode === undefined ? { ignored: type } : { ok: decode(body) };
  } catch (error) {
    if (error instanceof Malformed) return { malformed: error.message };
    throw error;
  }
}

type Body = Readonly<Record<string, unknown>>;

function decodeHello(body: Body): Hello {
  const location = optional(body.location, (value) => asObject(value, "location"));
  return {
    type: "hello",
    protocol: asCount(body.protocol, "protocol", 1_000_000),
    role: asOneOf(body.role, "role", ["replica", "vantage"] as const),
    instance: asText(body.instance, "instance", LONGEST_NAME),
    incarnation: asText(body.incarnation, "incarnation", LONGEST_NAME),
    site: asText(body.site, "site", LONGEST_NAME),
    version: asText(body.version, "version", LONGEST_NAME),
    ...(location === undefined
      ? {}
      : { location: { latitude: asDegrees(location.latitude, 90), longitude: asDegrees(location.longitude, 180) } }),
  };
}

function asDegrees(value: unknown, most: number): number {
  if (typeof value === "number" && Math.abs(value) <= most) return value;
  throw new Malformed("location");
}

function decodeVoter(value: unknown): Voter {
  const voter = asObject(value, "voter");
  return { site: asText(voter.site, "voter.site", LONGEST_NAME), replica: asText(voter.replica, "voter.replica", LONGEST_NAME) };
}

const asId = (value: unknown): number => asCount(value, "id", MOST_ENDPOINTS);
const asKey = (value: unknown): string => asText(value, "key", LONGEST_KEY);

function decodeVotes(body: Body): Votes {
  const voter = optional(body.voter, decodeVoter);
  return {
    type: "votes",
    ...(voter === undefined ? {} : { voter }),
    names: asList(body.names, "names", MOST_ENTRIES, (entry) => {
      const [id, key] = asList(entry, "names", 2, (part) => part);
      return [asId(id), asKey(key)] as const;
    }),
    votes: asList(body.votes, "votes", MOST_ENTRIES, decodeVote),
    gone: asList(body.gone, "gone", MOST_ENTRIES, asId),
  };
}

function decodeVote(row: unknown): VoteEntry {
  const [id, opinion, reason, proven, age, signAge, changeIn] = asList(row, "votes", 7, (part) => part);
  const opinionName = OPINIONS[asCount(opinion, "opinion", OPINIONS.length - 1)];
  if (opinionName === undefined) throw new Malformed("opinion");
  return {
    id: asId(id),
    opinion: opinionName,
    reason: REASONS[asCount(reason, "reason", 255)] ?? "protocol", // a newer version knows more of them
    proven: asCount(proven, "proven", 1) === 1,
    age: asCount(age, "age", LONGEST_SPAN),
    signAge: asCount(signAge, "signAge", LONGEST_SPAN),
    changeIn: changeIn === null ? null : asCount(changeIn, "changeIn", LONGEST_SPAN),
  };
}

const decodeProgrammed = (body: Body): Programmed => ({
  type: "programmed",
  version: asCount(body.version, "version", Number.MAX_SAFE_INTEGER),
  set: asList(body.set, "set", MOST_ENTRIES, (entry) => {
    const [key, generation] = asList(entry, "set", 2, (part) => part);
    return [asKey(key), asCount(generation, "generation", Number.MAX_SAFE_INTEGER)] as const;
  }),
  gone: asList(body.gone, "gone", MOST_ENTRIES, asKey),
});

const decodeTargets = (body: Body): Targets => ({
  type: "targets",
  add: asList(body.add, "add", MOST_ENTRIES, decodeTarget),
  gone: asList(body.gone, "gone", MOST_ENTRIES, asKey),
  isLast: asBoolean(body.isLast, "isLast"),
});

function decodeSources(body: Body): Sources {
  const uid = optional(body.uid, (value) => asText(value, "uid", LONGEST_NAME));
  return {
    type: "sources",
    kind: asOneOf(body.kind, "kind", SOURCE_KINDS),
    ...(uid === undefined ? {} : { uid }),
    isCurrent: asBoolean(body.isCurrent, "isCurrent"),
    isFirst: asBoolean(body.isFirst, "isFirst"),
    isLast: asBoolean(body.isLast, "isLast"),
    objects: asList(body.objects, "objects", MOST_ENTRIES, decodeKubeObject),
  };
}

/** What every reader of an object relies on; the rest is as untrusted as in any cluster. */
function decodeKubeObject(value: unknown): KubeObject {
  const object = asObject(value, "objects");
  const metadata = asObject(object.metadata, "objects.metadata");
  const namespace = optional(metadata.namespace, (name) => asText(name, "objects.metadata.namespace", LONGEST_NAME));
  return withTexts({
    ...object,
    apiVersion: asText(object.apiVersion, "objects.apiVersion", LONGEST_NAME),
    kind: asText(object.kind, "objects.kind", LONGEST_NAME),
    metadata: {
      ...metadata,
      name: asText(metadata.name, "objects.metadata.name", LONGEST_NAME),
      ...(namespace === undefined ? {} : { namespace }),
    },
  });
}

const decoders: ReadonlyMap<string, (body: Body) => PeerMessage> = new Map<string, (body: Body) => PeerMessage>([
  ["hello", decodeHello],
  ["beat", () => ({ type: "beat" })],
  ["votes", decodeVotes],
  ["left", (body) => ({ type: "left", voter: decodeVoter(body.voter) })],
  ["programmed", decodeProgrammed],
  ["targets", decodeTargets],
  ["sources", decodeSources],
  ["bye", () => ({ type: "bye" })],
]);
