/** Where requests go. */

/** One address and port of one backend. */
export interface ProxyEndpoint {
  /** Tells it from all others; connections are pooled by it. */
  readonly id: string;
  readonly address: string;
  readonly port: number;
}

/** Endpoints in the order in which they are to be tried: those of a tier before those of the next. */
export type Tiers = readonly (readonly ProxyEndpoint[])[];

/**
 * Whom a client's request goes to.
 *
 * @param host   lower case, without port; "" when an HTTP/1.0 request names none
 * @param client its address
 * @returns undefined when no route has the host
 */
export type ChooseEndpoints = (host: string, client: string) => Tiers | undefined;

/** The first endpoint that has not been tried, those that are shunned last; undefined when all have been. */
export function nextEndpoint(
  tiers: Tiers,
  tried: readonly ProxyEndpoint[],
  isShunned: (endpoint: ProxyEndpoint) => boolean,
): ProxyEndpoint | undefined {
  let last: ProxyEndpoint | undefined;
  for (let t = 0; t < tiers.length; t++) {
    const tier = tiers[t]!;
    for (let i = 0; i < tier.length; i++) {
      const endpoint = tier[i]!;
      if (tried.includes(endpoint)) continue;
      if (!isShunned(endpoint)) return endpoint;
      last ??= endpoint;
    }
  }
  return last;
}
