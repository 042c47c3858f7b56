/** What recursive resolvers know: zones above, and the addresses of names outside of a zone. */

import { parseIp } from "../../model/ip.ts";
import type { ListenAddress } from "../../model/listen-address.ts";
import { Rcode, Type } from "../wire/codes.ts";
import type { Ask } from "./ask.ts";
import type { NamedServer, ParentObservation, Reply } from "./observations.ts";
import { addressesOf, answersOf, foldName } from "./read-reply.ts";

/** Asks one resolver after the other until one has an answer, be it a negative one. */
export type LookUp = (name: string, type: number) => Promise<Reply>;

export function createLookUp(ask: Ask, resolvers: readonly ListenAddress[]): LookUp {
  return async (name, type) => {
    let last: Reply = { failure: "not-asked" };
    for (const resolver of resolvers) {
      last = await ask(resolver, { name, type, recursionDesired: true, edns: {} });
      if ("message" in last && (last.message.rcode === Rcode.NOERROR || last.message.rcode === Rcode.NXDOMAIN)) return last;
    }
    return last;
  };
}

export interface FoundAddresses {
  /** IPv4 first; canonical. */
  readonly addresses: readonly string[];
  readonly isAlias: boolean;
}

/** An address is its own. */
export async function lookUpAddresses(lookUp: LookUp, name: string): Promise<FoundAddresses> {
  if (parseIp(name) !== undefined) return { addresses: [name], isAlias: false };
  const replies = await Promise.all([lookUp(name, Type.A), lookUp(name, Type.AAAA)]);
  return {
    addresses: replies.flatMap((reply, i) => addressesOf(answersOf(reply, i === 0 ? Type.A : Type.AAAA))),
    isAlias: replies.some((reply) => answersOf(reply, Type.CNAME).some((record) => foldName(record.name) === name)),
  };
}

/** Servers of the parent that are asked: each more is another view of one and the same zone. */
const MOST_PARENTS = 4;
const DNS_PORT = 53;

/** The servers of the zone above, by a resolver. */
export async function findParent(
  lookUp: LookUp,
  zone: string,
): Promise<Omit<ParentObservation, "servers"> & { readonly servers: readonly NamedServer[] }> {
  const above = zone.includes(".") ? zone.slice(zone.indexOf(".") + 1) : ".";
  const parent = await zoneThatHolds(lookUp, above);
  if (parent === undefined) return { trouble: `no resolver tells which zone holds ${above}`, servers: [], leftOut: 0 };
  const names = answersOf(await lookUp(parent, Type.NS), Type.NS)
    .map(({ data }) => foldName(data))
    .sort();
  const chosen = await Promise.all(
    names.slice(0, MOST_PARENTS).map(async (name) => ({ name, addresses: (await lookUpAddresses(lookUp, name)).addresses })),
  );
  const servers = chosen.flatMap(({ name, addresses: [address] }) =>
    address === undefined ? [] : [{ name, server: { address, port: DNS_PORT } }],
  );
  const missing = names.length === 0 ? "NS records" : "addresses of its servers";
  return {
    ...{ zone: parent, servers, leftOut: names.length - servers.length },
    ...(servers.length > 0 ? {} : { trouble: `resolvers find no ${missing}` }),
  };
}

/** A name below the apex has no SOA of its own: the negative answer brings the zone's (RFC 2308 §3). */
async function zoneThatHolds(lookUp: LookUp, name: string): Promise<string | undefined> {
  const reply = await lookUp(name, Type.SOA);
  if (!("message" in reply)) return undefined;
  const soa = [...reply.message.answers, ...reply.message.authorities].find(({ type }) => type === Type.SOA);
  return soa === undefined ? undefined : foldName(soa.name);
}
