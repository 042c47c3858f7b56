import { expect, test } from "vitest";
import { createSimulatedClock } from "../../../test/support/simulated-clock.ts";
import { ms } from "../../model/units.ts";
import type { Reply } from "../check/observations.ts";
import { Rcode, Type } from "../wire/codes.ts";
import { createAnswerWatch, type Lookout, type LookoutEnd } from "./answer-watch.ts";
import { judgeReply, nextGap } from "./watch-step.ts";

const reply = (addresses: readonly string[], rcode: number = Rcode.NOERROR, type: number = Type.A): Reply => ({
  message: {
    ...{ id: 1, flags: 0, opcode: 0, rcode, questions: [], authorities: [], additionals: [] },
    answers: addresses.map((data) => ({ name: "shop.example.org", type, class: 1, ttl: 5, rdata: new Uint8Array(), data })),
  },
});

test.each<[string, Reply, number, readonly string[], ReturnType<typeof judgeReply>]>([
  ["another address", reply(["192.0.2.2"]), Type.A, ["192.0.2.1"], "Absent"],
  ["the old one beside another", reply(["192.0.2.2", "192.0.2.1"]), Type.A, ["192.0.2.1"], "Present"],
  ["the old one in other words", reply(["2001:DB8:0::1"], 0, Type.AAAA), Type.AAAA, ["2001:db8::1"], "Present"],
  ["an empty answer, which is no move", reply([]), Type.A, ["192.0.2.1"], "Empty"],
  ["an error", reply(["192.0.2.2"], Rcode.SERVFAIL), Type.A, ["192.0.2.1"], "Silent"],
  ["no answer", { failure: "timeout" }, Type.A, ["192.0.2.1"], "Silent"],
])("%s", (_name, answer, type, addresses, verdict) => expect(judgeReply(answer, type, addresses)).toBe(verdict));

test("the longer it takes the longer the gaps, so that the error stays a twentieth, and no gap is above a second", () => {
  expect([0, 1000, 4000, 60_000].map((waited) => nextGap(waited, 50))).toEqual([50, 50, 200, 1000]);
});

const SERVER = { address: "192.0.2.53", port: 53 };
const lookout = (more: Partial<Lookout> = {}): Lookout => ({
  ...{ server: SERVER, question: { name: "shop.example.org", type: Type.A }, addresses: ["192.0.2.1"] },
  ...{ until: "Absent", shortestGap: 50, patience: 10_000 },
  ...more,
});

function start(answer: (at: number) => Reply, queriesPerSecond = 1000) {
  const clock = createSimulatedClock();
  const asked: number[] = [];
  const watch = createAnswerWatch({
    async ask() {
      asked.push(clock.now());
      return answer(clock.now());
    },
    now: clock.now,
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
    queriesPerSecond,
  });
  const ends: (LookoutEnd & { readonly at: number })[] = [];
  const present: number[] = [];
  const begin = (one = lookout()) =>
    watch.start(
      one,
      (end) => ends.push({ ...end, at: clock.now() }),
      () => present.push(clock.now()),
    );
  return { clock, asked, ends, present, begin };
}

test("what moves is seen within a twentieth of the time that it took, and then nobody is asked any more", async () => {
  const { clock, asked, ends, begin } = start((at) => reply([at < 3000 ? "192.0.2.1" : "192.0.2.2"]));
  begin();
  await clock.advance(60_000);
  expect(ends).toEqual([{ kind: "Seen", at: expect.any(Number) }]);
  expect(ends[0]!.at).toBeGreaterThanOrEqual(3000);
  expect(ends[0]!.at).toBeLessThan(3000 * 1.06);
  expect(clock.pending()).toBe(0);
  expect(asked.length).toBeLessThan(60);
});

test("what comes back is seen as well, and when one of its addresses is answered is told before the end", async () => {
  const { clock, ends, present, begin } = start((at) => reply([at < 3000 ? "192.0.2.2" : "192.0.2.1"]));
  begin(lookout({ until: "Present" }));
  await clock.advance(60_000);
  expect(ends).toEqual([{ kind: "Seen", at: expect.any(Number) }]);
  expect(ends[0]!.at).toBeGreaterThanOrEqual(3000);
  expect(ends[0]!.at).toBeLessThan(3000 * 1.06);
  expect(present).toEqual([ends[0]!.at]);
});

test("that what goes was answered at all is told once", async () => {
  const { clock, ends, present, begin } = start((at) => reply([at < 3000 ? "192.0.2.1" : "192.0.2.2"]));
  begin();
  await clock.advance(60_000);
  expect(present).toEqual([0]);
  expect(ends).toHaveLength(1);
});

test("without patience it asks once", async () => {
  const { clock, asked, ends, present, begin } = start(() => reply(["192.0.2.2"]));
  begin(lookout({ until: "Present", patience: 0 }));
  await clock.advance(60_000);
  expect([asked, present, ends]).toEqual([[0], [], [{ kind: "Timeout", heard: true, at: 0 }]]);
});

test.each([
  ["a server that goes on", () => reply(["192.0.2.1"]), true],
  ["a server that is silent", (): Reply => ({ failure: "timeout" }), false],
])("%s is given up on after the patience", async (_name, answer, heard) => {
  const { clock, ends, begin } = start(answer);
  begin();
  await clock.advance(60_000);
  expect(ends).toEqual([{ kind: "Timeout", heard, at: expect.any(Number) }]);
  expect(ends[0]!.at).toBeGreaterThanOrEqual(10_000);
  expect(ends[0]!.at).toBeLessThan(11_500);
});

test("a cancelled one asks no more and says nothing, even if its answer is under way", async () => {
  const { clock, asked, ends, begin } = start(() => reply(["192.0.2.2"]));
  const cancel = begin();
  begin()();
  cancel();
  await clock.advance(60_000);
  expect([asked, ends]).toEqual([[], []]);
});

test("all together ask no more often than they may, and nobody is left out", async () => {
  const { clock, asked, ends, begin } = start((at) => reply([at < 5000 ? "192.0.2.1" : "192.0.2.2"]), 100);
  for (let i = 0; i < 40; i++) begin();
  await clock.advance(20_000);
  expect(ends).toHaveLength(40);
  for (let from = 0; from < 10_000; from += 1000) {
    const within = asked.filter((at) => at >= from && at < from + 1000).length;
    expect(within).toBeLessThanOrEqual(101);
  }
});
