/** TLS with pre-shared keys (RFC 4279, RFC 5489): no certificates to issue, and the key says who may speak in whose name. */
import { constants } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { BINDING_LABEL, BINDING_LENGTH } from "./seal.ts";

/**
 * Options of both sides. The one suite of OpenSSL's that has forward secrecy, a pre-shared key and authenticated encryption. No tickets:
 * a resumed session would never ask for the key again, so that a revoked one went on working.
 */
export const PEER_TLS = {
  ciphers: "ECDHE-PSK-CHACHA20-POLY1305",
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.2",
  ecdhCurve: "X25519:P-256",
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
} as const;

/** Time for a handshake, ms. */
export const HANDSHAKE_TIMEOUT = 5000;

/** Whoever opens a connection names the key that it has: the installation's, or that of a vantage. */
export interface Identity {
  readonly kind: "replica" | "vantage";
  /** Of the instance, or of the vantage. */
  readonly name: string;
}

/** As it is sent in the handshake (RFC 4279 §5: at most 128 bytes are sure to be taken). */
export const formatIdentity = ({ kind, name }: Identity): string => `${kind}/${name}`;

export function parseIdentity(text: string): Identity | undefined {
  const match = /^(replica|vantage)\/([a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?)$/.exec(text);
  const kind = match?.[1];
  const name = match?.[2];
  return name !== undefined && (kind === "replica" || kind === "vantage") ? { kind, name } : undefined;
}

/** Keying material of this very connection, the same on both sides and on no other (RFC 5705). */
export const bindingOf = (socket: TLSSocket): Buffer => socket.exportKeyingMaterial(BINDING_LENGTH, BINDING_LABEL, Buffer.alloc(0));
