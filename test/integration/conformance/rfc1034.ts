/** RFC 1034, Domain names: concepts and facilities, as far as an authoritative server goes; RFC 2181 where it is clearer. */
import { expect, test } from "vitest";
import { Flag, Rcode, Type } from "../../../src/dns/wire/codes.ts";
import type { Conformance } from "../../support/conformance/suite.ts";
import { EAST } from "../../support/conformance/world.ts";

export function rfc1034({ ask }: Conformance): void {
  test("§3.6.2 an alias answers for every type but its own data, and is not chased", async () => {
    for (const type of [Type.A, Type.AAAA, Type.MX, Type.TXT, Type.HTTPS, 65_280]) {
      const reply = await ask({ name: "www.example.org", type });
      expect(reply.answers).toMatchObject([{ name: "www.example.org", type: Type.CNAME, data: "shop.example.org." }]);
      expect(reply).toMatchObject({ rcode: Rcode.NOERROR, authorities: [] });
    }
  });

  test("§4.3.1 RD is copied, RA is never set, recursion is not offered", async () => {
    for (const recursionDesired of [true, false]) {
      const reply = await ask({ name: "shop.example.org", type: Type.A, recursionDesired });
      expect((reply.flags & Flag.RD) !== 0).toBe(recursionDesired);
      expect(reply.flags & Flag.RA).toBe(0);
    }
    expect(await ask({ name: "www.example.net", type: Type.A, recursionDesired: true })).toMatchObject({ rcode: Rcode.REFUSED });
  });

  test("§4.3.2 step 3a: data of the name, AA set", async () => {
    const reply = await ask({ name: "example.org", type: Type.MX });
    expect(reply.flags & Flag.AA).toBe(Flag.AA);
    expect(reply.data).toEqual(["10 mail.example.org.", "20 mail.example.org."]);
  });

  test("§4.3.2 step 3b: below a cut a referral with glue, AA clear, no answer", async () => {
    for (const name of ["child.example.org", "www.child.example.org", "a.b.c.child.example.org"]) {
      const reply = await ask({ name, type: Type.A });
      expect(reply).toMatchObject({ rcode: Rcode.NOERROR, answers: [] });
      expect(reply.flags & Flag.AA).toBe(0);
      expect(reply.authorities.map((one) => `${one.name} ${one.type} ${one.data}`)).toEqual([
        "child.example.org 2 ns.child.example.org.",
        "child.example.org 2 ns.example.net.",
      ]);
      expect(reply.additionals.map((one) => `${one.name} ${one.data}`)).toEqual([
        "ns.child.example.org 192.0.2.54",
        "ns.child.example.org 2001:db8::54",
      ]);
    }
  });

  test("§4.3.2 the most specific zone answers: no referral from a zone to another that is here too", async () => {
    const reply = await ask({ name: "www.inner.example.org", type: Type.A });
    expect(reply.flags & Flag.AA).toBe(Flag.AA);
    expect(reply.data).toEqual([EAST.v4]);
    expect((await ask({ name: "no.inner.example.org", type: Type.A })).authorities).toMatchObject([
      { name: "inner.example.org", type: Type.SOA },
    ]);
  });

  test("§6.2.1 the apex has SOA and NS", async () => {
    expect((await ask({ name: "example.org", type: Type.SOA })).answers).toHaveLength(1);
    expect((await ask({ name: "example.org", type: Type.NS })).data).toEqual(["ns1.example.org.", "ns2.example.com."]);
  });

  test("RFC 2181 §5.2 the records of an RRset have one TTL", async () => {
    const reply = await ask({ name: "many.example.org", type: Type.A, edns: {} });
    expect(reply.answers).toHaveLength(32);
    expect(new Set(reply.answers.map(({ ttl }) => ttl)).size).toBe(1);
  });

  test("RFC 2181 §9 what does not fit sets TC and says nothing by halves", async () => {
    const reply = await ask({ name: "large.example.org", type: Type.TXT, edns: { udpSize: 4096 } });
    expect(reply.flags & Flag.TC).toBe(Flag.TC);
    expect([...reply.answers, ...reply.authorities, ...reply.additionals]).toEqual([]);
  });

  test("RFC 4035 §3.1.4.1 DS of a delegated name is the parent's business", async () => {
    const reply = await ask({ name: "child.example.org", type: Type.DS });
    expect(reply.flags & Flag.AA).toBe(Flag.AA);
    expect(reply).toMatchObject({ answers: [], authorities: [{ name: "example.org", type: Type.SOA }] });
  });
}
