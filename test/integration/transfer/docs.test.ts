/** The configurations in docs/zone-transfer.md, as those who run them read them. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requireComponent } from "../../support/component.ts";
import { runCli } from "../../support/run-cli.ts";
import { repository } from "../../support/source-tree.ts";

const run = promisify(execFile);
const page = readFileSync(join(repository, "docs/zone-transfer.md"), "utf8");
const block = (language: string): string => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page)![1]!;
const KEY = 'key "ns3.example.org" { algorithm hmac-sha256; secret "c2VjcmV0IG9mIHRoZSB0ZXN0cyBhbmQgb2Ygbm9ib2R5IGVsc2U="; };\n';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "zone-transfer-docs-"));
  writeFileSync(join(folder, "ns3.key"), KEY, { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true }));

test("ours is valid", async () => {
  writeFileSync(join(folder, "zone.yaml"), block("yaml").replaceAll("/etc/globalroute/keys/", ""));
  expect(await runCli(["validate", folder])).toMatchObject({ code: 0 });
});

test.skipIf(!requireComponent("bind", "named-checkconf"))("BIND's is", async () => {
  const path = join(folder, "named.conf");
  writeFileSync(path, block("bind").replace("/etc/bind", folder));
  await run("named-checkconf", [path]); // throws unless it ends with 0
});

test.skipIf(!requireComponent("knot", "knotc"))("Knot's is", async () => {
  const path = join(folder, "knot.conf");
  writeFileSync(path, block("knot"));
  expect((await run("knotc", ["-c", path, "conf-check"])).stdout).toContain("Configuration is valid");
});
