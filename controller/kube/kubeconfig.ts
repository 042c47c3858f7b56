/**
 * Kubeconfigs that others wrote into Secrets. Whoever may write one Secret must not run commands in our pod, read its files, or send us to
 * its local addresses: only inline certificates and tokens are taken. Parsed once, by one parser, and the connection is made of what was
 * checked: two parsers could read two different things.
 */
import { parseDocument } from "yaml";
import { type Network, parseIp } from "../../src/model/ip.ts";
import { printable } from "../../src/model/printable.ts";
import { forbiddenServer } from "./guarded-connector.ts";
import type { Credential, KubeConnection } from "./kube-connection.ts";
import { field } from "./kube-status.ts";

export interface KubeconfigProblem {
  /** CamelCase, stable. */
  readonly reason: "KubeconfigMalformed" | "KubeconfigRefused";
  /** The fact; never holds a credential. */
  readonly message: string;
  readonly remedy: string;
}

export type ReadKubeconfig = { readonly ok: KubeConnection } | { readonly problem: KubeconfigProblem };

/** Of the files; Kubernetes takes Secrets of 1 MiB at most. */
const MAX_LENGTH = 1024 * 1024;
/** Of a certificate or key, decoded, in bytes; twenty authorities take half of it. */
const MAX_PEM = 64 * 1024;

/** What a kubeconfig must not ask for, by its place and name, with what to do instead. */
const refusedOfCluster: Readonly<Record<string, string>> = {
  "insecure-skip-tls-verify": "Give the certificate authority as certificate-authority-data.",
  "certificate-authority": "Put the certificate itself into certificate-authority-data.",
  "proxy-url": "Give an address that is reached without a proxy.",
};
const refusedOfUser: Readonly<Record<string, string>> = {
  exec: "Put a token into it; `globalroute join` makes one that renews itself.",
  "auth-provider": "Put a token into it; `globalroute join` makes one that renews itself.",
  "client-certificate": "Put the certificate itself into client-certificate-data.",
  "client-key": "Put the key itself into client-key-data.",
  tokenFile: "Put the token itself into token.",
  username: "Use a token or a client certificate: API servers have no passwords any more.",
  password: "Use a token or a client certificate: API servers have no passwords any more.",
  as: "Give the identity that is meant a credential of its own.",
  "as-uid": "Give the identity that is meant a credential of its own.",
  "as-groups": "Give the identity that is meant a credential of its own.",
  "as-user-extra": "Give the identity that is meant a credential of its own.",
};

/** Why it is not used; thrown and caught in this file only. */
class Refusal extends Error {
  readonly problem: KubeconfigProblem;

  constructor(reason: KubeconfigProblem["reason"], message: string, remedy: string) {
    super(message);
    this.problem = { reason, message: printable(message), remedy };
  }
}

/** @param options.allow networks of API servers that are reached although they are local (`--cluster-allow`) */
export function readKubeconfig(text: string, options: { readonly allow: readonly Network[] }): ReadKubeconfig {
  try {
    return { ok: connectionOf(parse(text), options.allow) };
  } catch (error) {
    if (error instanceof Refusal) return { problem: error.problem };
    throw error;
  }
}

function parse(text: string): unknown {
  const malformed = (message: string): Refusal =>
    new Refusal(
      "KubeconfigMalformed",
      message,
      "Put a whole kubeconfig there, as `kubectl config view --raw --minify --flatten` prints it.",
    );
  if (text.length > MAX_LENGTH) throw malformed("the kubeconfig is longer than 1 MiB");
  const document = parseDocument(text, { schema: "core", uniqueKeys: true, merge: false, logLevel: "error" });
  // Messages of the parser quote the text.
  if (document.errors.length > 0) throw malformed("the kubeconfig is not YAML");
  let config: unknown;
  try {
    config = document.toJS({ maxAliasCount: 0 });
  } catch {
    throw malformed("the kubeconfig holds YAML aliases");
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) throw malformed("the kubeconfig is no mapping");
  return config;
}

function connectionOf(config: unknown, allow: readonly Network[]): KubeConnection {
  const contextName = field(config, "current-context");
  if (typeof contextName !== "string" || contextName === "") throw missing("current-context", "Name the context to use there.");
  const context = entry(config, "contexts", "context", contextName);
  const clusterName = needText(context, "cluster", `context ${quoted(contextName)}`);
  const userName = needText(context, "user", `context ${quoted(contextName)}`);
  const cluster = entry(config, "clusters", "cluster", clusterName);
  const user = entry(config, "users", "user", userName);

  refuse(cluster, refusedOfCluster, `cluster ${quoted(clusterName)}`);
  refuse(user, refusedOfUser, `user ${quoted(userName)}`);

  const server = serverOf(needText(cluster, "server", `cluster ${quoted(clusterName)}`), allow);
  const ca = pem(needText(cluster, "certificate-authority-data", `cluster ${quoted(clusterName)}`), "certificate-authority-data");
  const credential = { ca, ...identityOf(user, userName) };
  const serverName = optionalText(cluster, "tls-server-name");
  return {
    server,
    ...(serverName === undefined ? {} : { serverName }),
    guard: { allow },
    credential: async () => credential,
  };
}

