/** Is a zone delegated to us? Compares what the world's resolvers say with what our server says. Pure. */

/** An answer to one question: values, none of this type, no such name, or no answer at all. */
export type Lookup<T> = { readonly values: readonly T[] } | { readonly failure: string };

export interface NameserverFacts {
  /** Without the trailing dot. */
  readonly name: string;
  readonly addresses: Lookup<string>;
  /** SOA serial that each address answers with. */
  readonly serials: readonly { readonly address: string; readonly serial: Lookup<number> }[];
}

export interface DelegationFacts {
  readonly zone: string;
  /** Our server, as `address:port`. */
  readonly server: string;
  /** NS of the zone, as resolvers see it. */
  readonly delegated: Lookup<string>;
  /** NS of the zone, as our server answers. */
  readonly served: Lookup<string>;
  /** SOA serial that our server answers. */
  readonly serial: Lookup<number>;
  /** Of the delegated nameservers. */
  readonly nameservers: readonly NameserverFacts[];
}

export interface Verdict {
  readonly ok: boolean;
  readonly text: string;
}

/** Failures of a look-up that met no server at all. */
export const NO_ANSWER = "no answer";
export const NOBODY_THERE = "nothing listens there";

/** @returns one line for each thing that was compared; the zone works when all are ok */
export function judgeDelegation(facts: DelegationFacts): readonly Verdict[] {
  return [...judgeServer(facts), ...judgeNames(facts), ...facts.nameservers.flatMap((nameserver) => judgeNameserver(nameserver, facts))];
}

function judgeServer({ zone, server, served, serial }: DelegationFacts): readonly Verdict[] {
  if ("failure" in serial) {
    if (serial.failure === NO_ANSWER || serial.failure === NOBODY_THERE)
      return [bad(`our server cannot be asked at ${server} (${serial.failure}). Start it, or name its address with --nameserver.`)];
    return [
      bad(`our server ${server} has no SOA of ${zone} (${serial.failure}). Add a DNSZone for it, or name the server with --nameserver.`),
    ];
  }
  if ("failure" in served)
    return [bad(`our server ${server} has no NS records of ${zone} (${served.failure}). Set nameservers in the DNSZone.`)];
  return [good(`our server ${server} answers for ${zone}: serial ${serial.values.join()}, ${sorted(served.values).join(", ")}`)];
}

function judgeNames({ zone, delegated, served }: DelegationFacts): readonly Verdict[] {
  if ("failure" in delegated) {
    const wanted = "values" in served ? ` with NS ${sorted(served.values).join(", ")}` : "";
    return [bad(`resolvers find no NS of ${zone} (${delegated.failure}). Delegate it at the parent zone or the registrar${wanted}.`)];
  }
  if ("failure" in served) return [];
  const missing = without(served.values, delegated.values);
  const extra = without(delegated.values, served.values);
  return [
    ...(missing.length + extra.length === 0 ? [good(`the delegation and our server name the same nameservers`)] : []),
    ...missing.map((name) =>
      bad(
        `${name} is in the DNSZone but not in the delegation. Add it at the parent zone or the registrar, or remove it from the DNSZone.`,
      ),
    ),
    ...extra.map((name) =>
      bad(`${name} is in the delegation but not in the DNSZone. Remove it at the parent zone or the registrar, or add it to the DNSZone.`),
    ),
  ];
}

function judgeNameserver({ name, addresses, serials }: NameserverFacts, { zone, serial }: DelegationFacts): readonly Verdict[] {
  if ("failure" in addresses)
    return [
      bad(`${name} has no address (${addresses.failure}). Add A or AAAA records for it, with glue at the parent if it lies in ${zone}.`),
    ];
  const ours = "values" in serial ? serial.values[0] : undefined;
  return serials.map(({ address, serial: theirs }) => {
    if ("failure" in theirs)
      return bad(
        `${name} (${address}) does not answer for ${zone} (${theirs.failure}). Open UDP and TCP port 53 to it, and let it serve the zone.`,
      );
    const [value] = theirs.values;
    if (ours === undefined || value === ours) return good(`${name} (${address}) answers with serial ${value}`);
    return bad(`${name} (${address}) answers with serial ${value}, our server with ${ours}: it is another server, or has other objects.`);
  });
}

const good = (text: string): Verdict => ({ ok: true, text });
const bad = (text: string): Verdict => ({ ok: false, text });
const sorted = (names: readonly string[]): readonly string[] => [...names].sort();
const without = (names: readonly string[], others: readonly string[]): readonly string[] =>
  sorted(names.filter((name) => !others.includes(name)));
