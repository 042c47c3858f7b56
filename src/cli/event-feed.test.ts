import fc from "fast-check";
import { expect, test } from "vitest";
import type { TimelineEvent } from "../observe/timeline.ts";
import { createSseReader, followEvents } from "./event-feed.ts";

const event = (id: number): TimelineEvent => ({
  id,
  at: 1000 + id,
  kind: "Failover",
  object: "GlobalRoute default/shop",
  message: "é 日",
  details: {},
});
const wire = (id: number): string => `id: ${id}\nevent: Failover\ndata: ${JSON.stringify(event(id))}\n\n`;

test("events arrive however their text is cut", () => {
  const text = `retry: 2000\n\n: heartbeat\n\n${wire(1)}event: gap\ndata: {}\n\n${wire(2)}`;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 10 }), (cuts) => {
      const heard: string[] = [];
      const read = createSseReader(({ name }) => heard.push(name));
      const at = [0, ...cuts.sort((a, b) => a - b), text.length];
      for (const [i, end] of at.entries()) read(text.slice(at[i - 1] ?? 0, end));
      expect(heard).toEqual(["Failover", "gap", "Failover"]);
    }),
  );
});

/** A server that ends each stream after what the next entry holds; `undefined` = nobody is there. */
function server(streams: readonly (string | undefined)[], stop: AbortController) {
  const asked: (string | null)[] = [];
  const waits: number[] = [];
  const fetch: typeof globalThis.fetch = async (_url, init) => {
    const body = streams[asked.length];
    asked.push(new Headers(init?.headers).get("last-event-id"));
    if (body === undefined) throw new TypeError("fetch failed");
    return new Response(new Blob([body]).stream());
  };
  const sleep = async (milliseconds: number): Promise<void> => {
    waits.push(milliseconds);
    if (asked.length >= streams.length) stop.abort();
  };
  return { io: { fetch, sleep }, asked, waits };
}

test("a stream that ends is asked for again from the last event on, and so is a server that is away", async () => {
  const stop = new AbortController();
  const { io, asked, waits } = server([wire(4) + wire(5), undefined, wire(6)], stop);
  const heard: number[] = [];
  await followEvents(io, "http://127.0.0.1:1", { after: 3, onEvent: ({ id }) => heard.push(id) }, stop.signal);
  expect(heard).toEqual([4, 5, 6]);
  expect(asked).toEqual(["3", "5", "5"]);
  expect(waits).toEqual([2000, 2000, 2000]);
});

test("gaps are told; what is no event of ours, or was cut off, is passed over", async () => {
  const stop = new AbortController();
  const { io } = server([`event: gap\ndata: {"after":9}\n\ndata: no json\n\n${wire(1)}id: 2\ndata: {"id":2`, wire(3)], stop);
  const heard: (number | "gap")[] = [];
  const onGap = (): void => void heard.push("gap");
  await followEvents(io, "http://127.0.0.1:1", { onEvent: ({ id }) => heard.push(id), onGap }, stop.signal);
  expect(heard).toEqual(["gap", 1, 3]);
});
