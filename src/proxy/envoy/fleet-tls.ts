/** Mutual TLS of the control plane with certificates that can be renewed while Envoys are connected. */
import { createSecureContext } from "node:tls";
import { experimental, ServerCredentials } from "@grpc/grpc-js";

/** PEM. With it both sides prove who they are. */
export interface FleetTls {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** Who may sign the certificates of Envoys. */
  readonly clientCa: Buffer;
}

export interface FleetCredentials {
  readonly credentials: ServerCredentials;
  /**
   * For handshakes from now on; connections that stand go on. Nothing happens without TLS.
   *
   * @throws when they are no PEM, or the key is not the certificate's: what was there before stays
   */
  renew(tls: FleetTls): void;
}

/**
 * @param first undefined = in the clear, for whoever reaches it
 * @throws as `renew` does
 */
export function createFleetCredentials(first: FleetTls | undefined): FleetCredentials {
  if (first === undefined) return { credentials: ServerCredentials.createInsecure(), renew: () => {} };
  let now = checked(first);
  const certificates = createTeller(() => ({ certificate: now.certificate, privateKey: now.key }));
  const authorities = createTeller(() => ({ caCertificate: now.clientCa }));
  const provider: experimental.CertificateProvider = {
    addIdentityCertificateListener: certificates.add,
    removeIdentityCertificateListener: certificates.remove,
    addCaCertificateListener: authorities.add,
    removeCaCertificateListener: authorities.remove,
  };
  return {
    credentials: experimental.createCertificateProviderServerCredentials(provider, provider, true),
    renew(tls) {
      now = checked(tls);
      certificates.tell();
      authorities.tell();
    },
  };
}

/** gRPC would take whatever it is and refuse every handshake. */
function checked(tls: FleetTls): FleetTls {
  createSecureContext({ cert: tls.certificate, key: tls.key, ca: tls.clientCa });
  return tls;
}

/** gRPC is told at once what there is, though never from inside its own call, and whenever that changes. */
function createTeller<T>(current: () => T) {
  const listeners = new Set<(update: T) => void>();
  return {
    add: (listener: (update: T) => void): void => {
      listeners.add(listener);
      queueMicrotask(() => listeners.has(listener) && listener(current()));
    },
    remove: (listener: (update: T) => void): void => void listeners.delete(listener),
    tell: (): void => {
      for (const listener of listeners) listener(current());
    },
  };
}
