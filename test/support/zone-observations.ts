/** What `check zone` sees of a sound zone, and replies to plant faults with. */
import type { HostReply, Observations, Reply, ServerObservation, SubnetReply, ZoneDetail } from "../../src/dns/check/observations.ts";
import { Flag, Rcode, Type } from "../../src/dns/wire/codes.ts";
import type { DecodedRecord } from "../../src/dns/wire/decode-message.ts";

export interface ReplyParts {
  readonly answers?: readonly DecodedRecord[];
  readonly authorities?: readonly DecodedRecord[];
  readonly additionals?: readonly DecodedRecord[];
  readonly rcode?: number;
  /** AA; true if not given. */
  readonly authoritative?: boolean;
  /** Client subnet of the answer. */
  readonly subnet?: { readonly source: number; readonly scope: number };
}

export const record = (name: string, type: number, data: string, ttl = 3600, rdata: Uint8Array = new Uint8Array(0)): DecodedRecord => ({
  ...{ name, type, class: 1, ttl, rdata, data },
});

export function reply({
  answers = [],
  authorities = [],
  additionals = [],
  rcode = Rcode.NOERROR,
  authoritative = true,
  subnet,
}: ReplyParts): Reply {
  const flags = Flag.QR | (authoritative ? Flag.AA : 0);
  const clientSubnet = subnet && { family: 1, address: new Uint8Array(0), ...subnet };
  const edns = { udpSize: 1232, version: 0, dnssecOk: false, options: [], extendedErrors: [], ...(clientSubnet && { clientSubnet }) };
  return { message: { id: 1, flags, opcode: 0, rcode, questions: [], answers, authorities, additionals, edns } };
}

export const NODATA = reply({});
export const NXDOMAIN = reply({ rcode: Rcode.NXDOMAIN });
export const REFUSED = reply({ rcode: Rcode.REFUSED, authoritative: false });
export const TIMEOUT: Reply = { failure: "timeout" };

export const ZONE = "example.org";
export const HOST = "shop.example.org";
/** Name servers of the sound zone, all inside of it. */
export const NAMESERVERS: readonly { readonly name: string; readonly address: string }[] = [
  { name: "ns1.example.org", address: "192.0.2.53" },
  { name: "ns2.example.org", address: "192.0.2.54" },
];

export const nsRecords = (names: readonly string[] = NAMESERVERS.map(({ name }) => name), ttl = 3600): readonly DecodedRecord[] =>
  names.map((name) => record(ZONE, Type.NS, `${name}.`, ttl));
export const referral = (names?: readonly string[], glue = NAMESERVERS): Reply =>
  reply({
    ...{ authoritative: false, authorities: nsRecords(names) },
    additionals: glue.map(({ name, address }) => record(name, address.includes(":") ? Type.AAAA : Type.A, address)),
  });
export const soa = (serial: number, minimum = 30, ttl = 300): Reply =>
  reply({ answers: [record(ZONE, Type.SOA, `ns1.example.org. hostmaster.example.org. ${serial} 3600 600 1209600 ${minimum}`, ttl)] });
export const hostReply = (address = "192.0.2.10", ttl = 60): HostReply => ({
  ...{ host: HOST, type: "A" },
  reply: reply({ answers: [record(HOST, Type.A, address, ttl)] }),
});
/** @param scope undefined = no option in the answer */
export const subnetReply = (scope: number | undefined, source = 24): SubnetReply => ({
  ...{ name: HOST, network: "198.51.100.0/24" },
  reply: reply({ answers: [record(HOST, Type.A, "192.0.2.10", 60)], ...(scope === undefined ? {} : { subnet: { source, scope } }) }),
});

const detail: ZoneDetail = {
  ...{ ns: reply({ answers: nsRecords() }), signedSoa: soa(7), dnskey: NODATA, cds: NODATA },
  addresses: NAMESERVERS.map(({ name, address }) => ({ name, replies: [reply({ answers: [record(name, Type.A, address)] }), NODATA] })),
  subnets: [subnetReply(16)],
  hosts: [hostReply()],
};

/** Two servers, one route in three places, nothing signed, nothing wrong. */
export const SOUND: Observations = {
  ...{ zone: ZONE, now: Date.UTC(2026, 0, 2) / 1000, patience: 2000, serversLeftOut: 0 },
  parent: {
    zone: "org",
    leftOut: 0,
    servers: [{ name: "a.org", server: { address: "192.0.2.1", port: 53 }, delegation: referral(), ds: NODATA }],
  },
  nameservers: NAMESERVERS.map(({ name, address }) => ({ name, addresses: [address], from: "glue", isAlias: false })),
  servers: NAMESERVERS.map(({ name, address }) => ({ name, server: { address, port: 53 }, soa: { udp: soa(7), tcp: soa(7) }, detail })),
  expectation: {
    ...{ object: "example-org", nameservers: NAMESERVERS.map(({ name }) => name), isSigned: false, serialsApart: "No", allHosts: 1 },
    hosts: [
      {
        ...{ host: HOST, name: HOST, route: "default/shop", ttl: { min: 5, max: 60 }, addresses: ["192.0.2.10"], hasHostNames: false },
        ...{ types: ["A"], varies: true },
      },
    ],
  },
};

/** With one server changed; the second if not told. */
export const withServer = (change: Partial<ServerObservation>, seen = SOUND, index = 1): Observations => ({
  ...seen,
  servers: seen.servers.map((server, i) => (i === index ? { ...server, ...change } : server)),
});

/** With a second server that answers its SOA so, over both transports, and is asked nothing else. */
export function withBroken(soaReply: Reply): Observations {
  const [first, { name, server } = SOUND.servers[0]!] = SOUND.servers;
  return { ...SOUND, servers: [first!, { name, server, soa: { udp: soaReply, tcp: soaReply } }] };
}

/** With what one server says of the zone changed; the second if not told. */
export const withDetail = (change: Partial<ZoneDetail>, seen = SOUND, index = 1): Observations =>
  withServer({ detail: { ...seen.servers[index]!.detail!, ...change } }, seen, index);

/** With what every server says of the zone changed. */
export const withDetails = (change: Partial<ZoneDetail>, seen = SOUND): Observations =>
  seen.servers.reduce((changed, _, i) => withDetail(change, changed, i), seen);

/** With another answer of the parent's server. */
export const withParent = (delegation: Reply, ds: Reply = NODATA, seen = SOUND): Observations => ({
  ...seen,
  parent: { ...seen.parent, servers: seen.parent.servers.map((server) => ({ ...server, delegation, ds })) },
});
