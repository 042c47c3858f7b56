/** The token inside a kubeconfig of ours. Pure. */
import { parse, stringify } from "yaml";
import { field, textField } from "../kube/kube-status.ts";

export interface KubeconfigParts {
  readonly name: string;
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly token: string;
  readonly serverName?: string;
}

/** A whole kubeconfig with one cluster, one user and one context, as `readKubeconfig` takes it. */
export const makeKubeconfig = ({ name, server, ca, token, serverName }: KubeconfigParts): string =>
  stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name,
        cluster: {
          server,
          "certificate-authority-data": Buffer.from(ca, "utf8").toString("base64"),
          ...(serverName === undefined ? {} : { "tls-server-name": serverName }),
        },
      },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });

/** @returns the token of the current context's user; undefined when there is none */
export function tokenOf(kubeconfig: string): string | undefined {
  return textField(field(currentUser(parsed(kubeconfig)), "user"), "token") || undefined;
}

/** The same kubeconfig with another token. */
export function withToken(kubeconfig: string, token: string): string {
  const config = parsed(kubeconfig);
  const mine = currentUser(config);
  const users = field(config, "users");
  if (typeof config !== "object" || config === null || !Array.isArray(users)) return kubeconfig;
  return stringify({
    ...config,
    users: users.map((one: unknown) => (one === mine ? { name: textField(one, "name"), user: { ...userOf(one), token } } : one)),
  });
}

function parsed(kubeconfig: string): unknown {
  try {
    return parse(kubeconfig, { maxAliasCount: 0, logLevel: "silent" });
  } catch {
    return undefined;
  }
}

function currentUser(config: unknown): unknown {
  const named = (list: unknown, name: string): unknown =>
    Array.isArray(list) ? list.find((one) => textField(one, "name") === name) : undefined;
  const context = named(field(config, "contexts"), textField(config, "current-context"));
  return named(field(config, "users"), textField(field(context, "context"), "user"));
}

function userOf(entry: unknown): object {
  const user = field(entry, "user");
  return typeof user === "object" && user !== null ? user : {};
}
