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

/** Endpoints in the order in which they are to be tried: those of a tier before those of the next. */
export type Tiers = readonly (readonly ProxyEndpoint[])[];

/** One route, as long as it is there. */
export interface ProxyRoute {
  readonly policy: HttpPolicy;
  /** Its requests under way. */
  readonly load: { requests: number };
}

export interface Destination {
  readonly tiers: Tiers;
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
export function nextEndpoint(tiers: Tiers, tried: readonly ProxyEndpoint[], isSuspect: IsSuspect): ProxyEndpoint | undefined {
  let last: ProxyEndpoint | undefined;
  for (let t = 0; t < tiers.length; t++) {
    const tier = tiers[t]!;
    for (let i = 0; i < tier.length; i++) {
      const endpoint = tier[i]!;
      if (tried.includes(endpoint)) continue;
      if (!isSuspect(endpoint)) return endpoint;
      last ??= endpoint;
    }
  }
  return last;
}
