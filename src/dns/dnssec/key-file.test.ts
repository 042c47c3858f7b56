import { generateKeyPairSync, sign, verify } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RFC_6605 } from "../../../test/support/zone-keys.ts";
import type { ZoneDnssec } from "../../model/inventory.ts";
import { makeKeyText, parseKey, publicHalf, publicKeyOf, readActiveKey, readKeyFile } from "./key-file.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "globalroute-keys-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string, mode = 0o600): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
};
const pem = (type: "sec1" | "pkcs8"): string => String(RFC_6605.privateKey().export({ type, format: "pem" }));
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
const ed25519 = generateKeyPairSync("ed25519").privateKey;
const { publicKey: spki, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

test("a key is read in both forms that OpenSSL writes", () => {
  for (const form of ["pkcs8", "sec1"] as const) {
    const read = parseKey(pem(form));
    expect("value" in read && publicKeyOf(read.value)).toEqual(RFC_6605.publicKey);
  }
});

test("new keys are keys, and each is another", () => {
  const [one, other] = [parseKey(makeKeyText()), parseKey(makeKeyText())];
  if ("fault" in one || "fault" in other) throw new Error("no key");
  expect(publicKeyOf(one.value)).toHaveLength(64);
  expect(publicKeyOf(one.value)).not.toEqual(publicKeyOf(other.value));
});

const encrypted = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" });
const wrong: readonly { name: string; text: string; says: string }[] = [
  { name: "nothing", text: "", says: "holds no private key" },
  { name: "some text", text: "hello", says: "holds no private key" },
  { name: "a public key", text: String(spki.export({ type: "spki", format: "pem" })), says: "holds no private key" },
  { name: "an encrypted key", text: String(encrypted), says: "is an encrypted key" },
  { name: "another curve", text: String(p384.export({ type: "pkcs8", format: "pem" })), says: "is a key of secp384r1" },
  { name: "another algorithm", text: String(ed25519.export({ type: "pkcs8", format: "pem" })), says: "is a key of ed25519" },
];
test.each(wrong)("$name is refused", ({ text, says }) => {
  expect(parseKey(text)).toMatchObject({ fault: { code: "dnssec-key", message: expect.stringContaining(says) } });
});

test("files: what is wrong with them has a code and a remedy", () => {
  expect(readKeyFile(join(folder, "none"))).toMatchObject({ fault: { code: "path-missing" } });
  expect(readKeyFile(folder)).toMatchObject({ fault: { code: "file-unreadable", message: "is no regular file" } });
  expect(readKeyFile(file("large", "x".repeat(70_000)))).toMatchObject({ fault: { code: "file-size" } });
  expect(readKeyFile(file("good", pem("pkcs8")))).toMatchObject({ warnings: [] });
  expect(readKeyFile(file("group", pem("pkcs8"), 0o640))).toMatchObject({ warnings: [] });
  expect(readKeyFile(file("open", pem("pkcs8"), 0o644))).toMatchObject({ warnings: [{ code: "file-exposed" }] });
});

const zoneWith = (path: string, publicKey = RFC_6605.publicKey): ZoneDnssec => ({
  delegation: "Secure",
  keys: [
    { name: "old", path: "/nowhere", state: "Retired", tag: 1, publicKey: "" },
    { name: "k", path, state: "Active", tag: RFC_6605.tag, publicKey: Buffer.from(publicKey).toString("base64") },
  ],
});

test("the active key is read with its private half, the others need no file", () => {
  const dnssec = zoneWith(file("active", pem("pkcs8")));
  const read = readActiveKey(dnssec);
  if ("fault" in read) throw new Error(read.fault.message);
  const { privateKey: secret, ...key } = read.value;
  expect(key).toEqual(publicHalf(dnssec.keys[1]!));
  expect(key).toMatchObject({ tag: RFC_6605.tag, flags: 257, algorithm: 13, state: "Active" });
  const data = Buffer.from("x");
  expect(verify("sha256", data, RFC_6605.privateKey(), sign("sha256", data, secret))).toBe(true);
});

test("a file that was replaced since is not signed with", () => {
  const read = readActiveKey(zoneWith(file("replaced", makeKeyText())));
  expect(read).toMatchObject({ fault: { code: "dnssec-key", message: expect.stringMatching(/replaced holds another key than/) } });
});

test("without its file the active key is a fault that names the path", () => {
  expect(readActiveKey(zoneWith("/nowhere/k.pem"))).toMatchObject({
    fault: { code: "path-missing", message: "/nowhere/k.pem does not exist" },
  });
  expect(readActiveKey({ delegation: "Secure", keys: [] })).toMatchObject({ fault: { code: "dnssec-active" } });
});
