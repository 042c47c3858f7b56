/** RFC 4343, Case insensitivity; the 0x20 convention (draft-vixie-dnsext-dns0x20) rests on it. */
import { expect, test } from "vitest";
import { Rcode, Type } from "../../../src/dns/wire/codes.ts";
import type { Conformance } from "../../support/conformance/suite.ts";

export function rfc4343({ ask }: Conformance): void {
  test("§3 names match whatever their case, and come back as they were asked", async () => {
    for (const name of ["SHOP.EXAMPLE.ORG", "sHoP.eXaMpLe.OrG", "shop.example.ORG"]) {
      const reply = await ask({ name, type: Type.A });
      expect(reply.questions[0]?.name).toBe(name);
      expect(reply.answers).toMatchObject([{ name }]);
    }
  });

  test("§3 so do wildcards, aliases, cuts and names that do not exist", async () => {
    expect((await ask({ name: "ANY.Wild.Example.Org", type: Type.TXT })).answers).toMatchObject([{ name: "ANY.Wild.Example.Org" }]);
    expect((await ask({ name: "WWW.example.org", type: Type.A })).answers).toMatchObject([{ name: "WWW.example.org", type: Type.CNAME }]);
    expect((await ask({ name: "X.CHILD.example.org", type: Type.A })).authorities).toHaveLength(2);
    const missing = await ask({ name: "NO.example.ORG", type: Type.A });
    expect(missing.rcode).toBe(Rcode.NXDOMAIN);
    expect(missing.authorities[0]?.name).toBe("example.ORG"); // a pointer into the question
  });

  test("§3.1 only ASCII letters fold: bytes above 0x7f and their neighbours do not", async () => {
    // `[` is 0x5b and `{` is 0x7b: one bit apart like a letter and its small form
    expect((await ask({ name: "\\091.example.org", type: Type.A })).questions[0]?.name).toBe("[.example.org");
    expect((await ask({ name: "shop\\128.example.org", type: Type.A })).rcode).toBe(Rcode.NXDOMAIN);
    expect((await ask({ name: "@hop.example.org", type: Type.A })).rcode).toBe(Rcode.NXDOMAIN);
  });
}
