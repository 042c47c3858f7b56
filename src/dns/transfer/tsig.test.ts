import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { appendTsig, appendTsigError, FUDGE, TsigError, type TsigKey, tsigChain, tsigSize, verifyTsig } from "./tsig.ts";
import { AXFR_QUERY, AXFR_STREAM, BIG, SEC, SOA_ANSWER, SOA_QUERY, THEN } from "./tsig-vectors.ts";

/** The messages of a TCP stream. */
function messages(hex: string): Uint8Array[] {
  const bytes = Buffer.from(hex, "hex");
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) out.push(bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at)));
  return out;
}
const [soaQuery, soaAnswer, axfrQuery] = [SOA_QUERY, SOA_ANSWER, AXFR_QUERY].map((hex) => messages(hex)[0]!) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const verify = (message: Uint8Array, keys: readonly TsigKey[] = [SEC, BIG], now = THEN) => verifyTsig(message, message.length, keys, now);
const OTHER: TsigKey = { ...SEC, secret: Uint8Array.of(1, 2, 3) };

function chainOf(message: Uint8Array) {
  const verdict = verify(message);
  if (verdict.kind !== "Valid") throw new Error(verdict.kind);
  return verdict.chain;
}

describe("RFC 8945 §5.2: what dig signed", () => {
  test("the request is valid, and ends where its TSIG begins", () => {
    const verdict = verify(soaQuery);
    expect(verdict).toMatchObject({ kind: "Valid", at: soaQuery.length - 17 - 10 - 61, chain: { key: SEC } });
  });

  test("a request with a larger MAC and another key", () =>
    expect(verify(axfrQuery)).toMatchObject({ kind: "Valid", chain: { key: BIG } }));

  const refusals: readonly { name: string; keys: readonly TsigKey[]; now: number; error: number; signed: boolean }[] = [
    { name: "no such key", keys: [BIG], now: THEN, error: TsigError.BADKEY, signed: false },
    {
      name: "a key of that name for another algorithm",
      keys: [{ ...SEC, algorithm: "hmac-sha512" }],
      now: THEN,
      error: TsigError.BADKEY,
      signed: false,
    },
    { name: "another secret", keys: [OTHER], now: THEN, error: TsigError.BADSIG, signed: false },
    {
      name: "another secret, and late: the MAC is looked at first",
      keys: [OTHER],
      now: THEN + 999_000,
      error: TsigError.BADSIG,
      signed: false,
    },
    { name: "late by more than the fudge", keys: [SEC], now: THEN + (FUDGE + 1) * 1000, error: TsigError.BADTIME, signed: true },
    { name: "early by more than the fudge", keys: [SEC], now: THEN - (FUDGE + 1) * 1000, error: TsigError.BADTIME, signed: true },
  ];
  test.each(refusals)("refused: $name", ({ keys, now, error, signed }) => {
    const verdict = verify(soaQuery, keys, now);
    expect(verdict).toMatchObject({ kind: "Refused", error });
    expect("chain" in verdict).toBe(signed);
  });

  test.each([FUDGE, -FUDGE])("a clock that is %i s off is within the fudge", (seconds) =>
    expect(verify(soaQuery, [SEC], THEN + seconds * 1000).kind).toBe("Valid"),
  );

  test("the name of the key is compared without case", () => {
    const capital = Uint8Array.from(soaQuery);
    capital[capital.length - 88 + 1] = "S".charCodeAt(0);
    expect(Buffer.from(capital).toString("latin1")).toContain("Sec");
    expect(verify(capital).kind).toBe("Valid");
  });

  test("every other byte counts, but for the ID, which the record repeats", () => {
    for (let at = 2; at < soaQuery.length; at++) {
      const changed = Uint8Array.from(soaQuery);
      changed[at]! ^= 0x01;
      const isLetterOfName = at > soaQuery.length - 88 && at < soaQuery.length - 71;
      if (!isLetterOfName) expect({ at, kind: verify(changed).kind }).not.toEqual({ at, kind: "Valid" });
    }
    const forwarded = Uint8Array.from(soaQuery);
    forwarded[0]! ^= 0xff;
    expect(verify(forwarded).kind).toBe("Valid");
  });
});

describe("RFC 8945 §5.3: what BIND answered", () => {
  test("the answer follows the request's MAC", () => {
    expect(verifyTsig(soaAnswer, soaAnswer.length, [SEC], THEN, chainOf(soaQuery)).kind).toBe("Valid");
    expect(verifyTsig(soaAnswer, soaAnswer.length, [SEC], THEN)).toMatchObject({ error: TsigError.BADSIG });
  });

  test("each message of a stream follows the one before it (§5.3.1)", () => {
    const chain = chainOf(axfrQuery);
    const stream = messages(AXFR_STREAM);
    expect(stream).toHaveLength(4);
    for (const message of stream) expect(verifyTsig(message, message.length, [BIG], THEN, chain).kind).toBe("Valid");
    const again = chainOf(axfrQuery);
    const [first, , third] = stream;
    expect(verifyTsig(first!, first!.length, [BIG], THEN, again).kind).toBe("Valid");
    expect(verifyTsig(third!, third!.length, [BIG], THEN, again)).toMatchObject({ error: TsigError.BADSIG }); // one is missing
  });

  test("signing the same messages gives the same bytes", () => {
    const chain = chainOf(axfrQuery);
    for (const message of messages(AXFR_STREAM)) {
      const verdict = verifyTsig(message, message.length, [BIG], THEN, { ...chain });
      if (verdict.kind !== "Valid") throw new Error(verdict.kind);
      const out = new Uint8Array(message.length);
      out.set(message.subarray(0, verdict.at));
      out[11]! -= 1;
      expect(appendTsig(out, verdict.at, chain, THEN)).toBe(message.length);
      expect(Buffer.from(out).toString("hex")).toBe(Buffer.from(message).toString("hex"));
      expect(message.length - verdict.at).toBe(tsigSize(BIG));
    }
  });
});

