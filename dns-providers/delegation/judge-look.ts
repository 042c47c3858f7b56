/** What a look at a zone's servers says of the delegation that it is to have. Pure. */

import { chainTrouble } from "../../src/dns/check/judge-dnssec.ts";
import type { ServerLook } from "../../src/dns/check/look-at-servers.ts";
import type { ZoneAuthority } from "../provider.ts";
import type { SeenServers } from "./delegation.ts";

export interface Look {
  /** Apex of the zone. */
  readonly zone: string;
  readonly authority: ZoneAuthority;
  /** Every address of its name servers. */
  readonly servers: readonly ServerLook[];
  /** Names that resolvers know no address of. */
  readonly unresolved: readonly string[];
  /** Seconds since the epoch. */
  readonly at: number;
}

export interface JudgedLook extends Omit<SeenServers, "ds"> {
  /** What is wrong with the chain from the DS that the zone asks for; undefined: nothing, or it asks for none. */
  readonly dsTrouble: string | undefined;
  /** For how long caches may hold what was before the keys, seconds. */
  readonly longestTtl: number;
}

export function judgeLook({ zone, authority, servers, unresolved, at }: Look): JudgedLook {
  const troubleOf = (name: string): string | undefined => {
    if (unresolved.includes(name)) return `no address of ${name} can be found`;
    const looks = servers.filter((look) => look.name === name);
    return looks.some(({ trouble }) => trouble === undefined) ? undefined : looks.map(({ trouble }) => trouble).join("; ");
  };
  const troubles = new Map(authority.nameServers.map((name) => [name, troubleOf(name)]));
  const chain = (ds: readonly string[], needs: "Every" | "Some"): string | undefined => {
    for (const { name, signed } of servers) {
      const trouble = signed === undefined ? undefined : chainTrouble(ds, needs, signed, zone, at);
      if (trouble !== undefined) return `${name}: ${trouble}`;
    }
    return servers.some(({ signed }) => signed !== undefined) ? undefined : "no server of the zone was asked for its keys";
  };
  const silent = [...troubles.values()].find((trouble) => trouble !== undefined);
  const asked = authority.ds ?? [];
  return {
    servers: troubles,
    chain: (ds) => chain(ds, "Some"),
    dsTrouble: asked.length === 0 ? undefined : (silent ?? chain(asked, "Every")),
    longestTtl: Math.max(authority.longestTtl, ...servers.flatMap(({ signed }) => ttlsOf(signed))),
  };
}

function ttlsOf(signed: ServerLook["signed"]): readonly number[] {
  if (signed === undefined) return [];
  return [signed.dnskey, signed.signedSoa].flatMap((reply) => ("message" in reply ? reply.message.answers.map(({ ttl }) => ttl) : []));
}
