/** How to reach an API server, and as whom. */
import type { Network } from "../../src/model/ip.ts";

/** As of now: tokens and certificates rotate. PEM texts. */
export interface Credential {
  readonly token?: string;
  /** Certificate authorities that the server's certificate is checked against; absent = the machine's. */
  readonly ca?: string;
  /** Of the client, with `key`. */
  readonly cert?: string;
  readonly key?: string;
}

export interface KubeConnection {
  /** `https://host:port`, perhaps with a path, without a slash at its end. */
  readonly server: string;
  /** Name in the server's certificate, when it is not the URL's. */
  readonly serverName?: string;
  /** Tests only: no kubeconfig leads here. */
  readonly allowHttp?: boolean;
  /**
   * For servers that others named: addresses on the list of `health/probes/address-check.ts` are refused at each connect, unless they lie in
   * one of these networks. Absent = any address.
   */
  readonly guard?: { readonly allow: readonly Network[] };
  /**
   * Called before each request, so it should remember.
   *
   * @param renew the server has just refused what was given last: read it anew
   */
  readonly credential: (renew: boolean) => Promise<Credential>;
}

/** A connection whose credential never changes. */
export const staticConnection = (
  server: string,
  credential: Credential = {},
  more: Pick<KubeConnection, "serverName" | "allowHttp" | "guard"> = {},
): KubeConnection => ({ server: server.replace(/\/+$/, ""), ...more, credential: async () => credential });
