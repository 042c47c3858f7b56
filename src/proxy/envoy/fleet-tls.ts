/** Mutual TLS of the control plane. */
import { createSecureContext } from "node:tls";

/** PEM. With it both sides prove who they are. */
export interface FleetTls {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** Who may sign the certificates of Envoys. */
  readonly clientCa: Buffer;
}

/**
 * The same as a server of TLS takes it.
 *
 * @throws when they are no PEM, or the key is not the certificate's
 */
export function tlsOptions({ certificate, key, clientCa }: FleetTls): {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
} {
  const options = { cert: certificate, key, ca: clientCa };
  createSecureContext(options);
  return options;
}
