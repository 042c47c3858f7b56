/** RFC 8482, Minimal-sized responses to ANY. */
import { expect, test } from "vitest";
import { Flag, Rcode, Type } from "../../../src/dns/wire/codes.ts";
import type { Conformance } from "../../support/conformance/suite.ts";

export function rfc8482({ ask }: Conformance): void {
  test("§4.2 one HINFO record instead of everything", async () => {
    for (const name of ["shop.example.org", "example.org", "large.example.org", "a.wild.example.org"]) {
      const reply = await ask({ name, type: Type.ANY });
      expect(reply.flags & Flag.AA).toBe(Flag.AA);
      expect(reply.answers).toMatchObject([{ name, type: Type.HINFO, ttl: 3600, data: '"RFC8482" ""' }]);
    }
  });

  test("§4 a name that does not exist does not", async () => {
    expect(await ask({ name: "no.example.org", type: Type.ANY })).toMatchObject({ rcode: Rcode.NXDOMAIN, answers: [] });
  });

  test("§4 below a cut it is a referral", async () => {
    expect(await ask({ name: "www.child.example.org", type: Type.ANY })).toMatchObject({
      answers: [],
      authorities: [{ type: Type.NS }, { type: Type.NS }],
    });
  });
}
