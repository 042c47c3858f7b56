import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createObjectsFolder, type ObjectsFolder } from "../../test/support/objects-folder.ts";
import { formatProblem } from "../model/problem.ts";
import { readObjectsAt } from "./read-objects.ts";

const SECRET = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBhbmQgb2Ygbm9ib2R5IGVsc2U=";

let folder: ObjectsFolder;
beforeEach(() => {
  folder = createObjectsFolder();
});
afterEach(() => folder.remove());

/** @param transfer lines below `transfer:`, of which the first is line 14 of the file */
function writeZone(transfer: string, name = "example-org", domain = "example.org", file = "zone.yaml"): void {
  folder.write(
    file,
    `apiVersion: globalroute.dev/v1alpha1
kind: DNSZone
metadata: {name: ${name}}
spec:
  domain: ${domain}
  provider:
    type: Embedded
    embedded:
      nameservers: [ns1.example.net]
      records: []
      # a comment
      # another
      transfer:
${transfer}
`,
  );
}

function writeKey(path: string, text = `${SECRET}\n`, mode = 0o600): void {
  chmodSync(folder.write(path, text), mode);
}

/** What is said of the folder, each as `line severity code message`. */
async function problems(): Promise<readonly string[]> {
  const read = await readObjectsAt([folder.path]);
  return read.problems.map(
    ({ line, severity, code, message }) => `${line} ${severity} ${code} ${message.replaceAll(folder.path, "FOLDER")}`,
  );
}

test("keys, networks and targets reach the inventory; paths are absolute, secrets are not in it", async () => {
  writeKey("keys/copies.key");
  writeZone(`        keys: [{name: copies.example.org, file: keys/copies.key}]
        allow: [{networks: [192.0.2.7, "2001:db8::/32"], key: copies.example.org}, {networks: [198.51.100.0/24]}]
        notify: [{address: 192.0.2.7, key: copies.example.org}, {address: "2001:DB8::9", port: 5353}]`);
  const read = await readObjectsAt([folder.path]);
  expect(read.problems).toEqual([]);
  expect(read.inventory.zones[0]!.transfer).toEqual({
    keys: [{ name: "copies.example.org", algorithm: "hmac-sha256", path: join(folder.path, "keys/copies.key") }],
    allow: [{ networks: ["192.0.2.7/32", "2001:db8::/32"], key: "copies.example.org" }, { networks: ["198.51.100.0/24"] }],
    notify: [
      { address: "192.0.2.7", port: 53, key: "copies.example.org" },
      { address: "2001:db8::9", port: 5353 },
    ],
  });
  expect(JSON.stringify(read.inventory)).not.toContain(SECRET);
  expect(read.dependsOn?.map(({ path }) => path)).toEqual([join(folder.path, "keys/copies.key")]);
});

const wrong: readonly { name: string; transfer: string; says: readonly string[] }[] = [
  {
    name: "a file that is not there",
    transfer: "        keys: [{name: k, file: none.key}]\n        allow: [{key: k}]",
    says: ['14 error path-missing "FOLDER/none.key" does not exist'],
  },
  {
    name: "a key that the list does not have",
    transfer:
      "        keys: [{name: k, file: good.key}]\n        allow: [{key: other}]\n        notify: [{address: 192.0.2.1, key: third}]",
    says: [
      "15 error transfer-key other is no key of this zone: keys has k",
      "16 error transfer-key third is no key of this zone: keys has k",
    ],
  },
  {
    name: "an entry that lets everybody in unsaid",
    transfer: "        allow: [{}]",
    says: ["14 error transfer-open names nobody in particular"],
  },
  {
    name: "an entry that lets everybody in in so many words: a warning",
    transfer: "        allow: [{networks: [0.0.0.0/0]}]",
    says: ["14 warning transfer-open lets everybody take the whole zone"],
  },
  {
    name: "a name for an address",
    transfer: "        allow: [{networks: [192.0.2.1]}]\n        notify: [{address: ns2.example.net}]",
    says: ['15 error address-syntax "ns2.example.net" is not an IP address'],
  },
  {
    name: "bits behind a prefix",
    transfer: "        allow: [{networks: [192.0.2.1/24]}]",
    says: ['14 error field-format "192.0.2.1/24" has bits set behind its prefix length'],
  },
  { name: "nobody at all", transfer: "        allow: []", says: ["14 error field-range has 0 entries, and at least 1 is allowed"] },
];
test.each(wrong)("$name", async ({ transfer, says }) => {
  writeKey("good.key");
  writeZone(transfer);
  const told = (await problems()).filter((line) => !line.includes("host-without-zone"));
  expect(told).toEqual(says);
});

test("a secret that every user may read is a warning; one that is none is an error, and neither shows it", async () => {
  writeKey("open.key", `${SECRET}\n`, 0o644);
  writeKey("short.key", "c2hvcnQ=\n");
  writeZone("        keys: [{name: a, file: open.key}, {name: b, file: short.key}]\n        allow: [{key: a}, {key: b}]");
  const read = await readObjectsAt([folder.path]);
  const told = read.problems.map(formatProblem).join("\n");
  expect(told).toMatch(/zone\.yaml:14:\d+: warning: .*open\.key may be read by every user/);
  expect(told).toMatch(/zone\.yaml:14:\d+: error: .*short\.key" has a secret of 5 bytes/);
  for (const secret of [SECRET, "c2hvcnQ="]) expect(told).not.toContain(secret);
});

test("two zones may share a key, but not its name alone", async () => {
  writeKey("one.key");
  writeKey("two.key", Buffer.from("another secret of the tests").toString("base64"));
  writeZone("        keys: [{name: k, file: one.key}]\n        allow: [{key: k}]");
  writeZone("        keys: [{name: k, file: one.key}]\n        allow: [{key: k}]", "com", "example.com", "zone2.yaml");
  expect(await problems()).toEqual([]);
  writeZone("        keys: [{name: k, file: two.key}]\n        allow: [{key: k}]", "com", "example.com", "zone2.yaml");
  expect(await problems()).toEqual([
    "14 error transfer-key k is another key here than in DNSZone example-org, and requests tell keys apart by name",
  ]);
});
