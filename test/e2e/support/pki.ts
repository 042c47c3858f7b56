/** Certificates of one test cluster, made by openssl: Node cannot issue any. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Paths of PEM files. */
export interface Credential {
  readonly cert: string;
  readonly key: string;
}

export interface Pki {
  /** Path of the CA's certificate. */
  readonly ca: string;
  /** Certificate of a server. @param addresses its IP addresses */
  readonly server: (name: string, addresses: readonly string[]) => Credential;
  /** Certificate of a user. @param group as `system:masters` */
  readonly client: (user: string, group: string) => Credential;
  /** Key pair by which ServiceAccount tokens are signed. */
  readonly serviceAccounts: { readonly privateKey: string; readonly publicKey: string };
}

const DAYS = "2";

/** @param folder that exists; everything is written there */
export function createPki(folder: string, name: string): Pki {
  const at = (file: string): string => join(folder, file);
  const openssl = (...args: readonly string[]): void => void execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
  const newKey = (file: string): string => {
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", at(file));
    return at(file);
  };
  const ca = at("ca.pem");
  const caKey = newKey("ca.key");
  const usage = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  openssl("req", "-x509", "-new", "-key", caKey, "-sha256", "-days", DAYS, "-subj", `/CN=${name} CA`, ...usage, "-out", ca);

  let serial = 1;
  const issue = (file: string, subject: string, extensions: string): Credential => {
    const key = newKey(`${file}.key`);
    openssl("req", "-new", "-key", key, "-subj", subject, "-out", at(`${file}.csr`));
    writeFileSync(at(`${file}.ext`), extensions);
    const signedBy = ["-CA", ca, "-CAkey", caKey, "-set_serial", String(++serial)];
    openssl(
      "x509",
      "-req",
      "-in",
      at(`${file}.csr`),
      ...signedBy,
      "-sha256",
      "-days",
      DAYS,
      "-extfile",
      at(`${file}.ext`),
      "-out",
      at(`${file}.pem`),
    );
    return { cert: at(`${file}.pem`), key };
  };

  const privateKey = newKey("sa.key");
  openssl("ec", "-in", privateKey, "-pubout", "-out", at("sa.pub"));
  return {
    ca,
    server: (server, addresses) => {
      const names = ["DNS:localhost", ...addresses.map((address) => `IP:${address}`)].join(",");
      return issue(server, `/CN=${server}`, `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
    },
    client: (user, group) => issue(user.replaceAll(":", "-"), `/O=${group}/CN=${user}`, "extendedKeyUsage=clientAuth\n"),
    serviceAccounts: { privateKey, publicKey: at("sa.pub") },
  };
}

/** As kubeconfigs carry it. */
export const base64Of = (path: string): string => readFileSync(path).toString("base64");