describe("RFC 8945 §5.3.2: errors", () => {
  const answerTo = (keys: readonly TsigKey[], now: number) => {
    const refusal = verify(soaQuery, keys, now);
    if (refusal.kind !== "Refused") throw new Error(refusal.kind);
    const out = new Uint8Array(512);
    out.set(soaQuery.subarray(0, 12));
    out.set([0x84, 0x09, 0, 0, 0, 0, 0, 0, 0, 0], 2);
    return out.subarray(0, appendTsigError(out, 12, refusal, now));
  };

  test.each([
    ["BADKEY", [BIG], TsigError.BADKEY],
    ["BADSIG", [OTHER], TsigError.BADSIG],
  ] as const)("%s is told without a MAC, in the request's words", (_name, keys, error) => {
    const answer = answerTo(keys, THEN);
    expect(answer[11]).toBe(1);
    // 6b01b130 time · 012c fudge · 0000 MAC size · ID · error · no other data
    expect(Buffer.from(answer).toString("hex")).toMatch(new RegExp(`00006b01b130012c00004f8800${error.toString(16)}0000$`));
  });

  test("BADTIME is signed, repeats the request's time and adds ours", () => {
    const now = THEN + 1_000_000;
    const answer = answerTo([SEC], now);
    expect(Buffer.from(answer).toString("hex")).toMatch(/4f880012000600006b01b518$/);
    expect(verifyTsig(answer, answer.length, [SEC], THEN, chainOf(soaQuery)).kind).toBe("Valid");
  });

  test("a MAC that is cut, but not too far, is BADTRUNC; one that is too short or too long is no TSIG (§5.2.2.1)", () => {
    const cutTo = (size: number): Uint8Array => {
      const macAt = soaQuery.length - 6 - 32;
      const out = Buffer.concat([
        soaQuery.subarray(0, macAt),
        soaQuery.subarray(macAt, macAt + Math.min(size, 32)),
        Buffer.alloc(Math.max(size - 32, 0)),
        soaQuery.subarray(-6),
      ]);
      out.writeUInt16BE(size, macAt - 2);
      out.writeUInt16BE(61 - 32 + size, soaQuery.length - 61 - 2);
      return out;
    };
    expect(verify(cutTo(32)).kind).toBe("Valid");
    for (const size of [16, 31])
      expect(verify(cutTo(size))).toMatchObject({ kind: "Refused", error: TsigError.BADTRUNC, chain: { key: SEC } });
    for (const size of [0, 10, 15, 33]) expect(verify(cutTo(size)).kind).toBe("Malformed");
  });

  test("a TSIG stands last, alone, in class ANY with TTL 0 (§4.2, §5.1)", () => {
    const record = soaQuery.subarray(soaQuery.length - 88);
    const twice = Buffer.concat([soaQuery, record]);
    twice[11] = 3;
    const opt = Buffer.from("0000290200000000000000", "hex");
    const notLast = Buffer.concat([soaQuery, opt]);
    notLast[11] = 3;
    const withClass = Uint8Array.from(soaQuery);
    withClass[soaQuery.length - 61 - 8 + 1] = 1;
    const withTtl = Uint8Array.from(soaQuery);
    withTtl[soaQuery.length - 61 - 3] = 1;
    for (const message of [twice, notLast, withClass, withTtl]) expect(verify(message).kind).toBe("Malformed");
    expect(verify(soaQuery.subarray(0, 12)).kind).toBe("Malformed");
    const unsigned = Uint8Array.from(soaQuery.subarray(0, soaQuery.length - 88));
    unsigned[11] = 1;
    expect(verify(unsigned).kind).toBe("Unsigned");
  });

  test("no bytes crash it", () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const damaged = fc
      .tuple(fc.nat(soaQuery.length - 1), fc.nat(255))
      .map(([at, value]) => Uint8Array.from(soaQuery, (byte, i) => (i === at ? value : byte)));
    fc.assert(
      fc.property(fc.oneof(bytes, damaged), (message) => typeof verify(message).kind === "string"),
      { numRuns: 500 },
    );
  });

  test("what is appended is accepted", () => {
    const body = fc.uint8Array({ minLength: 0, maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(SEC, BIG), body, fc.uint8Array({ minLength: 1, maxLength: 80 }), (key, id, secret) => {
        const mine = { ...key, secret };
        const out = new Uint8Array(12 + tsigSize(mine));
        out.set(id.subarray(0, 2));
        const length = appendTsig(out, 12, tsigChain(mine), THEN);
        return length === out.length && verify(out, [mine]).kind === "Valid";
      }),
    );
  });
});
