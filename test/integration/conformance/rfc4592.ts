/** RFC 4592, Wildcards, by the shape of its own example (§2.2.1). */
import { expect, test } from "vitest";
import { Rcode, Type } from "../../../src/dns/wire/codes.ts";
import type { Conformance } from "../../support/conformance/suite.ts";
import { EAST } from "../../support/conformance/world.ts";

export function rfc4592({ ask }: Conformance): void {
  test("§2.1.1 the wildcard can be asked for by its own name", async () => {
    expect((await ask({ name: "*.wild.example.org", type: Type.TXT })).data).toEqual(['"from the wildcard"']);
  });

  test("§2.2.1 synthesised at a name that does not exist, also some labels down; the owner is QNAME", async () => {
    for (const name of ["a.wild.example.org", "a.b.wild.example.org", "*.a.wild.example.org"]) {
      expect((await ask({ name, type: Type.TXT })).answers).toMatchObject([{ name, data: '"from the wildcard"' }]);
    }
  });

  test("§2.2.1 NODATA where the wildcard lacks the type", async () => {
    expect(await ask({ name: "a.wild.example.org", type: Type.MX })).toMatchObject({
      rcode: Rcode.NOERROR,
      answers: [],
      authorities: [{ type: Type.SOA }],
    });
  });

  test("§2.2.1 a name that exists is not covered, with whatever type", async () => {
    expect(await ask({ name: "host.wild.example.org", type: Type.TXT })).toMatchObject({ rcode: Rcode.NOERROR, answers: [] });
  });

  test("§2.2.1 nor is what lies below it: the closest encloser has no wildcard", async () => {
    expect((await ask({ name: "x.host.wild.example.org", type: Type.TXT })).rcode).toBe(Rcode.NXDOMAIN);
  });

  test("§2.2.2 an empty non-terminal exists, and shields what lies below it", async () => {
    expect(await ask({ name: "ent.wild.example.org", type: Type.TXT })).toMatchObject({ rcode: Rcode.NOERROR, answers: [] });
    expect((await ask({ name: "x.ent.wild.example.org", type: Type.TXT })).rcode).toBe(Rcode.NXDOMAIN);
  });

  test("§2.2.1 no wildcard reaches across a zone cut", async () => {
    expect(await ask({ name: "a.child.example.org", type: Type.TXT })).toMatchObject({
      answers: [],
      authorities: [{ type: Type.NS }, { type: Type.NS }],
    });
  });

  test("§3.3.1 the parent of the wildcard exists without data of its own", async () => {
    expect(await ask({ name: "wild.example.org", type: Type.TXT })).toMatchObject({ rcode: Rcode.NOERROR, answers: [] });
  });

  test("§3.3.3 a wildcard alias", async () => {
    expect((await ask({ name: "a.alias.example.org", type: Type.AAAA })).answers).toMatchObject([
      { name: "a.alias.example.org", type: Type.CNAME, data: "shop.example.org." },
    ]);
  });

  test("a route's wildcard host answers for every name below", async () => {
    for (const name of ["a.apps.example.org", "a.b.apps.example.org"])
      expect((await ask({ name, type: Type.A })).answers).toMatchObject([{ name, data: EAST.v4 }]);
  });
}
