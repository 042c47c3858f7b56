/** Looks at a zone from outside: asks the parent, every name server, and of those that answer all that the judge wants to know. */

import { parseIp, parseNetwork } from "../../model/ip.ts";
import type { ListenAddress } from "../../model/listen-address.ts";
import { Type } from "../wire/codes.ts";
import type { Ask } from "./ask.ts";
import type { Expectation, ExpectedHost } from "./expectation.ts";
import { createLookUp, findParent, type LookUp, lookUpAddresses } from "./look-up.ts";
import type {
  NamedServer,
  NameserverObservation,
  Observations,
  ParentObservation,
  Reply,
  ServerObservation,
  SubnetReply,
  ZoneDetail,
} from "./observations.ts";
import { addressesOf, answersOf, isInBailiwick, readAuthority, readDelegation } from "./read-reply.ts";

export interface GatherRequest {
  /** Lower-case, without the trailing dot. */
  readonly zone: string;
  readonly resolvers: readonly ListenAddress[];
  /** A server of the parent zone; looked for by the resolvers if not given. */
  readonly parent?: ListenAddress;
  /** A server to be asked besides those of the delegation. */
  readonly nameserver?: ListenAddress;
  /** Of the zone's name servers. */
  readonly port: number;
  readonly expectation?: Expectation;
  /** Milliseconds that servers have to reach one serial. */
  readonly settle: number;
}

