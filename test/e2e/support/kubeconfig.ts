/** Kubeconfigs as text, with everything inside. JSON is YAML. */
import { base64Of, type Credential } from "./pki.ts";

interface Server {
  readonly name: string;
  readonly url: string;
  /** Path of the CA's certificate. */
  readonly ca: string;
}

const kubeconfig = ({ name, url, ca }: Server, user: string, credential: Readonly<Record<string, string>>): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server: url, "certificate-authority-data": base64Of(ca) } }],
    users: [{ name: `${user}-of-${name}`, user: credential }], // so that several of them can be used as one
    contexts: [{ name, context: { cluster: name, user: `${user}-of-${name}` } }],
    "current-context": name,
  });

export const certificateKubeconfig = (server: Server, user: string, { cert, key }: Credential): string =>
  kubeconfig(server, user, { "client-certificate-data": base64Of(cert), "client-key-data": base64Of(key) });

export const tokenKubeconfig = (server: Server, token: string): string => kubeconfig(server, "service-account", { token });
