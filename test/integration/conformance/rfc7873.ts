/** RFC 7873, DNS cookies, as RFC 9018 makes them. */
import { expect, test } from "vitest";
import { Rcode, Type } from "../../../src/dns/wire/codes.ts";
import { type Conformance, nextId } from "../../support/conformance/suite.ts";
import { EAST } from "../../support/conformance/world.ts";
import { hex } from "../../support/hex.ts";

const COOKIE = 10;
const CLIENT = "0011223344556677";

/** shop.example.org A, or no question, with a COOKIE option of these bytes. */
function withCookie(cookie: string, questions = 1): Uint8Array {
  const option = `000a ${hex(cookie).length.toString(16).padStart(4, "0")} ${cookie}`;
  const length = hex(option).length.toString(16).padStart(4, "0");
  const question = questions === 0 ? "" : "04 73686f70 07 6578616d706c65 03 6f7267 00 0001 0001";
  return Uint8Array.from([
    ...[nextId(), 0, questions, 0, 0, 1].flatMap((word) => [word >> 8, word & 0xff]),
    ...hex(`${question} 00 0029 04d0 00 00 0000 ${length} ${option}`),
  ]);
}

export function rfc7873({ send, ask }: Conformance): void {
  /** The COOKIE option of an answer, as hex. */
  const cookieOf = async (query: Uint8Array): Promise<string> => {
    const reply = await send(query);
    expect(reply.rcode).toBe(Rcode.NOERROR);
    return Buffer.from(reply.edns!.options.find(({ code }) => code === COOKIE)!.data).toString("hex");
  };

  test("§5.2.3 a client cookie gets itself and a server cookie back, with the answer", async () => {
    const query = withCookie(CLIENT);
    const cookie = await cookieOf(query);
    expect(cookie).toMatch(new RegExp(`^${CLIENT}01000000[0-9a-f]{24}$`)); // RFC 9018 §4: version 1, reserved, timestamp, hash
    expect((await send(query)).data).toEqual([EAST.v4]);
    const seconds = Number.parseInt(cookie.slice(24, 32), 16);
    expect(Math.abs(Date.now() / 1000 - seconds)).toBeLessThan(60);
  });

  test("§5.2.5 a fresh one of ours comes back as it is (RFC 9018 §4.3)", async () => {
    const cookie = await cookieOf(withCookie(CLIENT));
    expect(await cookieOf(withCookie(cookie))).toBe(cookie);
  });

  test("§5.2.4 one that is not ours is replaced, and the question answered", async () => {
    const forged = `${CLIENT}01000000${Math.floor(Date.now() / 1000).toString(16)}0123456789abcdef`;
    const cookie = await cookieOf(withCookie(forged));
    expect(cookie.startsWith(CLIENT)).toBe(true);
    expect(cookie).not.toBe(forged);
    expect(await cookieOf(withCookie(cookie))).toBe(cookie);
  });

  test("§5.2.2 lengths that no cookie has are FORMERR", async () => {
    for (const length of [0, 1, 7, 9, 15, 41])
      expect((await send(withCookie("00".repeat(length)))).rcode, `${length} bytes`).toBe(Rcode.FORMERR);
    for (const length of [8, 16, 24, 40])
      expect((await send(withCookie("00".repeat(length)))).rcode, `${length} bytes`).toBe(Rcode.NOERROR);
  });

  test("§5.4 a query without a question asks for a cookie alone", async () => {
    const reply = await send(withCookie(CLIENT, 0));
    expect(reply).toMatchObject({ rcode: Rcode.NOERROR, questions: [], answers: [] });
    expect(reply.edns?.options.map(({ code }) => code)).toEqual([COOKIE]);
  });

  test("§5.2.1 no cookie for a client that sent none", async () => {
    expect((await ask({ name: "shop.example.org", type: Type.A, edns: {} })).edns?.options).toEqual([]);
  });

  test("§5.2 TCP is as UDP", async () => {
    const reply = await send(withCookie(CLIENT), "tcp");
    expect(reply.edns?.options.map(({ code }) => code)).toEqual([COOKIE]);
  });
}
