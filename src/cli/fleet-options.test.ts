import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readCertificates } from "../../test/support/tls/certificates.ts";
import type { FleetTls } from "../proxy/envoy/fleet-tls.ts";
import { addFleetOptions, type FleetFlags, fleetOptions } from "./fleet-options.ts";
import { followXdsCertificates, readXdsCertificates } from "./xds-certificates.ts";

const CWD = "/srv";
const PEM = readCertificates();
const LOOPBACK = { address: "127.0.0.1", port: 18_000 };
const OUTSIDE = { address: "192.0.2.1", port: 18_000 };
const FILES = { xdsCert: "tls/cert.pem", xdsKey: "/key.pem", xdsClientCa: "ca.pem" };

test("nothing is told to anybody unless somebody says so", () => expect(fleetOptions({}, CWD)).toEqual({}));

test("Envoys may ask in the clear on a loopback address; elsewhere with certificates, or when the operator says so", () => {
  expect(fleetOptions({ xds: LOOPBACK }, CWD)).toEqual({ xds: { listen: LOOPBACK, flag: "--xds" } });
  expect(fleetOptions({ xds: OUTSIDE, xdsPlaintext: true }, CWD)).toEqual({ xds: { listen: OUTSIDE, flag: "--xds" } });
  expect(fleetOptions({ xds: OUTSIDE, ...FILES }, CWD)).toEqual({
    xds: { listen: OUTSIDE, flag: "--xds", files: { certificate: "/srv/tls/cert.pem", key: "/key.pem", clientCa: "/srv/ca.pem" } },
  });
});

const wrong: readonly { readonly name: string; readonly flags: FleetFlags; readonly told: RegExp }[] = [
  {
    name: "plain text for everybody",
    flags: { xds: OUTSIDE },
    told: /--xds 192\.0\.2\.1:18000 would tell everybody .* Give --xds-cert, --xds-key and --xds-client-ca/,
  },
  { name: "a certificate without its key", flags: { xds: OUTSIDE, xdsCert: "a", xdsClientCa: "b" }, told: /--xds-key is missing/ },
  { name: "a certificate alone", flags: { xds: OUTSIDE, xdsCert: "a" }, told: /--xds-key and --xds-client-ca are missing/ },
  { name: "plain text for nobody", flags: { xdsPlaintext: true }, told: /--xds-plaintext has no use without --xds/ },
  { name: "certificates for nobody", flags: FILES, told: /no use without --xds/ },
];
test.each(wrong)("refused: $name", ({ flags, told }) => expect(() => fleetOptions(flags, CWD)).toThrow(told));

test.each(["/run/globalroute", "/srv/h-1/a.b"])("a folder for HAProxies: %s", (folder) => {
  const command = addFleetOptions(new Command()).exitOverride();
  command.parse(["--haproxy-dir", folder], { from: "user" });
  expect(fleetOptions(command.opts<FleetFlags>(), CWD)).toEqual({ haproxyFolder: folder });
});

test.each(["run", "/", "/run/", "/run/../etc", "/run/my haproxy", "/run/$HOME", "/run//x", "/run/'x'"])(
  "no folder for HAProxies: %s",
  (folder) => {
    const command = addFleetOptions(new Command())
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    expect(() => command.parse(["--haproxy-dir", folder], { from: "user" })).toThrow("Write an absolute path");
  },
);

describe("certificates in files", () => {
  let folder: string;
  const files = () => ({ certificate: join(folder, "cert"), key: join(folder, "key"), clientCa: join(folder, "ca") });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
    for (const [name, file] of Object.entries(files()))
      writeFileSync(file, { certificate: PEM.cert, key: PEM.key, clientCa: PEM.ca }[name]!);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("are read, and one that is not there is told with its option", () => {
    expect(readXdsCertificates(files()).key.toString()).toBe(PEM.key);
    rmSync(join(folder, "key"));
    expect(() => readXdsCertificates(files())).toThrow(/--xds-key: .*key cannot be read/);
  });

  test.each<readonly [string, string, string, RegExp]>([
    ["no PEM", "cert", "junk", /--xds-cert .*cert and --xds-key .*key are no certificate and its key \(.*no start line\)/],
    ["another key", "key", PEM.otherKey, /are no certificate and its key \(.*mismatch/],
    ["a key as authorities", "ca", PEM.key, /--xds-client-ca .*ca: it holds no certificate\. Name a PEM file/],
  ])("that hold something else are told with their options: %s", (_, file, text, told) => {
    writeFileSync(join(folder, file), text);
    expect(() => readXdsCertificates(files())).toThrow(told);
  });

  test("are read again when they change; what cannot be used is told once, and those before count on", () => {
    const renewed: string[] = [];
    const troubles: unknown[] = [];
    let tick = (): void => {};
    let changes = 0;
    const end = followXdsCertificates(files(), {
      every: (_, callback) => {
        tick = callback;
        return () => renewed.push("ended");
      },
      renew({ certificate }: FleetTls) {
        renewed.push(certificate.toString());
      },
      onChange: () => changes++,
      onTrouble: (error) => troubles.push(error),
    });
    tick();
    expect(renewed).toEqual([]);
    writeFileSync(join(folder, "cert"), "half");
    tick();
    tick();
    expect([renewed, troubles.length, changes]).toEqual([[], 1, 0]);
    writeFileSync(join(folder, "cert"), `${PEM.cert}\n`);
    tick();
    tick();
    expect([renewed, troubles.length, changes]).toEqual([[`${PEM.cert}\n`], 1, 1]);
    end();
    expect(renewed.at(-1)).toBe("ended");
  });
});