function identityOf(user: unknown, name: string): Credential {
  const token = optionalText(user, "token");
  const cert = optionalText(user, "client-certificate-data");
  const key = optionalText(user, "client-key-data");
  if ((cert === undefined) !== (key === undefined))
    throw missing(
      `${cert === undefined ? "client-certificate-data" : "client-key-data"} of user ${quoted(name)}`,
      "Give both of the pair.",
    );
  if (token === undefined && cert === undefined)
    throw missing(`token of user ${quoted(name)}`, "Give a token, or client-certificate-data and client-key-data.");
  // A header's value: anything else would be refused when it is sent.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new Refusal(
      "KubeconfigMalformed",
      `token of user ${quoted(name)} is no bearer token`,
      "Write the token on one line without spaces.",
    );
  return {
    ...(token === undefined ? {} : { token }),
    ...(cert === undefined || key === undefined ? {} : { cert: pem(cert, "client-certificate-data"), key: pem(key, "client-key-data") }),
  };
}

/** An https URL of a host that is not on the list of forbidden addresses; names are checked when they are resolved. */
function serverOf(text: string, allow: readonly Network[]): string {
  const malformed = (message: string, remedy: string): Refusal => new Refusal("KubeconfigRefused", message, remedy);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw malformed("server is no URL", "Write it as in https://api.example.org:6443.");
  if (url.protocol !== "https:") throw malformed(`server uses ${url.protocol}//`, "Use https: without it nobody knows who answers.");
  if (url.username !== "" || url.password !== "")
    throw malformed("server holds a user name or password", "Put a token into the user's entry.");
  if (url.search !== "" || url.hash !== "")
    throw malformed("server has a query or a fragment", "Write it as in https://api.example.org:6443.");
  // The URL parser makes dotted quads of 2130706433, 0x7f.1 and the like, so that they are checked as what they are.
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const what = parseIp(host) === undefined ? forbiddenName(host, allow) : forbiddenServer(host, allow);
  if (what !== undefined) {
    throw malformed(
      `server is at ${host}, a forbidden address (${what})`,
      "Use an address of the API server that other machines reach, or allow the network with --cluster-allow.",
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** Names that mean this machine wherever they are resolved (RFC 6761 §6.3). */
function forbiddenName(host: string, allow: readonly Network[]): string | undefined {
  if (!/(^|\.)localhost\.?$/i.test(host)) return undefined;
  return forbiddenServer("127.0.0.1", allow) === undefined ? undefined : "loopback";
}

/** The member of that name in a list of `{name, KEY: {…}}`. */
function entry(config: unknown, list: string, key: string, name: string): unknown {
  const entries = field(config, list);
  const found: unknown[] = Array.isArray(entries) ? entries.filter((one) => field(one, "name") === name) : [];
  if (found.length > 1)
    throw new Refusal("KubeconfigMalformed", `${list} has ${quoted(name)} twice`, "Remove one of them: nobody can tell which is meant.");
  const body = found.length === 0 ? undefined : field(found[0], key);
  if (typeof body !== "object" || body === null) throw missing(`${key} ${quoted(name)}`, `Add it under ${list}, or mend the name.`);
  return body;
}

function refuse(body: unknown, refused: Readonly<Record<string, string>>, where: string): void {
  for (const [name, remedy] of Object.entries(refused)) {
    const value = field(body, name);
    // `insecure-skip-tls-verify: false` and empty entries ask for nothing.
    if (value === undefined || value === null || value === false || value === "") continue;
    throw new Refusal("KubeconfigRefused", `${name} of ${where} is not used for kubeconfigs from Secrets`, remedy);
  }
}

function optionalText(body: unknown, name: string): string | undefined {
  const value = field(body, name);
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") throw new Refusal("KubeconfigMalformed", `${name} is no text`, "Put it in quotes.");
  return value;
}

function needText(body: unknown, name: string, where: string): string {
  const value = optionalText(body, name);
  if (value === undefined) throw missing(`${name} of ${where}`, "Add it.");
  return value;
}

/** Base64 of a PEM text. */
function pem(data: string, name: string): string {
  const bytes = /^[A-Za-z0-9+/=\s]+$/.test(data) ? Buffer.from(data, "base64") : Buffer.alloc(0);
  if (bytes.length > MAX_PEM) throw new Refusal("KubeconfigMalformed", `${name} is longer than 64 KiB`, "Leave only what is needed in it.");
  const text = bytes.toString("utf8");
  // Searched for one after the other: a pattern with a gap in it takes quadratic time for texts that somebody made for that.
  const begin = text.indexOf("-----BEGIN ");
  if (begin < 0 || text.indexOf("-----END ", begin) < 0)
    throw new Refusal("KubeconfigMalformed", `${name} is no base64 of a PEM text`, "Copy it as kubectl writes it.");
  return text;
}

const missing = (what: string, remedy: string): Refusal => new Refusal("KubeconfigMalformed", `${what} is missing`, remedy);
const quoted = (name: string): string => JSON.stringify(name.slice(0, 100));
