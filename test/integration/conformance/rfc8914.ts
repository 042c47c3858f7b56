/** RFC 8914, Extended DNS errors. */
import { expect, test, vi } from "vitest";
import { ExtendedError, Flag, Rcode, Type } from "../../../src/dns/wire/codes.ts";
import type { Conformance } from "../../support/conformance/suite.ts";

export function rfc8914({ ask }: Conformance): void {
  test("§4.21 Not Authoritative with REFUSED", async () => {
    expect(await ask({ name: "www.example.net", type: Type.A, edns: {} })).toMatchObject({
      rcode: Rcode.REFUSED,
      edns: { extendedErrors: [{ code: ExtendedError.NotAuthoritative }] },
    });
  });

  test("§4.1 Other, with a text, where no backend may serve: SERVFAIL, never an empty answer", async () => {
    const reply = await ask({ name: "nothing.example.org", type: Type.A, edns: {} });
    expect(reply).toMatchObject({ rcode: Rcode.SERVFAIL, answers: [], edns: { extendedErrors: [{ code: ExtendedError.Other }] } });
    expect(reply.edns?.extendedErrors[0]?.text).toMatch(/^[ -~]+$/);
    expect(reply.flags & Flag.AA).toBe(0);
  });

  test("§4.1 Other, with a text, where nothing is healthy and the answer is given all the same", async () => {
    // until its first verdict a server that has just started takes every backend for usable
    await vi.waitFor(
      async () => {
        const reply = await ask({ name: "dead.example.org", type: Type.A, edns: {} });
        expect(reply).toMatchObject({
          rcode: Rcode.NOERROR,
          data: ["127.0.20.3"],
          edns: { extendedErrors: [{ code: ExtendedError.Other }] },
        });
        expect(reply.edns?.extendedErrors[0]?.text).toMatch(/^no backend is healthy/);
      },
      { timeout: 10_000, interval: 100 },
    );
  });

  test("§3 nothing for a sender without EDNS", async () => {
    expect(await ask({ name: "nothing.example.org", type: Type.A })).toMatchObject({ rcode: Rcode.SERVFAIL, additionals: [] });
    expect((await ask({ name: "nothing.example.org", type: Type.A })).edns).toBeUndefined();
  });

  test("§2 an ordinary answer has none", async () => {
    expect((await ask({ name: "plain.example.org", type: Type.A, edns: {} })).edns?.extendedErrors).toEqual([]);
  });
}
