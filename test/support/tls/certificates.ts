/** The certificates of this folder, as PEM. */
import { readFileSync } from "node:fs";

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

export interface TestCertificates {
  readonly ca: string;
  /** Key and certificate of `shop.example.org`, as a server or as a client. */
  readonly key: string;
  readonly cert: string;
  /** A certificate of the same key that ended in 2020. */
  readonly expired: string;
  /** Key and certificate of `other.example.org`, signed by itself. */
  readonly otherKey: string;
  readonly other: string;
}

export const readCertificates = (): TestCertificates => ({
  ca: read("ca.pem"),
  key: read("server.key"),
  cert: read("server.pem"),
  expired: read("expired.pem"),
  otherKey: read("other.key"),
  other: read("other.pem"),
});
