/** The command itself: usage, folders, output. What it looks at is in src/dns/check and test/integration/check-zone.test.ts. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { decode, encode } from "dns-packet";
import { afterEach, describe, expect, test } from "vitest";
import { createObjectsFolder, type ObjectsFolder } from "../../../test/support/objects-folder.ts";
import { runCli } from "../../../test/support/run-cli.ts";
import type { ZoneCheck } from "../../dns/check/check-zone.ts";
import { renderCheck } from "./check-zone.ts";

const open: Socket[] = [];
const folders: ObjectsFolder[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
  for (const folder of folders.splice(0)) folder.remove();
});

/** A parent's server by UDP alone, which has never heard of the zone. */
async function parentWithout(): Promise<string> {
  const socket = createSocket("udp4");
  open.push(socket);
  socket.on("message", (message, from) => {
    const { id = 0, questions = [] } = decode(message);
    socket.send(encode({ type: "response", id, flags: 0x8403, questions }), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return `127.0.0.1:${socket.address().port}`;
}

function objects(): string {
  const folder = createObjectsFolder();
  folders.push(folder);
  return folder.path;
}

test("a zone that nobody delegates exits 1 and names the step", async () => {
  const { code, stdout, stderr } = await runCli([
    "check",
    "zone",
    "Example.org.",
    "--parent",
    await parentWithout(),
    "--config",
    objects(),
  ]);
  expect(stderr).toBe("");
  expect(code).toBe(1);
  expect(stdout).toMatch(/^✗ parent {9}127\.0\.0\.1:\d+ of the parent of example\.org does not delegate example\.org \(NXDOMAIN\)\n/);
  expect(stdout).toMatch(/^ {17}→ At the parent of example\.org or the registrar, add `example\.org\. NS ns1\.example\.net\.`\.$/m);
  expect(stdout).toMatch(/^– serials .*\n {17}→ Mend step answers/m);
  expect(stdout).toMatch(/\nexample\.org is not reached as it should be: parent\n$/);
});

test.each(["json", "yaml"])("in %s", async (output) => {
  const { code, stdout } = await runCli(["check", "zone", "example.org", "--parent", await parentWithout(), "--output", output]);
  expect(code).toBe(1);
  if (output === "yaml") expect(stdout).toMatch(/^zone: example\.org\nok: false\nsteps:\n {2}- name: parent\n {4}status: failed\n/);
  else
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ zone: "example.org", ok: false },
      steps: [
        { name: "parent", status: "failed", facts: [expect.any(String)], remedy: expect.any(String) },
        ...["nameservers", "glue", "answers", "serials", "dnssec", "client-subnet", "ttls", "hosts"].map((name) => ({
          name,
          status: "skipped",
        })),
      ],
    });
});

describe("bad usage and bad input exit 2", () => {
  test.each([
    { name: "a domain that is none", args: ["exa mple"], says: /Write a domain/ },
    { name: "a resolver with a name", args: ["example.org", "--resolver", "localhost"], says: /Write an address/ },
    { name: "a parent with a port out of range", args: ["example.org", "--parent", "192.0.2.1:70000"], says: /Write an address/ },
    { name: "a port that is none", args: ["example.org", "--port", "dns"], says: /1 to 65535/ },
    { name: "a wait that is none", args: ["example.org", "--settle", "soon"], says: /settle/ },
  ])("$name", async ({ args, says }) => {
    const { code, stdout, stderr } = await runCli(["check", "zone", ...args]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(says);
  });

  test("a zone that the folder does not have", async () => {
    const { code, stderr } = await runCli(["check", "zone", "exmple.org", "--config", objects()]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/has no DNSZone of exmple\.org\. Did you mean example\.org\? It has: example\.org\.\n$/);
  });

  test("a folder with errors", async () => {
    const folder = objects();
    folders.at(-1)!.write("broken.yaml", "apiVersion: globalroute.dev/v1alpha1\nkind: GlobalRoute\nmetadata: {name: broken}\nspec: {}\n");
    const { code, stderr } = await runCli(["check", "zone", "example.org", "--config", folder]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/has errors.*\n.*broken\.yaml/);
  });
});

test("--help shows an example", async () => {
  const { code, stdout } = await runCli(["check", "zone", "--help"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/Examples:\n {2}globalroute check zone example\.org\n/);
});

test("the list of a doctor: a mark, facts one below the other, the way out, a verdict", () => {
  const plain = (_style: string, text: string): string => text;
  const steps: ZoneCheck["steps"] = [
    { name: "parent", status: "ok", facts: ["it delegates"] },
    { name: "client-subnet", status: "warning", facts: ["one fact", "another fact"], remedy: "Do this." },
  ];
  expect(renderCheck({ zone: "example.org", ok: true, steps }, plain)).toEqual([
    "✓ parent         it delegates",
    "! client-subnet  one fact",
    "                 another fact",
    "                 → Do this.",
    "",
    "example.org is reached; look at: client-subnet",
  ]);
  expect(renderCheck({ zone: "example.org", ok: true, steps: steps.slice(0, 1) }, plain).at(-1)).toBe(
    "example.org is reached as it should be",
  );
});
