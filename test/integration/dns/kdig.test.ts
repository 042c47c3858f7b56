/** Our answers as Knot's kdig reads them: a second opinion that shares nothing with BIND. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../../support/component.ts";
import { type RunningDns, startDns } from "../../support/dns-process.ts";

const run = promisify(execFile);

describe.skipIf(!requireComponent("dns-clients", "kdig"))("kdig", () => {
  let dns: RunningDns;
  beforeAll(async () => {
    dns = await startDns();
  });
  afterAll(() => dns.server.stop());

  async function kdig(...args: readonly string[]): Promise<string> {
    const { stdout, stderr } = await run("kdig", ["@127.0.0.1", "-p", String(dns.v4), "+norecurse", "+retry=0", "+timeout=3", ...args]);
    return stdout + stderr;
  }

  const cases: readonly { name: string; args: readonly string[]; shows: readonly RegExp[] }[] = [
    {
      name: "a route",
      args: ["+edns", "shop.example.org"],
      shows: [/status: NOERROR/, /Flags: qr aa; QUERY: 1; ANSWER: 1; AUTHORITY: 0/, /IN\s+A\s+192\.0\.2\.1/],
    },
    { name: "over TCP", args: ["+tcp", "shop.example.org", "AAAA"], shows: [/2001:db8::e1/, /\(TCP\)/] },
    {
      name: "client subnet",
      args: ["+subnet=198.51.100.7/32", "shop.example.org"],
      shows: [/CLIENT-SUBNET: 198\.51\.100\.7\/32\/24|CLIENT-SUBNET: 198\.51\.100\.7\/32\(24\)/, /203\.0\.113\.1/],
    },
    {
      name: "client subnet of FAMILY 2",
      args: ["+subnet=2001:db8:beef::/56", "shop.example.org"],
      shows: [/CLIENT-SUBNET: 2001:db8:beef::\/56\/48/, /203\.0\.113\.1/],
    },
    { name: "source 0", args: ["+subnet=0.0.0.0/0", "shop.example.org"], shows: [/CLIENT-SUBNET: 0\.0\.0\.0\/0\/0/, /192\.0\.2\.1/] },
    { name: "without EDNS", args: ["+noedns", "shop.example.org"], shows: [/192\.0\.2\.1/, /ADDITIONAL: 0/] },
    { name: "a truncated answer", args: ["+ignore", "+bufsize=512", "large.example.org", "TXT"], shows: [/Flags: qr aa tc/, /ANSWER: 0/] },
    { name: "and the whole one", args: ["+bufsize=512", "large.example.org", "TXT"], shows: [/ANSWER: 40/, /\(TCP\)/] },
    { name: "ANY", args: ["shop.example.org", "ANY"], shows: [/HINFO\s+"RFC8482" ""/] },
    {
      name: "AAAA that is not offered",
      args: ["v4only.example.org", "AAAA"],
      shows: [/status: NOERROR/, /ANSWER: 0; AUTHORITY: 1/, /example\.org\.\s+30\s+IN\s+SOA/],
    },
    { name: "NXDOMAIN", args: ["no.example.org"], shows: [/status: NXDOMAIN/, /example\.org\.\s+30\s+IN\s+SOA/] },
    { name: "REFUSED", args: ["www.example.net"], shows: [/status: REFUSED/] },
    { name: "the DO bit is copied", args: ["+dnssec", "shop.example.org"], shows: [/flags: do/, /192\.0\.2\.1/] },
    { name: "a transfer is refused", args: ["example.org", "AXFR"], shows: [/REFUSED/] },
    { name: "padding and an alignment option are ignored", args: ["+padding=128", "shop.example.org"], shows: [/192\.0\.2\.1/] },
  ];
  test.each(cases)("$name", async ({ args, shows }) => {
    const text = await kdig(...args).catch((error: unknown) => String(error));
    for (const pattern of shows) expect(text).toMatch(pattern);
    expect(text).not.toMatch(/WARNING: (?!.*REFUSED).*(malformed|mismatch)/i);
  });

  test("twenty questions pipelined over one connection", async () => {
    const names = Array.from({ length: 20 }, (_, i) => `n${i}.apps.example.org`);
    const text = await kdig("+tcp", "+keepopen", ...names);
    expect(text.match(/IN\s+A\s+192\.0\.2\.1$/gm)).toHaveLength(20);
  });
});
