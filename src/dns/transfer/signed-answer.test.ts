import { expect, test } from "vitest";
import { dnsWorld } from "../../../test/support/dns-world.ts";
import { decoded, signed } from "../../../test/support/transfer-query.ts";
import { answer, newAnswerContext, useTables } from "../answer.ts";
import { Transport } from "../counters.ts";
import { newSource } from "../source.ts";
import { Flag, Rcode, Type } from "../wire/codes.ts";
import { encodeQuery } from "../wire/encode-query.ts";
import { answerSigned } from "./signed-answer.ts";
import { type TsigKey, verifyTsig } from "./tsig.ts";
import { BIG, SEC, THEN } from "./tsig-vectors.ts";

const context = newAnswerContext({ now: () => THEN, random: () => 0.5 });
useTables(context, dnsWorld());

function ask(message: Uint8Array, transport: Transport = Transport.UDP, keys: readonly TsigKey[] = [SEC, BIG]): Uint8Array {
  const out = new Uint8Array(0xffff).fill(0xaa);
  const before = Uint8Array.from(message);
  const length = answerSigned(message, message.length, newSource(transport), out, keys, THEN, (query, size, source, room) =>
    answer(query, size, source, room, context),
  );
  expect(message).toEqual(before);
  return out.slice(0, length);
}

const many = (edns?: { udpSize: number }) =>
  encodeQuery({ id: 7, name: "many.example.org", type: Type.A, ...(edns === undefined ? {} : { edns }) });

test.each([
  { name: "no EDNS", query: many(), transport: Transport.UDP, most: 512, isWhole: false },
  { name: "EDNS 650", query: many({ udpSize: 650 }), transport: Transport.UDP, most: 650, isWhole: false },
  { name: "EDNS 1232", query: many({ udpSize: 1232 }), transport: Transport.UDP, most: 1232, isWhole: true },
  { name: "EDNS 65535", query: many({ udpSize: 65_535 }), transport: Transport.UDP, most: 1232, isWhole: true },
  { name: "TCP", query: many(), transport: Transport.TCP, most: 65_535, isWhole: true },
])("RFC 8945 §5.3: the signature counts towards the size that the sender takes: $name", ({ query, transport, most, isWhole }) => {
  const { message, chain } = signed(query, BIG, THEN);
  const reply = ask(message, transport);
  expect(reply.length).toBeLessThanOrEqual(most);
  expect(decoded(reply)).toMatchObject({ id: 7, rcode: Rcode.NOERROR, flags: expect.any(Number) });
  expect([decoded(reply).answers.length, (decoded(reply).flags & Flag.TC) !== 0]).toEqual(isWhole ? [32, false] : [0, true]);
  expect(verifyTsig(reply, reply.length, [BIG], THEN, chain).kind).toBe("Valid");
});

test("what has no signature is answered as it is", () => {
  const reply = ask(many({ udpSize: 1232 }));
  expect(decoded(reply)).toMatchObject({ rcode: Rcode.NOERROR, additionals: [] });
});

test("what `inner` does not answer is not answered", () => {
  const { message } = signed(many(), SEC, THEN);
  const out = new Uint8Array(1232);
  for (const result of [0, -1])
    expect(answerSigned(message, message.length, newSource(Transport.UDP), out, [SEC], THEN, () => result)).toBe(result);
});

test.each([
  { name: "without keys, NOTAUTH", keys: [], rcode: Rcode.NOTAUTH, additionals: [{ type: Type.TSIG }] },
  {
    name: "with another secret, NOTAUTH",
    keys: [{ ...SEC, secret: new Uint8Array(32) }],
    rcode: Rcode.NOTAUTH,
    additionals: [{ type: Type.TSIG }],
  },
])("$name, with the question, an OPT and the reason", ({ keys, rcode, additionals }) => {
  const { message } = signed(many({ udpSize: 1232 }), SEC, THEN);
  expect(decoded(ask(message, Transport.UDP, keys))).toMatchObject({
    rcode,
    additionals,
    answers: [],
    edns: { udpSize: 1232 },
    questions: [{ name: "many.example.org" }],
  });
});

test("a TSIG in the wrong class is malformed; a response gets no answer", () => {
  const { message } = signed(many(), SEC, THEN);
  const at = many().length;
  const wrong = Uint8Array.from(message);
  wrong[at + SEC.name.length + 2 + 3] = 1; // CLASS
  expect(decoded(ask(wrong))).toMatchObject({ rcode: Rcode.FORMERR, answers: [], additionals: [] });
  const response = Uint8Array.from(message);
  response[2]! |= 0x80;
  expect(ask(response)).toHaveLength(0);
});
