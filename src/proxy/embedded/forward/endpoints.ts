/** Where requests go. */
import type { HttpPolicy } from "../../../model/inventory.ts";

/** One address and port of one backend, for the hosts of routes that probe it in the same way. */
export interface ProxyEndpoint {
  /** Tells it from all others; connections are pooled by it, and health knows it by the same (an `EndpointKey`). */
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** Absent: plain text. */
  readonly tls?: UpstreamTls;
}

/** How an endpoint is spoken to over TLS. */
export interface UpstreamTls {
  /** For SNI, and what its certificate must be for. */
  readonly host: string;
  /** False: any certificate will do. */
  readonly verify: boolean;
}

/** Whom a request may be sent to, in the order in which they are to be tried: the addresses of one backend, then those of the next. */
export interface Candidates {
  /** Of the chosen backend. */
  readonly first: readonly ProxyEndpoint[];
  /** Of those behind it. Worked out when somebody asks: nearly all requests end at the first. */
  readonly rest: () => readonly ProxyEndpoint[];
}

/** One route, as long as it is there. */
export interface ProxyRoute {
  readonly policy: HttpPolicy;
  /** Its requests under way. */
  readonly load: { requests: number };
}

export interface Destination {
  readonly candidates: Candidates;
  readonly route: ProxyRoute;
}

/**
 * Whom a client's request goes to.
 *
 * @param host   lower case, without port; "" when an HTTP/1.0 request names none
 * @param client its address
 * @returns undefined when no route has the host
 */
export type ChooseEndpoints = (host: string, client: string) => Destination | undefined;

/** Somebody whom others are asked before: it refused a connection or failed requests just now. */
export type IsSuspect = (endpoint: ProxyEndpoint) => boolean;

/** The first endpoint that has not been tried, suspects last; undefined when all have been. */
export function nextEndpoint(
  { first, rest }: Candidates,
  tried: readonly ProxyEndpoint[],
  isSuspect: IsSuspect,
): ProxyEndpoint | undefined {
  return wellAmong(first, tried, isSuspect) ?? wellAmong(rest(), tried, isSuspect) ?? suspectAmong([...first, ...rest()], tried);
}

const suspectAmong = (endpoints: readonly ProxyEndpoint[], tried: readonly ProxyEndpoint[]): ProxyEndpoint | undefined =>
  endpoints.find((endpoint) => !tried.includes(endpoint));

/** A loop, as each request comes by here. */
function wellAmong(endpoints: readonly ProxyEndpoint[], tried: readonly ProxyEndpoint[], isSuspect: IsSuspect): ProxyEndpoint | undefined {
  for (let i = 0; i < endpoints.length; i++) {
    const endpoint = endpoints[i]!;
    if (!tried.includes(endpoint) && !isSuspect(endpoint)) return endpoint;
  }
  return undefined;
}
