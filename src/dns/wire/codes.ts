/** Numbers of the DNS protocol that this program speaks of (IANA "Domain Name System (DNS) Parameters"). */

export const Type = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  CDS: 59,
  CDNSKEY: 60,
  HTTPS: 65,
  NXNAME: 128,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  CAA: 257,
} as const;

export const Class = { IN: 1, CH: 3, ANY: 255 } as const;

export const Opcode = { QUERY: 0, NOTIFY: 4, UPDATE: 5 } as const;

/** Those above 15 need an OPT record: their upper eight bits travel there (RFC 6891 §6.1.3). */
export const Rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  NOTAUTH: 9,
  BADVERS: 16,
  BADCOOKIE: 23,
} as const;

/** Bits of the second header word (RFC 1035 §4.1.1, RFC 4035 §3.2). */
export const Flag = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080, AD: 0x0020, CD: 0x0010 } as const;

/** EDNS option codes. */
export const Option = { NSID: 3, CLIENT_SUBNET: 8, COOKIE: 10, TCP_KEEPALIVE: 11, EXTENDED_ERROR: 15 } as const;

/** INFO-CODE of extended errors (RFC 8914 §4). */
export const ExtendedError = {
  Other: 0,
  StaleAnswer: 3,
  NotReady: 14,
  Prohibited: 18,
  NotAuthoritative: 20,
  InvalidQueryType: 30,
} as const;

/** Keys of SvcParams (RFC 9460 §14.3.2). */
export const SvcParam = { ALPN: 1, IPV4HINT: 4, IPV6HINT: 6 } as const;

const nameOf = (table: Readonly<Record<string, number>>, code: number): string | undefined =>
  Object.keys(table).find((name) => table[name] === code);

/** `AAAA`, or `TYPE65280` for a type without a name here (RFC 3597 §5). */
export const typeName = (type: number): string => nameOf(Type, type) ?? `TYPE${type}`;

/** `NXDOMAIN`, or `RCODE11`. */
export const rcodeName = (rcode: number): string => nameOf(Rcode, rcode) ?? `RCODE${rcode}`;
