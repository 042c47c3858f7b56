/** RFC 2308, Negative caching; RFC 8020 and RFC 4343 belong to the same questions. */
import { expect, test } from "vitest";
import { Flag, Rcode, Type } from "../../../src/dns/wire/codes.ts";
import type { Conformance } from "../../support/conformance/suite.ts";

export function rfc2308({ ask }: Conformance): void {
  test("§2.1 NXDOMAIN carries the zone's SOA, and AA", async () => {
    for (const name of ["no.example.org", "a.b.no.example.org", "no.shop.example.org"]) {
      const reply = await ask({ name, type: Type.A });
      expect(reply).toMatchObject({ rcode: Rcode.NXDOMAIN, answers: [], authorities: [{ name: "example.org", type: Type.SOA }] });
      expect(reply.flags & Flag.AA).toBe(Flag.AA);
    }
  });

  test("§2.2 NODATA is NOERROR with the SOA and no NS", async () => {
    for (const [name, type] of [
      ["shop.example.org", Type.MX],
      ["v4only.example.org", Type.AAAA],
      ["ns1.example.org", Type.TXT],
      ["_tcp.example.org", Type.A],
    ] as const) {
      const reply = await ask({ name, type });
      expect(reply, name).toMatchObject({ rcode: Rcode.NOERROR, answers: [] });
      expect(reply.authorities.map((one) => one.type)).toEqual([Type.SOA]);
    }
  });

  test("§3 the TTL of that SOA is the lesser of its own and MINIMUM", async () => {
    expect((await ask({ name: "no.example.org", type: Type.A })).authorities[0]?.ttl).toBe(30);
    expect((await ask({ name: "example.org", type: Type.SOA })).answers[0]?.ttl).toBe(3600);
  });

  test("§6 a negative answer is no answer for other types or names", async () => {
    expect((await ask({ name: "v4only.example.org", type: Type.A })).answers).toHaveLength(1);
  });

  test("RFC 8020 §2 below a name that does not exist nothing does; below an empty non-terminal something may", async () => {
    expect((await ask({ name: "x.no.example.org", type: Type.A })).rcode).toBe(Rcode.NXDOMAIN);
    expect((await ask({ name: "ent.wild.example.org", type: Type.A })).rcode).toBe(Rcode.NOERROR);
  });
}
