/** What was seen of a zone from outside: plain values, which the gatherer makes and the judge reads. */
import type { ListenAddress } from "../../model/listen-address.ts";
import type { DecodedMessage } from "../wire/decode-message.ts";
import type { Expectation } from "./expectation.ts";

/**
 * Why a question has no answer. `no-route`: this machine has no way there, such as no IPv6. `malformed`: an answer that is none. `not-asked`:
 * the time for the whole check was over.
 */
export type Failure = "timeout" | "nothing-listens" | "no-route" | "closed" | "malformed" | "not-asked";

export type Reply = { readonly message: DecodedMessage } | { readonly failure: Failure };

/** All names here are lower-case, without the trailing dot; the root is ".". */
export interface Observations {
  readonly zone: string;
  /** Seconds since the epoch: what signatures are judged by. */
  readonly now: number;
  /** Milliseconds that a question was given, for the messages. */
  readonly patience: number;
  readonly parent: ParentObservation;
  readonly nameservers: readonly NameserverObservation[];
  readonly servers: readonly ServerObservation[];
  /** How many addresses of name servers were not asked, since there are too many. */
  readonly serversLeftOut: number;
  /** Of a zone that is kept elsewhere: the server that its objects name. */
  readonly primary?: PrimaryObservation | { readonly unresolved: string };
  readonly expectation?: Expectation;
}

export interface ParentObservation {
  /** Domain of the parent zone; absent when a server was given instead of being looked for. */
  readonly zone?: string;
  /** Why no server of the parent was found, as half a sentence. */
  readonly trouble?: string;
  readonly servers: readonly ParentServer[];
  /** How many servers the parent has beyond those that were asked. */
  readonly leftOut: number;
}

export interface ParentServer extends NamedServer {
  /** What it says to NS of the zone, and to DS. */
  readonly delegation: Reply;
  readonly ds: Reply;
}

export interface NamedServer {
  /** The NS record's target; empty for a server that the user named by its address. */
  readonly name: string;
  readonly server: ListenAddress;
}

/** A name of the delegation, and how its addresses were found. */
export interface NameserverObservation {
  readonly name: string;
  readonly addresses: readonly string[];
  /** `glue`: the parent told them; `zone`: the zone's servers did, for want of glue; `resolver`: it lies outside the zone. */
  readonly from: "glue" | "zone" | "resolver";
  /** It is an alias, which the target of an NS record must not be (RFC 2181 §10.3). */
  readonly isAlias: boolean;
}

/** One address of one name server. */
export interface ServerObservation extends NamedServer {
  readonly soa: { readonly udp: Reply; readonly tcp: Reply };
  /** What it says to SOA a while later; there when serials differed at first. */
  readonly soaLater?: Reply;
  /** Absent when it does not answer with authority: nothing else is asked then. */
  readonly detail?: ZoneDetail;
}

/** By TCP, as updates and listings go. */
export interface PrimaryObservation extends NamedServer {
  readonly soa: Reply;
  readonly ns: Reply;
}

export interface ZoneDetail {
  readonly ns: Reply;
  /** With signatures (DO). */
  readonly signedSoa: Reply;
  readonly dnskey: Reply;
  readonly cds: Reply;
  /** A and AAAA of the name servers that lie in the zone. */
  readonly addresses: readonly { readonly name: string; readonly replies: readonly Reply[] }[];
  readonly subnets: readonly SubnetReply[];
  readonly hosts: readonly HostReply[];
}

/** What a client of a network is answered. */
export interface SubnetReply {
  readonly name: string;
  /** `192.0.2.0/24`. */
  readonly network: string;
  readonly reply: Reply;
}

export interface HostReply {
  /** As the route has it, perhaps a wildcard. */
  readonly host: string;
  readonly type: "A" | "AAAA";
  readonly reply: Reply;
}
