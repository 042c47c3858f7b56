/** Our keys, signatures and NSEC records in a zone file, as the tools of BIND and NLnet Labs read them. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canonicalOrder, compareNames } from "../../../src/dns/dnssec/canonical.ts";
import { publicHalf, readActiveKey } from "../../../src/dns/dnssec/key-file.ts";
import { encodeNsec } from "../../../src/dns/dnssec/nsec.ts";
import { createZoneSigner } from "../../../src/dns/dnssec/zone-signer.ts";
import { Type, typeName } from "../../../src/dns/wire/codes.ts";
import { formatRdata } from "../../../src/dns/wire/format-rdata.ts";
import { encodeName } from "../../../src/dns/wire/name.ts";
import { encodeRdata, encodeSoa } from "../../../src/dns/wire/rdata.ts";
import { readObjectsAt } from "../../../src/engine/read-objects.ts";
import type { StaticRecord, Zone } from "../../../src/model/inventory.ts";
import { requireComponent } from "../../support/component.ts";
import { createObjectsFolder } from "../../support/objects-folder.ts";
import { runCli } from "../../support/run-cli.ts";

const run = promisify(execFile);
const TTL = 300;

interface NamedSet {
  readonly owner: string;
  readonly type: number;
  readonly rdata: readonly Uint8Array[];
}

/** Every type that a zone here can hold, names in capitals, a wildcard, and delegations with and without DS. */
const RECORDS: readonly (readonly [string, StaticRecord["type"], ...string[]])[] = [
  ["example.org", "MX", "10 MAIL.example.org.", "5 mail.example.net."],
  ["example.org", "TXT", "v=spf1 -all", "Second"],
  ["example.org", "CAA", '0 issue "ca.example.net"'],
  ["ns1.example.org", "A", "192.0.2.53"],
  ["ns1.example.org", "AAAA", "2001:db8::53"],
  ["www.example.org", "CNAME", "Shop.Example.ORG."],
  ["shop.example.org", "A", "192.0.2.2", "192.0.2.1"],
  ["_sip._tcp.example.org", "SRV", "0 5 5060 SIP.example.org."],
  ["*.wild.example.org", "TXT", "any"],
  ["safe.example.org", "NS", "NS.example.net."],
  ["safe.example.org", "DS", `12345 13 2 ${"AB".repeat(32)}`],
  ["unsafe.example.org", "NS", "ns.unsafe.example.org."],
];

/** The zone with a chain of NSEC records, signed, as text. @param now seconds since the epoch */
function signedZone({ domain, soa, nameservers, dnssec }: Zone, now: number): string {
  const active = readActiveKey(dnssec!);
  if ("fault" in active) throw new Error(active.fault.message);
  const apex = encodeName(domain)!;
  const otherKeys = dnssec!.keys.filter(({ state }) => state !== "Active").map(publicHalf);
  const signer = createZoneSigner({ apex, key: active.value, otherKeys, delegation: "Secure", now });
  const sets: NamedSet[] = [
    { owner: domain, type: Type.SOA, rdata: [encodeSoa(soa, 7)!] },
    { owner: domain, type: Type.NS, rdata: nameservers.map((name) => encodeName(name)!) },
    ...signer.apexSets.map((set) => ({ ...set, owner: domain })),
    ...RECORDS.map(([owner, type, ...values]) => ({
      owner,
      type: Type[type],
      rdata: values.map((value) => {
        const encoded = encodeRdata(type, value, domain);
        if ("fault" in encoded) throw new Error(encoded.fault.message);
        return encoded.value;
      }),
    })),
  ];
  const names = [...new Set(sets.map(({ owner }) => owner))].sort((a, b) => compareNames(encodeName(a)!, encodeName(b)!));
  names.forEach((owner, i) => {
    const types = sets.filter((set) => set.owner === owner).map(({ type }) => type);
    const next = encodeName(names[(i + 1) % names.length]!)!;
    sets.push({ owner, type: Type.NSEC, rdata: [encodeNsec(next, [...types, Type.RRSIG, Type.NSEC])] });
  });
  const lines = sets.flatMap(({ owner, type, rdata }) => {
    const isDelegation = type === Type.NS && owner !== domain;
    const rrsig = isDelegation ? [] : [line(owner, Type.RRSIG, signer.sign(encodeName(owner)!, type, TTL, rdata))];
    return [...canonicalOrder(type, rdata).map((one) => line(owner, type, one)), ...rrsig];
  });
  return `${[...lines, "ns.unsafe.example.org. 300 IN A 192.0.2.99"].join("\n")}\n`;
}

