/** Our answers as BIND's dig reads them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { type RunningDns, startDns } from "../../support/dns-process.ts";
import { SERIAL } from "../../support/dns-world.ts";

describe.skipIf(!requireComponent("dns-clients", "dig"))("dig", () => {
  let dns: RunningDns;
  beforeAll(async () => {
    dns = await startDns();
  });
  afterAll(() => dns.server.stop());

  const soa = `example.org. 30 IN SOA ns1.example.org. hostmaster.example.org. ${SERIAL} 3600 600 1209600 30`;
  const cases: readonly {
    name: string;
    args: readonly string[];
    status?: string;
    flags?: readonly string[];
    answers?: readonly string[];
    authority?: readonly string[];
    subnet?: string;
  }[] = [
    { name: "a route", args: ["shop.example.org", "A"], answers: ["192.0.2.1"] },
    {
      name: "an HTTPS record with the client's addresses as hints",
      args: ["+subnet=198.51.100.7/32", "web.example.org", "HTTPS"],
      answers: ['1 . alpn="h2,http/1.1" ipv4hint=203.0.113.1 ipv6hint=2001:db8::31'],
      subnet: "198.51.100.7/32/24",
    },
    { name: "a route without HTTPS record", args: ["shop.example.org", "HTTPS"], authority: [soa] },
    { name: "over TCP", args: ["+tcp", "shop.example.org", "A"], answers: ["192.0.2.1"] },
    { name: "without EDNS", args: ["+noedns", "shop.example.org", "A"], answers: ["192.0.2.1"] },
    {
      name: "client subnet with its scope",
      args: ["+subnet=198.51.100.7/32", "shop.example.org"],
      answers: ["203.0.113.1"],
      subnet: "198.51.100.7/32/24",
    },
    {
      name: "client subnet of FAMILY 2",
      args: ["+subnet=2001:db8:beef::/56", "shop.example.org"],
      answers: ["203.0.113.1"],
      subnet: "2001:db8:beef::/56/48",
    },
    {
      name: "client subnet for AAAA over TCP",
      args: ["+tcp", "+subnet=198.51.100.0/24", "shop.example.org", "AAAA"],
      answers: ["2001:db8::31"],
      subnet: "198.51.100.0/24/24",
    },
    { name: "source 0", args: ["+subnet=0/0", "shop.example.org"], answers: ["192.0.2.1"], subnet: "0.0.0.0/0/0" },
    { name: "source 0 of FAMILY 2", args: ["+subnet=::/0", "shop.example.org"], answers: ["192.0.2.1"], subnet: "::/0/0" },
    {
      name: "a truncated answer, retried over TCP by dig itself",
      args: ["+bufsize=512", "large.example.org", "TXT"],
      answers: expect.objectContaining({ length: 40 }),
    },
    {
      name: "a truncated answer as such",
      args: ["+ignore", "+bufsize=4096", "large.example.org", "TXT"],
      flags: ["qr", "aa", "tc"],
      answers: [],
    },
    {
      name: "32 addresses in 1,232 bytes",
      args: ["+ignore", "+bufsize=1232", "many.example.org"],
      answers: expect.objectContaining({ length: 32 }),
    },
    { name: "ANY (RFC 8482)", args: ["+notcp", "shop.example.org", "ANY"], answers: ['"RFC8482" ""'] },
    { name: "0x20", args: ["sHoP.eXaMpLe.OrG"], answers: ["192.0.2.1"] },
    { name: "AAAA that the route does not offer: NODATA with SOA", args: ["v4only.example.org", "AAAA"], authority: [soa] },
    { name: "NXDOMAIN with SOA", args: ["no.example.org"], status: "NXDOMAIN", authority: [soa] },
    { name: "REFUSED", args: ["www.example.net"], status: "REFUSED", flags: ["qr"] },
    { name: "REFUSED for another class", args: ["version.bind", "CH", "TXT"], status: "REFUSED", flags: ["qr"] },
    { name: "a transfer is refused", args: ["example.org", "AXFR"], status: "", flags: [], answers: [] },
    {
      name: "EDNS version 1 is BADVERS",
      args: ["+edns=1", "+noednsnegotiation", "shop.example.org"],
      status: "BADVERS",
      flags: ["qr"],
    },
    { name: "an unknown option is ignored", args: ["+ednsopt=65001:abcd", "shop.example.org"], answers: ["192.0.2.1"] },
    { name: "a cookie is ignored", args: ["+cookie", "shop.example.org"], answers: ["192.0.2.1"] },
    { name: "opcode NOTIFY", args: ["+opcode=notify", "+noedns", "example.org", "SOA"], status: "NOTIMP", flags: ["qr"] },
    { name: "an alias", args: ["www.example.org", "CNAME"], answers: ["shop.example.org."] },
    { name: "MX", args: ["example.org", "MX"], answers: ["10 mail.example.org.", "20 mail.example.org."] },
    { name: "CAA", args: ["example.org", "CAA"], answers: ['0 issue "ca.example.net"'] },
    { name: "SRV", args: ["_sip._tcp.example.org", "SRV"], answers: ["0 5 5060 sip.example.org."] },
    {
      name: "a referral",
      args: ["www.child.example.org"],
      flags: ["qr"],
      authority: ["child.example.org. 300 IN NS ns.child.example.org.", "child.example.org. 300 IN NS ns.example.net."],
    },
  ];
  test.each(cases)("$name", async ({ args, status = "NOERROR", flags = ["qr", "aa"], answers = [], authority = [], subnet }) => {
    const reply = await dig(dns.v4, "+norecurse", "+nocookie", ...args);
    expect(reply, reply.text).toMatchObject({ status, flags, answers, authority, subnet });
    expect(reply.text).not.toMatch(/WARNING|malformed|FORMERR|mismatch/);
  });

  test("over IPv6", async () => {
    expect((await dig(dns.v6, "@::1", "+norecurse", "shop.example.org", "AAAA")).answers).toEqual(["2001:db8::e1"]);
    expect((await dig(dns.v6, "@::1", "+tcp", "+norecurse", "shop.example.org")).answers).toEqual(["192.0.2.1"]);
  });

  test("RD comes back, RA never", async () => {
    expect((await dig(dns.v4, "shop.example.org")).flags).toEqual(["qr", "aa", "rd"]);
  });

  test("SERVFAIL says why", async () => {
    const reply = await dig(dns.v4, "+norecurse", "nothing.example.org");
    expect(reply).toMatchObject({ status: "SERVFAIL", answers: [] });
    expect(reply.text).toContain("EDE: 0 (Other): (no backend may serve this client)");
  });

  test("several questions over one connection", async () => {
    const reply = await dig(
      dns.v4,
      "+tcp",
      "+keepopen",
      "+norecurse",
      "shop.example.org",
      "A",
      "+keepopen",
      "+tcp",
      "ns1.example.org",
      "A",
    );
    expect(reply.text).toMatch(/192\.0\.2\.1\n[\s\S]*192\.0\.2\.53\n/);
  });
});
