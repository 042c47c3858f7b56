/** RFC 6891, EDNS(0); RFC 3225 (DO) and RFC 9715 (avoiding fragmentation). */
import { expect, test } from "vitest";
import { Flag, Rcode, Type } from "../../../src/dns/wire/codes.ts";
import { type Conformance, encode, nextId } from "../../support/conformance/suite.ts";
import { hex } from "../../support/hex.ts";

const OPT = "00 0029 04d0 00 00 0000"; // owner, type, payload size, extended RCODE, version, flags

/** A query for shop.example.org A, with these additional records. */
const query = (count: number, additional: string): Uint8Array =>
  Uint8Array.from([
    ...[nextId(), 0, 1, 0, 0, count].flatMap((word) => [word >> 8, word & 0xff]),
    ...hex(`04 73686f70 07 6578616d706c65 03 6f7267 00 0001 0001 ${additional}`),
  ]);

export function rfc6891({ ask, send }: Conformance): void {
  test("§6.1.1 no OPT for a sender without one, one for a sender with one, also in errors", async () => {
    expect((await ask({ name: "shop.example.org", type: Type.A })).edns).toBeUndefined();
    for (const name of ["shop.example.org", "no.example.org", "www.example.net", "www.child.example.org"]) {
      expect((await ask({ name, type: Type.A, edns: {} })).edns, name).toMatchObject({ version: 0, udpSize: 1232 });
    }
  });

  test("§6.1.1 more than one OPT is FORMERR", async () => {
    expect(await send(query(2, `${OPT} 0000 ${OPT} 0000`))).toMatchObject({ rcode: Rcode.FORMERR });
  });

  test("§6.1.1 the OPT may stand anywhere in the additional section", async () => {
    const record = "c00c 0010 0001 00000000 0002 01 78"; // shop.example.org TXT "x"
    expect(await send(query(2, `${OPT} 0000 ${record}`))).toMatchObject({ rcode: Rcode.NOERROR });
    expect(await send(query(2, `${record} ${OPT} 0000`))).toMatchObject({ rcode: Rcode.NOERROR });
  });

  test("§6.1.2 an OPT that is not owned by the root is FORMERR", async () => {
    expect(await send(query(1, "c00c 0029 04d0 00 00 0000 0000"))).toMatchObject({ rcode: Rcode.FORMERR });
    expect(await send(query(1, "01 61 00 0029 04d0 00 00 0000 0000"))).toMatchObject({ rcode: Rcode.FORMERR });
  });

  test("§6.1.2 options that nobody knows are passed over, as often as they come", async () => {
    const reply = await send(query(1, `${OPT} 000d fde9 0001 aa fde9 0000 fdea 0000`));
    expect(reply).toMatchObject({ rcode: Rcode.NOERROR, edns: { options: [] } });
    expect(reply.data).toHaveLength(1);
  });

  test("§6.1.2 an option that ends behind RDATA is FORMERR", async () => {
    for (const data of ["0001 00", "0003 fde9 00", "0004 fde9 0001", "0005 fde9 0002 aa"])
      expect(await send(query(1, `${OPT} ${data}`)), data).toMatchObject({ rcode: Rcode.FORMERR });
  });

  test("§6.1.3 version 1 is BADVERS, answered with version 0 and nothing else", async () => {
    for (const version of [1, 2, 255]) {
      const reply = await ask({ name: "shop.example.org", type: Type.A, edns: { version } });
      expect(reply).toMatchObject({ rcode: Rcode.BADVERS, answers: [], authorities: [], edns: { version: 0 } });
    }
  });

  test("§6.1.4 reserved flag bits are ignored and not sent", async () => {
    const reply = await send(query(1, "00 0029 04d0 00 00 3fff 0000"));
    expect(reply.rcode).toBe(Rcode.NOERROR);
    expect(reply.bytes.subarray(-4)).toEqual(Buffer.from(hex("0000 0000"))); // flags, RDLEN
  });

  test("§6.2.3 a payload size below 512 counts as 512", async () => {
    for (const udpSize of [0, 1, 511]) {
      const reply = await ask({ name: "many.example.org", type: Type.A, edns: { udpSize } });
      expect(reply.flags & Flag.TC).toBe(Flag.TC);
      expect((await ask({ name: "example.org", type: Type.MX, edns: { udpSize } })).answers).toHaveLength(2);
    }
  });

  test("§6.2.3 the sender's size is kept", async () => {
    const whole = (await ask({ name: "many.example.org", type: Type.A, edns: { udpSize: 1232 } })).bytes.length;
    expect((await ask({ name: "many.example.org", type: Type.A, edns: { udpSize: whole } })).answers).toHaveLength(32);
    expect((await ask({ name: "many.example.org", type: Type.A, edns: { udpSize: whole - 1 } })).flags & Flag.TC).toBe(Flag.TC);
  });

  test("RFC 9715 §3.1 never more than 1,232 bytes, whatever the sender takes", async () => {
    const reply = await ask({ name: "large.example.org", type: Type.TXT, edns: { udpSize: 65_535 } });
    expect(reply.flags & Flag.TC).toBe(Flag.TC);
    expect(reply.bytes.length).toBeLessThanOrEqual(1232);
  });

  test("§7 FORMERR for a broken question still has the OPT only if it could be read", async () => {
    const broken = encode({ name: "shop.example.org", type: Type.A, edns: {} });
    broken[12] = 0x44;
    expect(await send(broken)).toMatchObject({ rcode: Rcode.FORMERR, answers: [] });
  });

  test("RFC 3225 §3 DO comes back as it was", async () => {
    for (const dnssecOk of [true, false])
      expect((await ask({ name: "shop.example.org", type: Type.A, edns: { dnssecOk } })).edns?.dnssecOk).toBe(dnssecOk);
  });
}