const line = (owner: string, type: number, rdata: Uint8Array): string =>
  `${owner}. ${TTL} IN ${typeName(type)} ${formatRdata(rdata, type, 0, rdata.length)}`;

const present = ["dnssec-verify", "dnssec-dsfromkey", "ldns-verify-zone"].every((command) => requireComponent("dnssec-tools", command));

describe.skipIf(!present)("a zone signed with a key of globalroute dnssec keygen", () => {
  const folder = createObjectsFolder();
  const work = mkdtempSync(join(tmpdir(), "globalroute-zone-"));
  afterAll(() => {
    folder.remove();
    rmSync(work, { recursive: true });
  });
  const zoneFile = join(work, "zone");
  const reports: { readonly ds: string; readonly dnskey: string; readonly tag: number }[] = [];

  beforeAll(async () => {
    for (const file of ["one.pem", "two.pem"]) {
      const { stdout } = await runCli([
        "dnssec",
        "keygen",
        "--domain",
        "example.org",
        "--out",
        join(folder.path, file),
        "--output",
        "json",
      ]);
      reports.push(JSON.parse(stdout));
    }
    folder.write(
      "zone.yaml",
      `apiVersion: globalroute.dev/v1alpha1
kind: DNSZone
metadata: {name: example-org}
spec:
  domain: example.org
  provider:
    type: Embedded
    embedded:
      nameservers: [ns1.example.org, ns2.example.net]
      dnssec: {keys: [{name: one, file: one.pem}, {name: two, file: two.pem, state: Published}]}
`,
    );
    const { inventory, problems } = await readObjectsAt([folder.path]);
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    writeFileSync(zoneFile, signedZone(inventory.zones[0]!, Math.floor(Date.now() / 1000)));
  });

  test("BIND's dnssec-verify finds it fully signed", async () => {
    const { stdout, stderr } = await run("dnssec-verify", ["-z", "-o", "example.org", zoneFile]);
    expect(stdout + stderr).toMatch(/ECDSAP256SHA256/);
  });

  test("ldns-verify-zone finds it correct, its chain of NSEC included", async () => {
    const { stdout } = await run("ldns-verify-zone", ["-V", "3", zoneFile]);
    expect(stdout).toContain("Zone is verified and complete");
  });

  test("both notice one changed letter", async () => {
    const damaged = join(work, "damaged");
    writeFileSync(damaged, readFileSync(zoneFile, "utf8").replace("192.0.2.53", "192.0.2.54"));
    await expect(run("dnssec-verify", ["-z", "-o", "example.org", damaged])).rejects.toThrow();
    await expect(run("ldns-verify-zone", ["-V", "1", damaged])).rejects.toThrow();
  });

  test("dnssec-dsfromkey makes the DS that we print of the DNSKEY that we print", async () => {
    const keys = join(work, "keys");
    writeFileSync(keys, reports.map(({ dnskey }) => `${dnskey}\n`).join(""));
    const { stdout } = await run("dnssec-dsfromkey", ["-2", "-T", "3600", "-f", keys, "example.org"]);
    const theirs = stdout.trim().toLowerCase().split("\n");
    expect(theirs.sort()).toEqual(reports.map(({ ds }) => ds.toLowerCase()).sort());
  });

  test("the zone's CDS records are these DS records", () => {
    const cds = [...readFileSync(zoneFile, "utf8").matchAll(/^example\.org\. 300 IN CDS (.*)$/gm)].map(
      ([, value]) => `example.org. 3600 IN DS ${value}`,
    );
    expect(cds.sort()).toEqual(reports.map(({ ds }) => ds).sort());
  });
});
