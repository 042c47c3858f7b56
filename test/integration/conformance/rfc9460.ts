/** RFC 9460, Service binding: HTTPS records. */
import { expect, test } from "vitest";
import { Rcode, Type } from "../../../src/dns/wire/codes.ts";
import { type Conformance, subnet } from "../../support/conformance/suite.ts";
import { EAST } from "../../support/conformance/world.ts";
import { hex } from "../../support/hex.ts";

export function rfc9460({ ask }: Conformance): void {
  /** alpn and both hints, in ascending order of their keys, behind priority 1 and the target `.`. */
  const rdata = (ipv4: string, ipv6: string): string =>
    Buffer.from(hex(`0001 00  0001 000c 02 6832 08 687474702f312e31  0004 0004 ${ipv4}  0006 0010 ${ipv6}`)).toString("hex");

  test("§2.2, §7.1, §7.3 parameters in ascending order; the hints are the client's own A and AAAA", async () => {
    for (const [text, expected] of [
      ["192.0.2.1/32", rdata("7f001401", "20010db8 00000000 00000000 000000e1")],
      ["198.51.100.7/32", rdata("7f001402", "20010db8 00000000 00000000 00000031")],
    ] as const) {
      const reply = await ask({ name: "web.example.org", type: Type.HTTPS, edns: subnet(text) });
      expect(reply.answers.map((one) => Buffer.from(one.rdata).toString("hex"))).toEqual([expected]);
    }
  });

  test("§2.4.3 a name without HTTPS record is NODATA", async () => {
    expect(await ask({ name: "shop.example.org", type: Type.HTTPS })).toMatchObject({
      rcode: Rcode.NOERROR,
      answers: [],
      authorities: [{ type: Type.SOA }],
    });
  });

  test("§2.3 A and AAAA answer beside it", async () => {
    expect((await ask({ name: "web.example.org", type: Type.A })).data).toEqual([EAST.v4]);
    expect((await ask({ name: "web.example.org", type: Type.AAAA })).data).toEqual([EAST.v6]);
  });
}
