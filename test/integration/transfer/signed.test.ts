/** A real server with a signed zone: what reaches a secondary is whole and valid, and serves validating resolvers without us. */
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { TsigKey } from "../../../src/dns/transfer/tsig.ts";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { freePort } from "../../support/free-port.ts";
import { runCli } from "../../support/run-cli.ts";
import { type Secondary, startKnot, startUnbound } from "../../support/secondary.ts";
import { type Server, startServer } from "../../support/serve.ts";

const run = promisify(execFile);
const KEY: TsigKey = {
  name: "copies.example.org",
  algorithm: "hmac-sha256",
  secret: new TextEncoder().encode("a secret of thirty-two bytes here"),
};
const secret = Buffer.from(KEY.secret).toString("base64");

const config = (ports: { readonly backend: number; readonly notify: number }): string => `
apiVersion: globalroute.dev/v1alpha1
kind: MemberCluster
metadata: {name: east}
spec: {location: {cloud: aws, region: us-east-1}}
---
apiVersion: globalroute.dev/v1alpha1
kind: MemberCluster
metadata: {name: west}
spec: {location: {cloud: aws, region: us-west-2}}
---
apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: shop}
spec:
  hosts: [shop.example.org, "*.apps.example.org"]
  backends:
  - {name: east, cluster: east, addresses: [127.0.31.1]}
  - {name: west, cluster: west, addresses: [127.0.31.2]}
  routing: {order: Weighted}
  health: {probe: {type: TCP, port: ${ports.backend}}, interval: 1s, timeout: 500ms, rise: 1, fall: 1}
---
apiVersion: globalroute.dev/v1alpha1
kind: DNSZone
metadata: {name: example-org}
spec:
  domain: example.org
  provider:
    type: Embedded
    embedded:
      nameservers: [ns1.example.org]
      records:
      - {name: ns1, type: A, values: [192.0.2.53]}
      - {name: "@", type: CAA, values: ['0 issue "ca.example.net"']}
      - {name: deep.ent, type: TXT, values: [text]}
      - {name: safe, type: NS, values: [ns.example.net.]}
      - {name: safe, type: DS, values: ["12345 13 2 ${"ab".repeat(32)}"]}
      - {name: unsafe, type: NS, values: [ns.unsafe.example.org.]}
      - {name: ns.unsafe, type: A, values: [192.0.2.54]}
      dnssec: {keys: [{name: one, file: example.org.key}]}
      transfer:
        keys: [{name: ${KEY.name}, file: copies.key}]
        allow: [{networks: [127.0.0.1], key: ${KEY.name}}]
        notify: [{address: 127.0.0.1, port: ${ports.notify}, key: ${KEY.name}}]
`;

const listen = async (host: string, port: number): Promise<TcpServer> => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return server;
};

