/** The bootstrap that the documentation gives, as Envoy itself reads it. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { builtCommand, requireComponent } from "../../support/component.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { readCertificates } from "../../support/tls/certificates.ts";

describe.skipIf(!requireComponent("envoy", "envoy"))("docs/proxy/envoy.yaml", () => {
  test("is a configuration, with certificates where it says", async () => {
    const folder = await tempFolder();
    const { ca, cert, key } = readCertificates();
    for (const [name, text] of Object.entries({ "ca.crt": ca, "tls.crt": cert, "tls.key": key })) writeFileSync(join(folder, name), text);
    const text = readFileSync(new URL("../../../docs/proxy/envoy.yaml", import.meta.url), "utf8");
    const file = join(folder, "envoy.yaml");
    writeFileSync(file, text.replaceAll("/etc/envoy", folder));
    const { status, stderr } = spawnSync(builtCommand("envoy"), ["--mode", "validate", "-c", file], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
  });
});
