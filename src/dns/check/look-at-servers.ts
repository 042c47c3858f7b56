/** A short look at name servers to which nobody may be sent yet: do they answer for the zone, and what do they sign? */
import { Type } from "../wire/codes.ts";
import type { Ask } from "./ask.ts";
import type { SignedReplies } from "./judge-dnssec.ts";
import type { NamedServer } from "./observations.ts";
import { formatFailure, readAuthority, serverLabel } from "./read-reply.ts";

export interface ServerLook {
  readonly name: string;
  /** Why it is no server of the zone, as a clause that names it; absent: it answers with authority. */
  readonly trouble?: string;
  /** There when it answers with authority. */
  readonly signed?: SignedReplies;
}

/**
 * @param zone     lower case, without the trailing dot
 * @param servers  one entry for each address
 * @param patience milliseconds that each question is given, for the messages
 * @returns in the order of the servers; never throws for what they do
 */
export function lookAtServers(zone: string, servers: readonly NamedServer[], ask: Ask, patience: number): Promise<readonly ServerLook[]> {
  return Promise.all(
    servers.map(async (one): Promise<ServerLook> => {
      const { name, server } = one;
      const soa = readAuthority(await ask(server, { name: zone, type: Type.SOA, edns: {} }), zone);
      if (soa.kind === "Failed") return { name, trouble: `${serverLabel(one)} ${formatFailure(soa.failure, patience)}` };
      if (soa.kind === "Lame") return { name, trouble: `${serverLabel(one)} does not serve ${zone} (${soa.why})` };
      const [dnskey, signedSoa] = await Promise.all(
        [Type.DNSKEY, Type.SOA].map((type) => ask(server, { name: zone, type, edns: { dnssecOk: true } })),
      );
      return { name, signed: { dnskey: dnskey!, signedSoa: signedSoa! } };
    }),
  );
}
