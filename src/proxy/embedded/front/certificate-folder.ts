/**
 * A folder of certificates and their keys, PEM:
 *
 *     shop.crt, shop.key          a pair of any name; default.crt and default.key are for clients that name no host
 *     shop-tls/tls.crt, tls.key   a Secret of type kubernetes.io/tls, mounted
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface CertificatePair {
  /** The certificate's file. */
  readonly path: string;
  readonly keyPath: string;
  /** The text of both; undefined where there is no file. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly isDefault: boolean;
}

/** Pairs by path, halves of pairs too. @throws the system's error when the folder itself cannot be read */
export async function readCertificateFolder(folder: string): Promise<readonly CertificatePair[]> {
  // Kubernetes' own folders begin with two dots; what they hold is reached by the links beside them
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".")).sort();
  const stems = new Set(names.flatMap((name) => /^(.+)\.(?:crt|key)$/.exec(name)?.[1] ?? []));
  const pairs = [...stems].map((stem) => readPair(folder, stem, stem === "default"));
  const nested = names
    .filter((name) => !/\.(?:crt|key)$/.test(name))
    .map((name) => readPair(join(folder, name), "tls", name === "default"));
  return (await Promise.all([...pairs, ...nested])).filter(({ certificate, key }) => certificate !== undefined || key !== undefined);
}

async function readPair(folder: string, stem: string, isDefault: boolean): Promise<CertificatePair> {
  const [path, keyPath] = [join(folder, `${stem}.crt`), join(folder, `${stem}.key`)];
  const [certificate, key] = await Promise.all([path, keyPath].map((file) => readFile(file, "utf8").catch(() => undefined)));
  return { path, keyPath, certificate, key, isDefault };
}
