import { expect, test } from "vitest";
import { ms } from "../../src/model/units.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { KubeError } from "../kube/kube-error.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { createWriteLane, retry, type TermLane, type Writing } from "./write-lane.ts";

const refusal = (status: number, message: string): KubeError => new KubeError(message, { status, reason: "" });
const FENCE = "ValidatingAdmissionPolicy 'globalroute-writer-fence' denied the request: not of this term";

/** One kind of things, each of whose writes the test answers for. */
function world(answer: (id: string) => Promise<unknown>) {
  const clock = createSimulatedClock();
  const ports: KubePorts = { ...clock, random: () => 0.5, setTimer: (delay, callback) => clock.setTimer(ms(delay), callback) };
  let lane: TermLane | undefined;
  const said: string[] = [];
  const writing: Writing = {
    name: "thing",
    begin(next) {
      lane = next;
      said.push(`begin ${next.term.epoch}`);
    },
    async write(id, { send }) {
      const sent = await send(() => answer(id));
      return sent.kind === "Later" ? retry(sent) : "Done";
    },
    end() {
      said.push(`end ${lane?.term.epoch}`);
      lane = undefined;
    },
  };
  const errors: string[] = [];
  const writes = createWriteLane({
    writings: [writing],
    ports,
    onError: (_, error) => {
      throw error;
    },
    onLater: (key, { message }) => errors.push(`${key}: ${message}`),
  });
  function lead(epoch: number) {
    const end = new AbortController();
    const over = writes.lead({ epoch, deadline: () => Number.POSITIVE_INFINITY, signal: end.signal });
    return { end: () => end.abort(), over };
  }
  return { clock, said, errors, lead, add: (id: string) => lane?.add(id, 1) };
}

test("a term begins when nothing of the one before runs any more: its end would be taken for the end of both", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { clock, said, lead, add } = world(() => promise);
  const first = lead(1);
  await clock.advance(10);
  add("slow");
  first.end();
  const second = lead(2);
  await clock.advance(5000);
  expect(said).toEqual(["begin 1"]);
  resolve();
  await first.over;
  await clock.advance(10);
  expect(said).toEqual(["begin 1", "end 1", "begin 2"]);
  second.end();
  await second.over;
});

test("a term that is over before it could begin writes nothing", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { clock, said, lead, add } = world(() => promise);
  const first = lead(1);
  await clock.advance(10);
  add("slow");
  first.end();
  const second = lead(2);
  second.end();
  resolve();
  await Promise.all([first.over, second.over]);
  expect(said).toEqual(["begin 1", "end 1"]);
});

test("what is tried again is told, so that a server which takes nothing is noticed", async () => {
  const { clock, errors, lead, add } = world(() => Promise.reject(refusal(500, "PATCH /x: it broke")));
  const { end, over } = lead(1);
  await clock.advance(10);
  add("shop");
  await clock.advance(10);
  expect(errors).toEqual(["thing shop: PATCH /x: it broke"]);
  end();
  await over;
});

test("the fence is told only when it does not open: after a takeover the API server needs a moment", async () => {
  let isOpen = false;
  const { clock, errors, lead, add } = world(() => (isOpen ? Promise.resolve() : Promise.reject(refusal(422, FENCE))));
  const { end, over } = lead(1);
  await clock.advance(10);
  add("shop");
  await clock.advance(2000);
  isOpen = true;
  await clock.advance(10_000);
  expect(errors).toEqual([]);
  isOpen = false;
  add("blog");
  await clock.advance(20_000);
  expect(errors[0]).toBe(`thing blog: ${FENCE}`);
  end();
  await over;
});
