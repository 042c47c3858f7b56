/** RFC 7871, Client subnet in DNS queries. */
import { expect, test } from "vitest";
import { Rcode, Type } from "../../../src/dns/wire/codes.ts";
import { type Conformance, nextId, subnet } from "../../support/conformance/suite.ts";
import { EAST, WEST } from "../../support/conformance/world.ts";
import { hex } from "../../support/hex.ts";

/** shop.example.org A with one OPT that holds these options. */
function withOptions(options: string): Uint8Array {
  const data = hex(options);
  const length = data.length.toString(16).padStart(4, "0");
  const rest = hex(`04 73686f70 07 6578616d706c65 03 6f7267 00 0001 0001 00 0029 04d0 00 00 0000 ${length} ${options}`);
  return Uint8Array.from([...[nextId(), 0, 1, 0, 0, 1].flatMap((word) => [word >> 8, word & 0xff]), ...rest]);
}

export function rfc7871({ ask, send }: Conformance): void {
  const shop = (text: string, type: number = Type.A) => ask({ name: "shop.example.org", type, edns: subnet(text) });

  test.each([
    { subnet: "198.51.100.7/32", data: WEST.v4, scope: 26, why: "a rule's network, up to the other one inside" },
    { subnet: "198.51.100.128/25", data: WEST.v4, scope: 25, why: "half of a rule's network" },
    { subnet: "198.51.100.70/32", data: EAST.v4, scope: 28, why: "a network inside another" },
    { subnet: "192.0.2.1/32", data: EAST.v4, scope: 6, why: "everybody around, up to the rule's network" },
    { subnet: "2001:db8:beef::/56", data: WEST.v4, scope: 48, why: "FAMILY 2 for A" },
    { subnet: "2001:db8::/32", data: EAST.v4, why: "a prefix in which a rule's network is the lesser part" },
  ])("§7.2.1 $subnet: $why", async ({ subnet: text, data, scope }) => {
    const reply = await shop(text);
    expect(reply.data).toEqual([data]);
    if (scope !== undefined) expect(reply.edns?.clientSubnet?.scope).toBe(scope);
  });

  test("§7.2.1 FAMILY, SOURCE PREFIX-LENGTH and ADDRESS come back as they were", async () => {
    for (const [text, bytes] of [
      ["198.51.100.7/32", [198, 51, 100, 7]],
      ["198.51.100.0/22", [198, 51, 100]],
      ["198.51.0.0/9", [198, 0]],
      ["2001:db8:beef::/48", [0x20, 0x01, 0x0d, 0xb8, 0xbe, 0xef]],
    ] as const) {
      const reply = await shop(text);
      expect(reply.edns?.clientSubnet).toMatchObject({ family: text.includes(":") ? 2 : 1, source: Number(text.split("/")[1]) });
      expect([...reply.edns!.clientSubnet!.address], text).toEqual([...bytes]);
    }
  });

  test("§7.2.1 overlapping networks are taken apart: no scope covers who is answered otherwise", async () => {
    const answers = new Map<string, string>();
    for (let host = 0; host < 256; host += 4) {
      const reply = await shop(`198.51.100.${host}/32`);
      const { scope } = reply.edns!.clientSubnet!;
      const size = 2 ** (32 - scope);
      const first = host - (host % size);
      for (let one = first; one < first + size; one += 4) {
        const before = answers.get(`${one}`);
        if (before !== undefined) expect(reply.data[0], `198.51.100.${host}/${scope} and .${one}`).toBe(before);
        answers.set(`${one}`, reply.data[0]!);
      }
    }
    expect(answers.size).toBe(64);
  });

  test("§7.1.2 source 0: the sender's own address decides, scope 0", async () => {
    for (const text of ["0.0.0.0/0", "::/0"]) {
      const reply = await shop(text);
      expect(reply.data).toEqual([EAST.v4]);
      expect(reply.edns?.clientSubnet).toMatchObject({ source: 0, scope: 0 });
    }
  });

  test("§7.2.1 without an option no option, although the answer depends on the sender", async () => {
    const reply = await ask({ name: "shop.example.org", type: Type.A, edns: {} });
    expect(reply.data).toEqual([EAST.v4]);
    expect(reply.edns?.clientSubnet).toBeUndefined();
  });

  test("§7.2.1 scope 0 where all clients are answered alike", async () => {
    for (const [name, type] of [
      ["plain.example.org", Type.A],
      ["example.org", Type.MX],
      ["www.example.org", Type.CNAME],
    ] as const) {
      expect((await ask({ name, type, edns: subnet("198.51.100.0/24") })).edns?.clientSubnet, name).toMatchObject({ source: 24, scope: 0 });
    }
  });

  test("§7.2.1 AAAA and HTTPS have the scope of A", async () => {
    expect((await shop("198.51.100.7/32", Type.AAAA)).edns?.clientSubnet?.scope).toBe(26);
    expect((await ask({ name: "web.example.org", type: Type.HTTPS, edns: subnet("198.51.100.7/32") })).edns?.clientSubnet?.scope).toBe(26);
  });

  test("§7.2.1 where /24s stick to a cluster no answer holds for more than one", async () => {
    for (const [text, least] of [
      ["192.0.2.1/32", 24],
      ["2001:db8:beef::/64", 48],
    ] as const) {
      expect(
        (await ask({ name: "sticky.example.org", type: Type.A, edns: subnet(text) })).edns!.clientSubnet!.scope,
      ).toBeGreaterThanOrEqual(least);
    }
  });

  test("§7.4 scope 0 for negative answers and referrals", async () => {
    for (const [name, type] of [
      ["no.example.org", Type.A],
      ["shop.example.org", Type.MX],
      ["www.child.example.org", Type.A],
    ] as const) {
      expect((await ask({ name, type, edns: subnet("198.51.100.0/24") })).edns?.clientSubnet, name).toMatchObject({ source: 24, scope: 0 });
    }
  });

  test.each([
    { name: "FAMILY 0 with an address", option: "0008 0005 0000 08 00 c0" },
    { name: "FAMILY 3", option: "0008 0007 0003 18 00 c00002" },
    { name: "SCOPE PREFIX-LENGTH that is not 0", option: "0008 0007 0001 18 18 c00002" },
    { name: "an address too short", option: "0008 0006 0001 18 00 c000" },
    { name: "an address too long", option: "0008 0008 0001 18 00 c0000200" },
    { name: "a bit behind the prefix", option: "0008 0007 0001 17 00 c00003" },
    { name: "SOURCE PREFIX-LENGTH 33 for IPv4", option: "0008 0009 0001 21 00 c000020100" },
    { name: "SOURCE PREFIX-LENGTH 129 for IPv6", option: "0008 0015 0002 81 00 20010db8000000000000000000000000 80" },
    { name: "less than its fixed part", option: "0008 0003 0001 18" },
    { name: "nothing at all", option: "0008 0000" },
    { name: "two of them", option: "0008 0007 0001 18 00 c00002 0008 0007 0001 18 00 c00002" },
  ])("§6, §7.2.1 malformed is FORMERR: $name", async ({ option }) => {
    expect(await send(withOptions(option))).toMatchObject({ rcode: Rcode.FORMERR, answers: [] });
  });
}
