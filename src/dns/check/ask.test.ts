/** Bounds of asking, with a network that is a function. */
import { expect, test } from "vitest";
import { Flag, Type } from "../wire/codes.ts";
import { type Ask, type AskLimits, createAsk } from "./ask.ts";
import type { Exchange } from "./exchange.ts";

const SERVER = { address: "192.0.2.53", port: 53 };
const QUESTION = { name: "example.org", type: Type.SOA };
const never = new AbortController().signal;

/** The question as its own answer, with these flags. */
const echo = (question: Uint8Array, flags: number = Flag.QR): Uint8Array => {
  const answer = question.slice();
  new DataView(answer.buffer).setUint16(2, flags);
  return answer;
};
const fail = (code: string): Promise<never> => Promise.reject(Object.assign(new Error(code), { code }));
const hang: Exchange = (_server, _question, signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
const timedOut = (): AbortSignal => AbortSignal.abort(new DOMException("late", "TimeoutError"));

function asker(
  udp: Exchange,
  { tcp = udp, ...limits }: Partial<AskLimits> & { tcp?: Exchange } = {},
  deadline: () => AbortSignal = () => never,
): Ask {
  return createAsk(
    { exchange: { udp, tcp }, randomId: () => 7, deadline },
    { timeout: 2000, tries: 2, concurrency: 16, total: 60_000, ...limits },
  );
}

test("an answer is decoded", async () => {
  expect(await asker(async (_server, question) => echo(question))(SERVER, QUESTION)).toMatchObject({ message: { id: 7, flags: Flag.QR } });
});

test("a second try, and no third", async () => {
  let tries = 0;
  const flaky: Exchange = async (_server, question) => (++tries < 2 ? fail("ECONNREFUSED") : echo(question));
  expect(await asker(flaky)(SERVER, QUESTION)).toHaveProperty("message");
  tries = -9;
  expect(await asker(flaky)(SERVER, QUESTION)).toEqual({ failure: "nothing-listens" });
  expect(tries).toBe(-7);
});

test("a truncated answer is asked for over TCP", async () => {
  const ask = asker(async (_server, question) => echo(question, Flag.QR | Flag.TC), {
    tcp: async (_server, question) => echo(question, Flag.QR | Flag.AA),
  });
  expect(await ask(SERVER, QUESTION)).toMatchObject({ message: { flags: Flag.QR | Flag.AA } });
});

test.each([
  ["ENETUNREACH", "no-route"],
  ["EINVAL", "no-route"],
  ["ETIMEDOUT", "timeout"],
  ["ECONNRESET", "closed"],
])("%s is told as %s", async (code, failure) => {
  expect(await asker(() => fail(code))(SERVER, QUESTION)).toEqual({ failure });
});

test("a message that is none, or about something else, is malformed", async () => {
  expect(await asker(async () => Uint8Array.of(1, 2, 3))(SERVER, QUESTION)).toEqual({ failure: "malformed" });
  const other = asker(async (_server, question) => echo(question).with(13, 0x78)); // the first letter of the name
  expect(await other(SERVER, QUESTION)).toEqual({ failure: "malformed" });
});

test("a silent server costs its tries and no more", async () => {
  const signals: AbortSignal[] = [never, timedOut(), timedOut()];
  expect(
    await asker(
      async (_server, _question, signal) => Promise.reject(signal.reason),
      {},
      () => signals.shift()!,
    )(SERVER, QUESTION),
  ).toEqual({ failure: "timeout" });
  expect(signals).toEqual([]);
});

test("when all the time is used up, nobody is asked any more", async () => {
  const over = new AbortController();
  const signals = [over.signal];
  let asked = 0;
  const ask = asker(
    (...all) => {
      asked++;
      return hang(...all);
    },
    { concurrency: 2 },
    () => signals.shift() ?? never,
  );
  const replies = Promise.all([1, 2, 3, 4].map(() => ask(SERVER, QUESTION)));
  over.abort();
  expect(await replies).toEqual([1, 2, 3, 4].map(() => ({ failure: "not-asked" })));
  expect(asked).toBe(2);
});

test("questions under way are bounded", async () => {
  let [running, most] = [0, 0];
  const ask = asker(
    async (_server, question) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return echo(question);
    },
    { concurrency: 3 },
  );
  const replies = await Promise.all(Array.from({ length: 20 }, () => ask(SERVER, QUESTION)));
  expect(replies.every((reply) => "message" in reply)).toBe(true);
  expect(most).toBe(3);
});
