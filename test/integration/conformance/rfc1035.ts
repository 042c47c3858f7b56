/** RFC 1035, Domain names: implementation and specification. */
import { expect, test } from "vitest";
import { Flag, Rcode, Type } from "../../../src/dns/wire/codes.ts";
import { type Conformance, encode, nextId } from "../../support/conformance/suite.ts";
import { EAST } from "../../support/conformance/world.ts";
import { hex } from "../../support/hex.ts";

/** A header with these counts, then the rest as hex. */
const message = (flags: number, counts: readonly number[], rest: string): Uint8Array =>
  Uint8Array.from([...[nextId(), flags, ...counts].flatMap((word) => [word >> 8, word & 0xff]), ...hex(rest)]);

const SHOP = "04 73686f70 07 6578616d706c65 03 6f7267 00"; // shop.example.org

export function rfc1035({ ask, send, expectSilence }: Conformance): void {
  test("§2.3.4 a label may have 63 bytes, a name 255", async () => {
    const label = "x".repeat(63);
    const longest = `${label}.${label}.${label}.${"y".repeat(49)}.example.org`; // 255 bytes on the wire
    expect(await ask({ name: longest, type: Type.A })).toMatchObject({ rcode: Rcode.NXDOMAIN, questions: [{ name: longest }] });
    const bytes = encode({ name: longest, type: Type.A });
    const tooLong = Uint8Array.from([...bytes.subarray(0, 12), 1, 0x78, ...bytes.subarray(12)]);
    expect(await send(tooLong)).toMatchObject({ rcode: Rcode.FORMERR, answers: [] });
  });

  test("§3.1 a label type that is none (01, 10) is FORMERR", async () => {
    for (const type of ["40", "80", "bf"])
      expect(await send(message(0, [1, 0, 0, 0], `${type} 61 00 0001 0001`))).toMatchObject({ rcode: Rcode.FORMERR });
  });

  test("§4.1.1 ID, OPCODE and RD come back; Z is zero; QR is set", async () => {
    for (const id of [0, 1, 0x8000, 0xffff]) {
      const reply = await send(encode({ id, name: "ns1.example.org", type: Type.A }));
      expect(reply.id).toBe(id);
      expect(reply.flags & Flag.QR).toBe(Flag.QR);
    }
  });

  test.each([
    { opcode: 1, name: "IQUERY (obsolete, RFC 3425)" },
    { opcode: 2, name: "STATUS" },
    { opcode: 3, name: "unassigned" },
    { opcode: 5, name: "UPDATE" },
    { opcode: 6, name: "DSO" },
    { opcode: 15, name: "unassigned" },
  ])("§4.1.1 OPCODE $opcode, $name, is NOTIMP", async ({ opcode }) => {
    const reply = await send(message(opcode << 11, [1, 0, 0, 0], `${SHOP} 0001 0001`));
    expect(reply).toMatchObject({ rcode: Rcode.NOTIMP, opcode, answers: [] });
  });

  test("§4.1.1 a response is never answered", async () => {
    const query = encode({ name: "shop.example.org", type: Type.A });
    query[2]! |= 0x80;
    await expectSilence(query);
  });

  test("§4.1.1 less than a header is never answered", async () => {
    for (const length of [2, 11]) await expectSilence(encode({ name: "shop.example.org", type: Type.A }).subarray(0, length));
  });

  test("§4.1.2 exactly one question", async () => {
    expect(await send(message(0, [0, 0, 0, 0], ""))).toMatchObject({ rcode: Rcode.FORMERR, questions: [] });
    expect(await send(message(0, [2, 0, 0, 0], `${SHOP} 0001 0001 ${SHOP} 001c 0001`))).toMatchObject({ rcode: Rcode.FORMERR });
  });

  test("§4.1.2 a message that ends early, or has bytes left, is FORMERR", async () => {
    const query = encode({ name: "shop.example.org", type: Type.A, edns: {} });
    for (let length = 12; length < query.length; length++)
      expect((await send(query.subarray(0, length))).rcode, `${length} bytes`).toBe(Rcode.FORMERR);
    expect(await send(Uint8Array.from([...query, 0]))).toMatchObject({ rcode: Rcode.FORMERR });
  });

  test("§4.1.2 QCLASS: only IN is served", async () => {
    for (const klass of [2, 3, 4, 254, 255])
      expect((await ask({ name: "shop.example.org", type: Type.A, class: klass })).rcode, `class ${klass}`).toBe(Rcode.REFUSED);
  });

  test("§4.1.4 names in answers are compressed by pointers that lead backwards", async () => {
    const reply = await ask({ name: "many.example.org", type: Type.A, edns: {} });
    const owners = reply.answers.length;
    expect(reply.bytes.length).toBe(12 + 18 + 4 + owners * 16 + 11); // header, question, records behind c00c, OPT
  });

  test("§4.1.4 a pointer in the question leads nowhere: FORMERR, and no loop", async () => {
    for (const pointer of ["c00c", "c000", "c00d", "ffff"])
      expect(await send(message(0, [1, 0, 0, 0], `${pointer} 0001 0001`))).toMatchObject({ rcode: Rcode.FORMERR });
    expect(await send(message(0, [1, 0, 0, 0], "04 73686f70 c00c 0001 0001"))).toMatchObject({ rcode: Rcode.FORMERR });
  });

  test("§4.2.1 512 bytes over UDP without EDNS, then TC", async () => {
    const reply = await ask({ name: "many.example.org", type: Type.A });
    expect(reply.flags & Flag.TC).toBe(Flag.TC);
    expect(reply.bytes.length).toBeLessThanOrEqual(512);
  });

  test("§4.2.2 over TCP the whole answer, behind its length", async () => {
    const reply = await send(encode({ name: "large.example.org", type: Type.TXT }), "tcp");
    expect(reply.answers).toHaveLength(40);
    expect(reply.flags & Flag.TC).toBe(0);
  });

  test("§3.4.1 A, and RFC 3596 §2.2 AAAA", async () => {
    const v4 = await ask({ name: "shop.example.org", type: Type.A });
    expect(v4.packet.answers).toMatchObject([{ type: "A", name: "shop.example.org", class: "IN", data: EAST.v4 }]);
    const v6 = await ask({ name: "shop.example.org", type: Type.AAAA });
    expect(v6.packet.answers).toMatchObject([{ type: "AAAA", data: EAST.v6 }]);
  });

  test("§3.3 MX, SRV (RFC 2782), TXT, CAA (RFC 8659), NS and SOA as an unrelated decoder reads them", async () => {
    const answersOf = async (name: string, type: number) => (await ask({ name, type })).packet.answers;
    expect(await answersOf("example.org", Type.MX)).toMatchObject([
      { data: { preference: 10, exchange: "mail.example.org" } },
      { data: { preference: 20 } },
    ]);
    expect(await answersOf("_sip._tcp.example.org", Type.SRV)).toMatchObject([
      { data: { priority: 0, weight: 5, port: 5060, target: "sip.example.org" } },
    ]);
    expect(await answersOf("shop.example.org", Type.TXT)).toMatchObject([{ data: [Buffer.from("a route with a record beside it")] }]);
    expect(await answersOf("example.org", Type.CAA)).toMatchObject([{ data: { flags: 0, tag: "issue", value: "ca.example.net" } }]);
    expect(await answersOf("example.org", Type.SOA)).toMatchObject([
      { data: { mname: "ns1.example.org", rname: "hostmaster.example.org", refresh: 3600, retry: 600, minimum: 30 } },
    ]);
  });

  test("RFC 3597 §5 a type that nobody knows is NODATA at a name that exists", async () => {
    expect(await ask({ name: "shop.example.org", type: 65_280 })).toMatchObject({
      rcode: Rcode.NOERROR,
      answers: [],
      authorities: [{ type: Type.SOA }],
    });
  });
}
