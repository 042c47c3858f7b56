/** The same server as dig and kdig read it: clients that share no code with us, nor with each other. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { requireComponent } from "../../support/component.ts";
import type { Conformance } from "../../support/conformance/suite.ts";
import { EAST, WEST } from "../../support/conformance/world.ts";

const run = promisify(execFile);

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly shows: readonly RegExp[];
}

const both: readonly Case[] = [
  { name: "a route", args: ["shop.example.org", "A"], shows: [/status: NOERROR/, new RegExp(`\\bA\\s+${EAST.v4}$`, "m")] },
  { name: "over TCP", args: ["+tcp", "shop.example.org", "AAAA"], shows: [new RegExp(`\\bAAAA\\s+${EAST.v6}$`, "m")] },
  {
    name: "client subnet and its scope (RFC 7871)",
    args: ["+subnet=198.51.100.7/32", "shop.example.org"],
    shows: [/CLIENT-SUBNET: 198\.51\.100\.7\/32\/26/, new RegExp(`\\bA\\s+${WEST.v4}$`, "m")],
  },
  {
    name: "client subnet of FAMILY 2",
    args: ["+subnet=2001:db8:beef::/56", "shop.example.org"],
    shows: [/CLIENT-SUBNET: 2001:db8:beef::\/56\/48/, new RegExp(`\\bA\\s+${WEST.v4}$`, "m")],
  },
  { name: "truncation, and the whole answer over TCP", args: ["+bufsize=512", "large.example.org", "TXT"], shows: [/ANSWER: 40/] },
  { name: "ANY (RFC 8482)", args: ["+notcp", "shop.example.org", "ANY"], shows: [/HINFO\s+"RFC8482" ""/] },
  { name: "NXDOMAIN with SOA (RFC 2308)", args: ["no.example.org"], shows: [/status: NXDOMAIN/, /example\.org\.\s+30\s+IN\s+SOA/] },
  {
    name: "a referral with glue",
    args: ["www.child.example.org"],
    shows: [/AUTHORITY: 2/, /ns\.child\.example\.org\.\s+300\s+IN\s+A\s+192\.0\.2\.54/],
  },
  { name: "NSID (RFC 5001)", args: ["+nsid", "shop.example.org"], shows: [/NSID: .*fra-1/] },
  { name: "HTTPS (RFC 9460)", args: ["web.example.org", "TYPE65"], shows: [/\b(HTTPS|TYPE65)\s+/] },
];

export function tools({ at }: Conformance): void {
  const server = (): readonly string[] => [`@${at().address}`, "-p", String(at().port)];

  describe.skipIf(!requireComponent("dns-clients", "dig"))("dig", () => {
    const own: readonly Case[] = [
      { name: "a cookie that is good (RFC 7873)", args: ["+cookie", "shop.example.org"], shows: [/COOKIE: [0-9a-f]{48} \(good\)/] },
      {
        name: "HTTPS parameters",
        args: ["web.example.org", "HTTPS"],
        shows: [new RegExp(`1 \\. alpn="h2,http/1\\.1" ipv4hint=${EAST.v4} ipv6hint=${EAST.v6}`)],
      },
      {
        name: "an extended error (RFC 8914)",
        args: ["nothing.example.org"],
        shows: [/status: SERVFAIL/, /EDE: 0 \(Other\): \(no backend may serve this client\)/],
      },
      { name: "version.bind (RFC 4892)", args: ["version.bind", "CH", "TXT"], shows: [/TXT\s+"a test"/] },
      { name: "BADVERS (RFC 6891)", args: ["+edns=1", "+noednsnegotiation", "shop.example.org"], shows: [/status: BADVERS/] },
    ];
    test.each([...both, ...own])("$name", async ({ args, shows }) => {
      const { stdout } = await run("dig", [...server(), "+norecurse", "+tries=1", "+time=3", ...args]);
      for (const pattern of shows) expect(stdout).toMatch(pattern);
      expect(stdout).not.toMatch(/malformed|mismatch|FORMERR/);
    });
  });

  describe.skipIf(!requireComponent("dns-clients", "kdig"))("kdig", () => {
    const own: readonly Case[] = [
      { name: "a cookie (RFC 7873)", args: ["+cookie", "shop.example.org"], shows: [/COOKIE: [0-9A-F]{16}/i] },
      { name: "DO is copied", args: ["+dnssec", "shop.example.org"], shows: [/flags: do/] },
      { name: "padding is passed over", args: ["+padding=128", "shop.example.org"], shows: [new RegExp(EAST.v4)] },
    ];
    test.each([...both, ...own])("$name", async ({ args, shows }) => {
      const { stdout, stderr } = await run("kdig", [...server(), "+norecurse", "+retry=0", "+timeout=3", "+edns", ...args]);
      for (const pattern of shows) expect(stdout).toMatch(pattern);
      expect(stdout + stderr).not.toMatch(/malformed|mismatch/i);
    });
  });
}
