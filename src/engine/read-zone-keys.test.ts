/** Keys of signed zones, from the objects and files of a folder to the inventory. */
import { createPrivateKey } from "node:crypto";
import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createObjectsFolder, type ObjectsFolder } from "../../test/support/objects-folder.ts";
import { RFC_6605 } from "../../test/support/zone-keys.ts";
import { makeKeyText, publicKeyOf } from "../dns/dnssec/key-file.ts";
import { zoneKey } from "../dns/dnssec/zone-key.ts";
import { fileStamp } from "../dns/secret-file.ts";
import { formatProblem } from "../model/problem.ts";
import { readObjectsAt } from "./read-objects.ts";

let folder: ObjectsFolder;
beforeEach(() => {
  folder = createObjectsFolder();
});
afterEach(() => folder.remove());

const RFC_KEY = String(RFC_6605.privateKey().export({ type: "pkcs8", format: "pem" }));

/** Writes the zone with these keys, one a line from line 9 on, and a file for each text given. */
function zoneWith(keys: readonly string[], files: Readonly<Record<string, string>> = {}, more = ""): void {
  for (const [name, text] of Object.entries(files)) chmodSync(folder.write(name, text), 0o600);
  const lines = keys.map((key) => `        - {${key}}\n`).join("");
  folder.write(
    "zones/zone.yaml",
    `apiVersion: globalroute.dev/v1alpha1
kind: DNSZone
metadata: {name: example-org}
spec:
  domain: example.org
  provider:
    type: Embedded
    embedded:
      nameservers: [ns1.example.net]
      dnssec:
${more}        keys:
${lines}`,
  );
  rmSync(join(folder.path, "zone.yaml"), { force: true });
}
const read = async () => {
  const { inventory, problems, dependsOn } = await readObjectsAt([folder.path]);
  return { zones: inventory.zones, problems: problems.map((problem) => formatProblem(problem).replaceAll(folder.path, "DIR")), dependsOn };
};

test("the inventory has path, state and the public half, and nothing of the private one", async () => {
  zoneWith(["name: k1, file: ../keys/k1.pem", "name: k2, file: k2.pem, state: Published"], {
    "keys/k1.pem": RFC_KEY,
    "zones/k2.pem": makeKeyText(),
  });
  const { zones, problems, dependsOn } = await read();
  expect(problems).toEqual([]);
  expect(zones[0]!.dnssec).toMatchObject({
    delegation: "Secure",
    keys: [
      {
        name: "k1",
        path: join(folder.path, "keys/k1.pem"),
        state: "Active",
        tag: RFC_6605.tag,
        publicKey: Buffer.from(RFC_6605.publicKey).toString("base64"),
      },
      { name: "k2", path: join(folder.path, "zones/k2.pem"), state: "Published" },
    ],
  });
  const secret = RFC_KEY.split("\n")[1]!;
  expect(JSON.stringify(zones)).not.toContain(secret.slice(0, 20));
  expect(Object.keys(zones[0]!.dnssec!.keys[0]!).sort()).toEqual(["name", "path", "publicKey", "state", "tag"]);
  expect(dependsOn).toEqual(
    ["keys/k1.pem", "zones/k2.pem"].map((name) => ({ path: join(folder.path, name), stamp: fileStamp(join(folder.path, name)) })),
  );
});

test("an absolute path stays what it is; delegation is read", async () => {
  const path = folder.write("k.pem", RFC_KEY);
  chmodSync(path, 0o600);
  zoneWith([`name: k, file: ${path}`], {}, "        delegation: Insecure\n");
  expect((await read()).zones[0]!.dnssec).toMatchObject({ delegation: "Insecure", keys: [{ path }] });
});

test("a zone without dnssec is as it was, and depends on nothing", async () => {
  const { zones, dependsOn } = await read();
  expect(zones[0]).not.toHaveProperty("dnssec");
  expect(dependsOn).toEqual([]);
});

const KEY = "DNSZone example-org spec.provider.embedded.dnssec.keys";
const wrong: readonly { name: string; keys: readonly string[]; says: string }[] = [
  {
    name: "a missing file",
    keys: ["name: k, file: none.pem"],
    says: `DIR/zones/zone.yaml:12:27: error: ${KEY}[0].file: "DIR/zones/none.pem" does not exist. `,
  },
  {
    name: "no key in it",
    keys: ["name: k, file: text.pem"],
    says: `zone.yaml:12:27: error: ${KEY}[0].file: "DIR/zones/text.pem" holds no private key in PEM. `,
  },
  {
    name: "one key twice",
    keys: ["name: k, file: a.pem", "name: l, file: copy.pem, state: Published"],
    says: `zone.yaml:13:27: error: ${KEY}[1].file: DIR/zones/copy.pem holds the same key as k. Make another`,
  },
  {
    name: "no active key",
    keys: ["name: k, file: a.pem, state: Retired"],
    says: `zone.yaml:12:9: error: ${KEY}: no key is Active, so nothing signs the zone. `,
  },
  {
    name: "two active keys",
    keys: ["name: k, file: a.pem", "name: l, file: b.pem"],
    says: `error: ${KEY}[1].state: k is Active already, and one key signs a zone. Write state: Published`,
  },
  { name: "one name twice", keys: ["name: k, file: a.pem", "name: k, file: b.pem, state: Retired"], says: "[name-duplicate]" },
  { name: "no keys", keys: [], says: "[field-" },
  {
    name: "five keys",
    keys: [0, 1, 2, 3, 4].map((i) => `name: k${i}, file: a.pem, state: ${i === 0 ? "Active" : "Retired"}`),
    says: `${KEY}: `,
  },
];
test.each(wrong)("$name is an error in its line, and the zone is left out", async ({ keys, says }) => {
  zoneWith(keys, { "zones/a.pem": RFC_KEY, "zones/copy.pem": RFC_KEY, "zones/b.pem": makeKeyText(), "zones/text.pem": "no key" });
  const { zones, problems } = await read();
  expect(problems.join("\n")).toContain(says);
  expect(zones).toEqual([]);
});

test("two keys of one tag are refused: validators would have to try both (RFC 4034 appendix B)", async () => {
  const byTag = new Map<number, string>();
  let pair: readonly [string, string] | undefined;
  while (pair === undefined) {
    const text = makeKeyText();
    const { tag } = zoneKey(publicKeyOf(createPrivateKey(text)), "Active");
    const other = byTag.get(tag);
    if (other !== undefined) pair = [other, text];
    byTag.set(tag, text);
  }
  zoneWith(["name: k, file: a.pem", "name: l, file: b.pem, state: Published"], { "zones/a.pem": pair[0], "zones/b.pem": pair[1] });
  expect((await read()).problems).toEqual([expect.stringMatching(/b\.pem has the key tag \d+, as has k\. Make another key/)]);
});

test("a key that every user can read is a warning, and is used", async () => {
  zoneWith(["name: k, file: a.pem"], { "zones/a.pem": RFC_KEY });
  chmodSync(join(folder.path, "zones/a.pem"), 0o604);
  const { zones, problems } = await read();
  expect(problems).toEqual([
    `DIR/zones/zone.yaml:12:27: warning: ${KEY}[0].file: DIR/zones/a.pem may be read by every user. Run chmod o-rwx DIR/zones/a.pem. [file-exposed]`,
  ]);
  expect(zones).toHaveLength(1);
});

test("a missing key is depended on too: its file may come", async () => {
  zoneWith(["name: k, file: none.pem"]);
  expect((await read()).dependsOn).toEqual([{ path: join(folder.path, "zones/none.pem"), stamp: "-" }]);
});
