import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { onPath } from "../../../test/support/component.ts";
import { parseTsigKey } from "./key-file.ts";

const SECRET = "c2VjcmV0IG9mIHRoZSB0ZXN0cyBhbmQgb2Ygbm9ib2R5IGVsc2U=";
const WANTED = { name: "copies.example.org", algorithm: "hmac-sha256" } as const;

test.each([
  ["as tsig-keygen prints it", `key "copies.example.org" {\n\talgorithm hmac-sha256;\n\tsecret "${SECRET}";\n};\n`],
  ["without quotes, in one line", `key copies.example.org { algorithm HMAC-SHA256; secret ${SECRET}; };`],
  [
    "as keymgr -t prints it",
    `# hmac-sha256:copies.example.org:${SECRET}\nkey:\n  - id: copies.example.org.\n    algorithm: hmac-sha256\n    secret: ${SECRET}\n`,
  ],
  ["with a dot and in capitals", `key "Copies.Example.ORG." { algorithm hmac-sha256; secret "${SECRET}"; };`],
  ["the secret alone", `${SECRET}\n`],
])("%s", (_name, text) => {
  const key = parseTsigKey(text, WANTED);
  expect(key).toMatchObject({ value: WANTED });
  if ("value" in key) expect(Buffer.from(key.value.secret).toString("base64")).toBe(SECRET);
});

test.each([
  ["nothing", "", "holds no TSIG secret"],
  ["a clause without secret", 'key "copies.example.org" { algorithm hmac-sha256; };', "holds no TSIG secret"],
  ["two words", "not base64", "holds no TSIG secret"],
  ["another key", `key "other.example.org" { algorithm hmac-sha256; secret "${SECRET}"; };`, "is of the key other.example.org"],
  ["another algorithm", `key "copies.example.org" { algorithm hmac-md5; secret "${SECRET}"; };`, "is for hmac-md5"],
  ["eight bytes", "MTIzNDU2Nzg=", "has a secret of 8 bytes, which can be guessed"],
])("%s is refused, and no message holds the secret", (_name, text, message) => {
  const key = parseTsigKey(text, WANTED);
  expect(key).toMatchObject({ fault: { code: "transfer-key", message } });
  expect(JSON.stringify(key)).not.toContain("MTIz");
  expect(JSON.stringify(key)).not.toContain("c2Vj");
});

test.skipIf(!onPath("tsig-keygen"))("what tsig-keygen makes here is read", () => {
  const text = execFileSync("tsig-keygen", ["-a", "hmac-sha256", WANTED.name], { encoding: "utf8" });
  expect(parseTsigKey(text, WANTED)).toMatchObject({ value: WANTED });
});