export interface GatherPorts {
  /** Seconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** Addresses of name servers that are asked: thirteen names, each of both families. */
const MOST_SERVERS = 26;
/** Milliseconds between two looks at serials that differ. */
const LOOK_AGAIN = 1000;
/** Hosts that are asked for with client subnets. */
const MOST_SUBNET_NAMES = 3;
/** The five regional registries' own networks: one in each part of the world, so that a geographic policy tells some of them apart. */
const NETWORKS: readonly string[] = ["193.0.6.0/24", "199.43.0.0/24", "202.12.29.0/24", "200.3.14.0/24", "196.216.2.0/24"];

/** @param patience milliseconds that each question is given, for the messages */
export async function gather(request: GatherRequest, ask: Ask, { now, sleep }: GatherPorts, patience: number): Promise<Observations> {
  const { zone, expectation } = request;
  const lookUp = createLookUp(ask, request.resolvers);
  const parent = await gatherParent(request, ask, lookUp);
  const named = await findNameservers(zone, parent, lookUp);
  const first = await gatherServers(addressesOfAll(named, request), request, named, ask);
  const { nameservers, found } = withAddressesOfZone(named, first, request);
  const more = await gatherServers(found, request, nameservers, ask);
  const servers = await settleSerials([...first, ...more], request, ask, sleep);
  const primary = await gatherPrimary(request, ask, lookUp);
  return {
    ...{ zone, now: now(), patience, parent, nameservers, servers },
    serversLeftOut: Math.max(0, nameservers.flatMap(({ addresses }) => addresses).length - MOST_SERVERS),
    ...(primary === undefined ? {} : { primary }),
    ...(expectation === undefined ? {} : { expectation }),
  };
}

async function gatherParent({ zone, parent }: GatherRequest, ask: Ask, lookUp: LookUp): Promise<ParentObservation> {
  const found = parent === undefined ? await findParent(lookUp, zone) : { servers: [{ name: "", server: parent }], leftOut: 0 };
  const servers = found.servers.map(async (one) => {
    const [delegation, ds] = await Promise.all([Type.NS, Type.DS].map((type) => ask(one.server, { name: zone, type, edns: {} })));
    return { ...one, delegation: delegation!, ds: ds! };
  });
  return { ...found, servers: await Promise.all(servers) };
}

/** The names of the delegation. Those outside the zone have addresses that resolvers know; those inside, what the parent tells of them. */
async function findNameservers(zone: string, { servers }: ParentObservation, lookUp: LookUp): Promise<readonly NameserverObservation[]> {
  const told = servers.map(({ delegation }) => readDelegation(delegation, zone)).filter((one) => one.kind === "Delegated");
  const glueOf = (name: string): readonly string[] => [
    ...new Set(told.flatMap(({ glue }) => glue.filter((record) => record.name === name).map(({ address }) => address))),
  ];
  const names = [...new Set(told.flatMap((one) => one.names))].sort();
  return Promise.all(
    names.map(async (name): Promise<NameserverObservation> => {
      const glue = glueOf(name);
      if (isInBailiwick(name, zone)) return { name, addresses: glue, from: "glue", isAlias: false };
      const { addresses, isAlias } = await lookUpAddresses(lookUp, name);
      return { name, addresses: addresses.length > 0 ? addresses : glue, from: "resolver", isAlias };
    }),
  );
}

function addressesOfAll(nameservers: readonly NameserverObservation[], { port, nameserver }: GatherRequest): readonly NamedServer[] {
  const all = nameservers.flatMap(({ name, addresses }) => addresses.map((address) => ({ name, server: { address, port } })));
  return [...(nameserver === undefined ? [] : [{ name: "", server: nameserver }]), ...all.slice(0, MOST_SERVERS)];
}

/** A name inside the zone without glue: the servers that were reached tell its address, so that it is asked, too. */
function withAddressesOfZone(
  named: readonly NameserverObservation[],
  servers: readonly ServerObservation[],
  { port }: GatherRequest,
): { readonly nameservers: readonly NameserverObservation[]; readonly found: readonly NamedServer[] } {
  const found: NamedServer[] = [];
  const nameservers = named.map((one): NameserverObservation => {
    if (one.addresses.length > 0 || one.from !== "glue") return one;
    const replies = servers
      .flatMap(({ detail }) => detail?.addresses.filter(({ name }) => name === one.name) ?? [])
      .flatMap(({ replies: both }) => both);
    const addresses = [...new Set(replies.flatMap((reply) => addressesOf([...answersOf(reply, Type.A), ...answersOf(reply, Type.AAAA)])))];
    found.push(...addresses.map((address) => ({ name: one.name, server: { address, port } })));
    return addresses.length === 0 ? one : { ...one, addresses, from: "zone" };
  });
  return { nameservers, found: found.slice(0, Math.max(0, MOST_SERVERS - servers.length)) };
}

const gatherServers = (
  servers: readonly NamedServer[],
  request: GatherRequest,
  nameservers: readonly NameserverObservation[],
  ask: Ask,
): Promise<readonly ServerObservation[]> => Promise.all(servers.map((server) => gatherServer(server, request, nameservers, ask)));

async function gatherServer(
  one: NamedServer,
  request: GatherRequest,
  nameservers: readonly NameserverObservation[],
  ask: Ask,
): Promise<ServerObservation> {
  const question = { name: request.zone, type: Type.SOA, edns: {} };
  const [udp, tcp] = await Promise.all([ask(one.server, question, "udp"), ask(one.server, question, "tcp")]);
  const isAuthority = [udp, tcp].some((reply) => readAuthority(reply, request.zone).kind === "Authoritative");
  return { ...one, soa: { udp, tcp }, ...(isAuthority ? { detail: await gatherDetail(one.server, request, nameservers, ask) } : {}) };
}

/** What is asked of a server that has the zone; a dead one would only use up the time. */
async function gatherDetail(
  server: ListenAddress,
  { zone, expectation }: GatherRequest,
  nameservers: readonly NameserverObservation[],
  ask: Ask,
): Promise<ZoneDetail> {
  const inside = [...new Set([...nameservers.map(({ name }) => name), ...(expectation?.nameservers ?? [])])].filter((name) =>
    isInBailiwick(name, zone),
  );
  const plain = (type: number, name = zone): Promise<Reply> => ask(server, { name, type, edns: {} });
  const signed = (type: number): Promise<Reply> => ask(server, { name: zone, type, edns: { dnssecOk: true } });
  const [ns, signedSoa, dnskey, cds, addresses, subnets, hosts] = await Promise.all([
    plain(Type.NS),
    signed(Type.SOA),
    signed(Type.DNSKEY),
    plain(Type.CDS),
    Promise.all(inside.map(async (name) => ({ name, replies: await Promise.all([plain(Type.A, name), plain(Type.AAAA, name)]) }))),
    gatherSubnets(server, zone, expectation, ask),
    Promise.all(
      (expectation?.hosts ?? []).flatMap(({ host, name, types }) =>
        types.map(async (type) => ({ host, type, reply: await plain(Type[type], name) })),
      ),
    ),
  ]);
  return { ns, signedSoa, dnskey, cds, addresses, subnets, hosts };
}

/** Hosts whose answers depend on the client first; without any known host the apex, where at least the option's echo shows. */
function gatherSubnets(
  server: ListenAddress,
  zone: string,
  expectation: Expectation | undefined,
  ask: Ask,
): Promise<readonly SubnetReply[]> {
  const hosts = (expectation?.hosts ?? []).toSorted((a, b) => Number(b.varies) - Number(a.varies)).slice(0, MOST_SUBNET_NAMES);
  const questions: readonly Pick<ExpectedHost, "name" | "types">[] = hosts.length > 0 ? hosts : [{ name: zone, types: ["A"] }];
  return Promise.all(
    questions.flatMap(({ name, types: [type = "A"] }) =>
      NETWORKS.map(async (network) => {
        const { bytes, length } = parseNetwork(network)!;
        const clientSubnet = { family: 4, address: bytes, source: length } as const;
        return { name, network, reply: await ask(server, { name, type: Type[type], edns: { clientSubnet } }) };
      }),
    ),
  );
}

/** While serials differ, looks again: whoever is told of changes takes them over within moments. */
async function settleSerials(
  servers: readonly ServerObservation[],
  { zone, expectation, settle }: GatherRequest,
  ask: Ask,
  sleep: GatherPorts["sleep"],
): Promise<readonly ServerObservation[]> {
  const serialOf = ({ soa: { udp, tcp } }: ServerObservation): number | undefined => {
    const found = [readAuthority(udp, zone), readAuthority(tcp, zone)].find(({ kind }) => kind === "Authoritative");
    return found !== undefined && "soa" in found ? found.soa.serial : undefined;
  };
  const serials = servers.flatMap((server) => serialOf(server) ?? []);
  const [first] = serials;
  if (first === undefined || expectation?.serialsApart === "Only" || serials.every((serial) => serial === first)) return servers;
  const highest = serials.reduce((a, b) => (((b - a) | 0) > 0 ? b : a)); // RFC 1982
  let looked = servers;
  for (let waited = 0; waited < settle; waited += LOOK_AGAIN) {
    await sleep(Math.min(LOOK_AGAIN, settle - waited));
    looked = await Promise.all(
      servers.map(async (server) =>
        server.detail === undefined ? server : { ...server, soaLater: await ask(server.server, { name: zone, type: Type.SOA, edns: {} }) },
      ),
    );
    const isThere = looked.every(({ soaLater }) => {
      const later = soaLater === undefined ? undefined : readAuthority(soaLater, zone);
      return later?.kind !== "Authoritative" || ((later.soa.serial - highest) | 0) >= 0;
    });
    if (isThere) break;
  }
  return looked;
}

/** Asked last, so that it is behind nobody who only takes over what it has. */
async function gatherPrimary(request: GatherRequest, ask: Ask, lookUp: LookUp): Promise<Observations["primary"]> {
  const server = request.expectation?.keptElsewhere?.primary;
  if (server === undefined) return undefined;
  const { host, port } = server;
  const [address] = (await lookUpAddresses(lookUp, host)).addresses;
  if (address === undefined) return { unresolved: "resolvers find none" };
  const at = { address, port };
  const [soa, ns] = await Promise.all([Type.SOA, Type.NS].map((type) => ask(at, { name: request.zone, type, edns: {} }, "tcp")));
  return { name: parseIp(host) === undefined ? host : "", server: at, soa: soa!, ns: ns! };
}