describe.skipIf(!requireComponent("knot", "knotd") || !requireComponent("unbound", "unbound"))("a signed zone", () => {
  let folder: string;
  let server: Server;
  let knot: Secondary;
  let backends: TcpServer[];
  let ds: string;
  let restart: () => Promise<void>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "signed-copy-"));
    const objects = join(folder, "objects");
    mkdirSync(objects);
    const { stdout } = await runCli(["dnssec", "keygen", "--domain", "example.org", "--out", join(objects, "example.org.key")]);
    ds = /^.*\sDS\s.*$/m.exec(stdout)![0];
    writeFileSync(join(objects, "copies.key"), `key "${KEY.name}" {\n\talgorithm hmac-sha256;\n\tsecret "${secret}";\n};\n`);
    chmodSync(join(objects, "copies.key"), 0o600);
    const [backend, notify] = [await freePort(), await freePort()];
    backends = [await listen("127.0.31.1", backend), await listen("127.0.31.2", backend)];
    writeFileSync(join(objects, "objects.yaml"), config({ backend, notify }));
    restart = async () => {
      server = await startServer("--config", objects, "--state", join(folder, "state"), "--probe-allow", "127.0.31.0/24");
    };
    await restart();
    await vi.waitFor(async () => expect((await dig(server.dnsPort, "shop.example.org")).status).toBe("NOERROR"), { timeout: 10_000 });
    knot = startKnot({ port: notify, primary: server.dnsPort, key: KEY });
  });
  afterAll(async () => {
    await knot?.stop();
    await server?.stop();
    for (const backend of backends ?? []) backend.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const ourSerial = async (): Promise<number> => Number((await dig(server.dnsPort, "example.org", "SOA")).answers[0]!.split(" ")[2]);
  const equalSerials = (): Promise<void> =>
    vi.waitFor(async () => expect(await knot.serial()).toBe(await ourSerial()), { timeout: 15_000, interval: 200 });

  async function zoneFile(): Promise<string> {
    const { stdout } = await run("dig", ["@127.0.0.1", "-p", String(knot.port), "example.org", "AXFR", "+noall", "+answer", "+onesoa"]);
    const path = join(folder, "copy.zone");
    writeFileSync(path, stdout);
    return path;
  }

  test("the copy has the serial that we answer with", equalSerials);

  test.skipIf(!requireComponent("dnssec-tools", "dnssec-verify"))("dnssec-verify, ldns-verify-zone and kzonecheck accept it", async () => {
    const path = await zoneFile();
    expect((await run("dnssec-verify", ["-z", "-o", "example.org", path])).stdout).toContain("Zone fully signed");
    expect((await run("ldns-verify-zone", [path])).stdout).toContain("Zone is verified and complete");
    await run("kzonecheck", ["-o", "example.org", "-d", "on", path]); // throws unless it ends with 0
  });

  test("both backends are in it, and when one fails the copy says so within seconds, with a valid signature", async () => {
    const addresses = async (): Promise<readonly string[]> => (await dig(knot.port, "shop.example.org")).answers;
    await vi.waitFor(async () => expect(await addresses()).toEqual(["127.0.31.1", "127.0.31.2"]), { timeout: 15_000, interval: 200 });
    backends[0]!.close();
    await vi.waitFor(async () => expect(await addresses()).toEqual(["127.0.31.2"]), { timeout: 15_000, interval: 200 });
    await equalSerials();
    expect((await run("ldns-verify-zone", [await zoneFile()])).stdout).toContain("Zone is verified and complete");
    expect(knot.log()).toContain("IXFR, incoming");
    const metrics = await (await fetch(`${server.admin}/metrics`)).text();
    expect(metrics).toContain(`globalroute_zone_serial{zone="example.org"} ${await ourSerial()}`);
    expect(metrics).toMatch(/globalroute_zone_transfers_total\{zone="example.org",type="IXFR",result="sent"\} [1-9]/);
    expect(metrics).toMatch(/globalroute_zone_notify_total\{zone="example.org",result="acknowledged"\} [1-9]/);
    expect(server.log()).not.toContain(secret);
  });

  test("a restart keeps the serial, and the copy", async () => {
    const before = await ourSerial();
    const { dnsPort } = server;
    await server.stop();
    await restart();
    await vi.waitFor(async () => expect((await dig(server.dnsPort, "shop.example.org")).answers).toEqual(["127.0.31.2"]), {
      timeout: 15_000,
      interval: 200,
    });
    expect(await ourSerial()).toBe(before);
    expect(dnsPort).not.toBe(server.dnsPort);
  });

  test("Unbound, asking the copy alone, finds everything secure when we are gone", async () => {
    await server.stop();
    const unbound = await startUnbound({ zone: "example.org", authority: knot.port, anchor: ds });
    try {
      const ask = (...args: readonly string[]) => dig(unbound.port, ...args, "+dnssec");
      const secure = [
        { question: ["shop.example.org", "A"], status: "NOERROR", answers: ["127.0.31.2"] },
        { question: ["example.org", "CAA"], status: "NOERROR", answers: ['0 issue "ca.example.net"'] },
        { question: ["any.apps.example.org", "A"], status: "NOERROR", answers: ["127.0.31.2"] },
        { question: ["shop.example.org", "MX"], status: "NOERROR", answers: [] },
        { question: ["ent.example.org", "A"], status: "NOERROR", answers: [] },
        { question: ["nothing.example.org", "A"], status: "NXDOMAIN", answers: [] },
        { question: ["a.b.nothing.example.org", "A"], status: "NXDOMAIN", answers: [] },
        { question: ["safe.example.org", "DS"], status: "NOERROR", answers: [`12345 13 2 ${"AB".repeat(28)} ${"AB".repeat(4)}`] },
        { question: ["unsafe.example.org", "DS"], status: "NOERROR", answers: [] },
      ];
      for (const { question, status, answers } of secure) {
        const got = await ask(...question);
        const data = got.answers.filter((line) => !/^[A-Z]+ 13 /.test(line)); // without RRSIG
        expect({ question, status: got.status, isSecure: got.flags.includes("ad"), data }).toEqual({
          question,
          status,
          isSecure: true,
          data: answers,
        });
      }
    } finally {
      await unbound.stop();
    }
  });
});
