/** ServiceAccount tokens as an API server issues them, but for any time, since the test has the key. */
import { sign } from "node:crypto";
import { ISSUER } from "./api-server.ts";

export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  /** Of the ServiceAccount: another one of the same name is not it. */
  readonly uid: string;
  /** For how long; below zero it has expired. */
  readonly seconds: number;
}

/** @param key PEM of an elliptic-curve P-256 key. @param now milliseconds since the epoch. @returns a JWT (RFC 7519), signed by ES256 */
export function signToken({ namespace, name, uid, seconds }: TokenSubject, key: string, now: number): string {
  const issued = Math.floor(now / 1000) - (seconds < 0 ? 3600 : 0);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    iss: ISSUER,
    aud: [ISSUER],
    sub: `system:serviceaccount:${namespace}:${name}`,
    iat: issued,
    nbf: issued,
    exp: Math.floor(now / 1000) + seconds,
    "kubernetes.io": { namespace, serviceaccount: { name, uid } },
  };
  const signed = `${part({ alg: "ES256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}
