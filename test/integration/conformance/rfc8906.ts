/** RFC 8906, A common operational problem in DNS servers: failure to communicate. Its own list of queries that a server must survive (§8). */
import { expect, test } from "vitest";
import { Flag, Rcode, Type } from "../../../src/dns/wire/codes.ts";
import { type Conformance, encode } from "../../support/conformance/suite.ts";
import { EAST } from "../../support/conformance/world.ts";

const soa = (edns?: Parameters<typeof encode>[0]["edns"]): Uint8Array =>
  encode({ name: "example.org", type: Type.SOA, ...(edns === undefined ? {} : { edns }) });

/** Appends an empty option of a code that is not assigned to the OPT that ends a query. */
function withUnknownOption(query: Uint8Array): Uint8Array {
  const longer = Uint8Array.from([...query, 0, 100, 0, 0]);
  longer[query.length - 1] = 4; // RDLEN
  return longer;
}

export function rfc8906({ ask, send }: Conformance): void {
  test("§8.1.1 is the server configured for the zone", async () => {
    expect(await send(soa())).toMatchObject({ rcode: Rcode.NOERROR, answers: [{ type: Type.SOA }] });
  });

  test("§8.1.2 unknown types", async () => {
    expect(await ask({ name: "example.org", type: 1000 })).toMatchObject({
      rcode: Rcode.NOERROR,
      answers: [],
      authorities: [{ type: Type.SOA }],
    });
  });

  test("§8.1.3.1 CD=1 is copied; §8.1.3.2 AD=1 is not", async () => {
    for (const flag of [Flag.CD, Flag.AD]) {
      const query = soa();
      query[3]! |= flag;
      const reply = await send(query);
      expect(reply).toMatchObject({ rcode: Rcode.NOERROR, answers: [{ type: Type.SOA }] });
      expect(reply.flags & Flag.AD).toBe(0);
      expect(reply.flags & Flag.CD).toBe(flag & Flag.CD);
    }
  });

  test("§8.1.3.3 the reserved bit; §8.1.3.4 RD", async () => {
    for (const [at, bit] of [
      [3, 0x40],
      [2, 0x01],
    ] as const) {
      const query = soa();
      query[at]! |= bit;
      const reply = await send(query);
      expect(reply).toMatchObject({ rcode: Rcode.NOERROR, answers: [{ type: Type.SOA }] });
      expect(reply.flags & 0x40).toBe(0);
    }
  });

  test("§8.1.4 an unknown opcode, with a header alone", async () => {
    expect(await send(Uint8Array.of(0x12, 0x34, 15 << 3, 0, 0, 0, 0, 0, 0, 0, 0, 0))).toMatchObject({ rcode: Rcode.NOTIMP, opcode: 15 });
  });

  test("§8.1.5 TCP", async () => {
    expect(await send(soa(), "tcp")).toMatchObject({ rcode: Rcode.NOERROR, answers: [{ type: Type.SOA }] });
  });

  test("§8.2.1 minimal EDNS", async () => {
    expect(await send(soa({}))).toMatchObject({ rcode: Rcode.NOERROR, edns: { version: 0 }, answers: [{ type: Type.SOA }] });
  });

  test("§8.2.2 an unknown EDNS version", async () => {
    expect(await send(soa({ version: 1 }))).toMatchObject({ rcode: Rcode.BADVERS, edns: { version: 0 }, answers: [] });
  });

  test("§8.2.3 an unknown EDNS option", async () => {
    expect(await send(withUnknownOption(soa({})))).toMatchObject({
      rcode: Rcode.NOERROR,
      edns: { version: 0, options: [] },
      answers: [{ type: Type.SOA }],
    });
  });

  test("§8.2.4 an unknown EDNS flag", async () => {
    const query = soa({});
    query[query.length - 3]! |= 0x40;
    const reply = await send(query);
    expect(reply).toMatchObject({ rcode: Rcode.NOERROR, answers: [{ type: Type.SOA }] });
  });

  test("§8.2.5 version 1 with an unknown flag; §8.2.6 with an unknown option", async () => {
    const flagged = soa({ version: 1 });
    flagged[flagged.length - 3]! |= 0x40;
    expect(await send(flagged)).toMatchObject({ rcode: Rcode.BADVERS, answers: [] });
    expect(await send(withUnknownOption(soa({ version: 1 })))).toMatchObject({ rcode: Rcode.BADVERS, answers: [], edns: { options: [] } });
  });

  test("§8.2.7 truncated answers still have the OPT", async () => {
    const reply = await ask({ name: "large.example.org", type: Type.TXT, edns: { udpSize: 512 } });
    expect(reply.flags & Flag.TC).toBe(Flag.TC);
    expect(reply.edns).toBeDefined();
  });

  test("§8.2.8 DO=1", async () => {
    expect(await send(soa({ dnssecOk: true }))).toMatchObject({
      rcode: Rcode.NOERROR,
      edns: { dnssecOk: true },
      answers: [{ type: Type.SOA }],
    });
  });

  test("§3.1.2 a query for a name in no zone is refused, not dropped", async () => {
    for (const name of ["example.net", ".", "org"]) expect((await ask({ name, type: Type.A })).rcode).toBe(Rcode.REFUSED);
    expect((await ask({ name: "shop.example.org", type: Type.A })).data).toEqual([EAST.v4]);
  });
}
