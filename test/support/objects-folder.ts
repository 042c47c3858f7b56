/** A folder of objects in a temporary place, for tests of what reads and writes one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface ObjectsFolder {
  readonly path: string;
  /** @returns the file's path */
  readonly write: (name: string, text: string) => string;
  readonly remove: () => void;
}

/** Two clusters (eu-west, us-east), one zone (example.org), and a route `default/shop` over both; each in a file of its own. */
export function createObjectsFolder(): ObjectsFolder {
  const path = mkdtempSync(join(tmpdir(), "globalroute-objects-"));
  const write = (name: string, text: string): string => {
    const at = join(path, name);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
    return at;
  };
  for (const [name, text] of Object.entries(OBJECTS)) write(name, text);
  return { path, write, remove: () => rmSync(path, { recursive: true, force: true }) };
}

const head = (kind: string, name: string): string => `apiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

const OBJECTS: Readonly<Record<string, string>> = {
  "eu-west.yaml": `${head("MemberCluster", "eu-west")}spec: {location: {cloud: aws, region: eu-west-1}}\n`,
  "us-east.yaml": `${head("MemberCluster", "us-east")}spec: {location: {cloud: aws, region: us-east-1}}\n`,
  "zone.yaml": `${head("DNSZone", "example-org")}spec:
  domain: example.org
  owner: test
  provider: {type: Embedded, embedded: {nameservers: [ns1.example.net]}}
`,
  "shop.yaml": `${head("GlobalRoute", "shop")}spec:
  hosts: [shop.example.org]
  backends:
  - {name: eu, cluster: eu-west, addresses: [192.0.2.1]}
  - {name: us, cluster: us-east, addresses: [198.51.100.1]}
`,
};
