/**
 * Credentials that `globalroute join` made renew themselves: a token of a service account that may ask for its next token, and for nothing
 * else but reading. Who it is and how long it lives stands in the token.
 */
import type { KubeApi, WriteOptions } from "../kube/kube-api.ts";
import { KubeError } from "../kube/kube-error.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { field, textField } from "../kube/kube-status.ts";
import { resourcePath } from "../kube/resource-path.ts";
import { SECRETS, SERVICE_ACCOUNTS } from "../kube/resources.ts";
import { tokenOf, withToken } from "./kubeconfig-token.ts";
import { readSecretText } from "./member-access.ts";

/** On Secrets whose token is ours to renew: others' credentials are left alone. */
export const RENEW_ANNOTATION = "globalroute.dev/renew-token";

export interface TokenFacts {
  /** Milliseconds since the epoch. */
  readonly issued: number;
  readonly expires: number;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Reads the claims of a service account's token; its signature is the API server's to check. @returns undefined for any other token */
export function readTokenFacts(token: string): TokenFacts | undefined {
  const part = token.split(".")[1];
  if (part === undefined) return undefined;
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
  const [issued, expires] = [field(claims, "iat"), field(claims, "exp")];
  const subject = /^system:serviceaccount:([a-z0-9-]+):([a-z0-9.-]+)$/.exec(textField(claims, "sub"));
  if (typeof issued !== "number" || typeof expires !== "number" || subject === null) return undefined;
  return { issued: issued * 1000, expires: expires * 1000, namespace: subject[1]!, serviceAccount: subject[2]! };
}

/** Whether two thirds of the token's life are over. @param now milliseconds since the epoch */
export function renewDue(secret: KubeObject, key: string | undefined, now: number): boolean {
  if (secret.metadata.annotations?.[RENEW_ANNOTATION] !== "true") return false;
  const found = readSecretText(secret, key);
  const token = found === undefined ? undefined : tokenOf(found.text);
  const facts = token === undefined ? undefined : readTokenFacts(token);
  return facts !== undefined && now >= facts.issued + ((facts.expires - facts.issued) * 2) / 3;
}

/**
 * Asks the member cluster for a token that lives as long as the one before, and writes it into the Secret on the hub.
 *
 * @throws KubeError; 409 when the Secret has changed meanwhile
 */
export async function renewCredential(
  member: KubeApi,
  hub: KubeApi,
  secret: KubeObject,
  key: string | undefined,
  options: WriteOptions = {},
): Promise<void> {
  const found = readSecretText(secret, key);
  const token = found === undefined ? undefined : tokenOf(found.text);
  const facts = token === undefined ? undefined : readTokenFacts(token);
  if (found === undefined || facts === undefined) return;
  const { signal } = options;
  const life = Math.round((facts.expires - facts.issued) / 1000);
  const next = await requestToken(member, facts.namespace, facts.serviceAccount, life, signal === undefined ? {} : { signal });
  const { resourceVersion, uid, name, namespace } = secret.metadata;
  const data = { [found.key]: Buffer.from(withToken(found.text, next), "utf8").toString("base64") };
  await hub.mergePatch(SECRETS, namespace, name, { metadata: { uid, resourceVersion }, data }, options);
}

/** A TokenRequest. @param seconds at least 600; the server may give less or more */
export async function requestToken(
  api: KubeApi,
  namespace: string,
  serviceAccount: string,
  seconds: number,
  options: { readonly signal?: AbortSignal } = {},
): Promise<string> {
  const path = resourcePath(SERVICE_ACCOUNTS, namespace, serviceAccount, "token");
  const wanted = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: Math.max(600, seconds) },
  };
  const answer = await api.request("POST", path, wanted, options);
  const token = textField(field(answer, "status"), "token");
  if (token !== "") return token;
  throw new KubeError(
    `${api.server}: POST ${path}: the answer holds no token. See that the API server issues tokens of service accounts.`,
    {
      status: 0,
      reason: "Malformed",
    },
  );
}
