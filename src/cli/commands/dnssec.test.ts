import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { runCli } from "../../../test/support/run-cli.ts";
import { RFC_6605 } from "../../../test/support/zone-keys.ts";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "globalroute-dnssec-"));
  writeFileSync(join(cwd, "rfc6605.pem"), RFC_6605.privateKey().export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
});
afterAll(() => rmSync(cwd, { recursive: true }));

const dnssec = (...args: readonly string[]) => runCli(["dnssec", ...args], { cwd });

test("ds prints the records of RFC 6605 §6.1", async () => {
  const { code, stdout, stderr } = await dnssec("ds", "--key", "rfc6605.pem", "--domain", "Example.NET.");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toBe(
    `example.net. 3600 IN DS 55648 13 2 ${RFC_6605.digest}\nexample.net. 3600 IN DNSKEY 257 3 13 ${Buffer.from(RFC_6605.publicKey).toString("base64")}\n`,
  );
});

test("keygen makes a key of its own for its owner alone, and tells what to do with it", async () => {
  const first = await dnssec("keygen", "--domain", "example.org", "--output", "json");
  const made = JSON.parse(first.stdout);
  expect(made).toMatchObject({ domain: "example.org", file: `example.org-${made.tag}.pem`, algorithm: 13 });
  expect(made.ds).toMatch(new RegExp(`^example\\.org\\. 3600 IN DS ${made.tag} 13 2 [0-9a-f]{64}$`));
  const path = join(cwd, made.file);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, "utf8")).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  const again = await dnssec("ds", "--key", made.file, "--domain", "example.org", "--output", "yaml");
  expect(parse(again.stdout)).toEqual(made);

  const { stdout } = await dnssec("keygen", "--domain", "example.org", "--out", "other.pem");
  expect(stdout).toMatch(/^example\.org\. 3600 IN DS \d+ 13 2 /);
  expect(stdout).toContain(`file: ${join(cwd, "other.pem")}}`);
  expect(stdout).toContain("Give the DS record to the parent zone");
  expect(stdout).not.toContain(made.ds);
});

test("keygen leaves an existing file alone", async () => {
  writeFileSync(join(cwd, "there.pem"), "precious");
  const { code, stdout, stderr } = await dnssec("keygen", "--domain", "example.org", "--out", "there.pem");
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("there.pem exists already. Name another file with --out");
  expect(readFileSync(join(cwd, "there.pem"), "utf8")).toBe("precious");
});

test("keygen tells why it cannot write", async () => {
  const { code, stderr } = await dnssec("keygen", "--domain", "example.org", "--out", "no/such/folder/k.pem");
  expect(code).toBe(1);
  expect(stderr).toContain("Name a file in a folder that is there and writable.");
});

test("a key that others can read is told of, and read", async () => {
  writeFileSync(join(cwd, "open.pem"), readFileSync(join(cwd, "rfc6605.pem")), { mode: 0o644 });
  const { code, stdout, stderr } = await dnssec("ds", "--key", "open.pem", "--domain", "example.net");
  expect(code).toBe(0);
  expect(stdout).toContain("55648");
  expect(stderr).toMatch(/^open\.pem: warning: may be read by every user\. .*\[file-exposed\]\n$/);
});

test.each([
  { name: "no file", args: ["ds", "--key", "none.pem", "--domain", "example.org"], says: "none.pem does not exist" },
  {
    name: "no key",
    args: ["ds", "--key", "there.pem", "--domain", "example.org"],
    says: "there.pem holds no private key in PEM. Make one with",
  },
  { name: "no domain", args: ["keygen"], says: "--domain" },
  { name: "a malformed domain", args: ["keygen", "--domain", "example..org"], says: "Write a domain such as example.org." },
])("$name is bad usage", async ({ args, says }) => {
  const { code, stderr } = await dnssec(...args);
  expect(code).toBe(2);
  expect(stderr).toContain(says);
});
