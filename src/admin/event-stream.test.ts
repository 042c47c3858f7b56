import { describe, expect, test } from "vitest";
import { createTimeline, type Timeline } from "../observe/timeline.ts";
import { HEARTBEAT_MS, STREAM_BUFFER_BYTES, streamEvents } from "./event-stream.ts";

/** A client whose reading can be stopped, and a timer that the test turns. */
function connect(timeline: Timeline, after?: number) {
  const written: string[] = [];
  const client = { reads: true, cut: false, tick: () => {}, timers: 0, waiting: 0 };
  const sink = {
    write: (text: string) => {
      written.push(text);
      if (!client.reads) client.waiting += text.length;
    },
    buffered: () => client.waiting,
    cut: () => {
      client.cut = true;
    },
  };
  const every = (milliseconds: number, tick: () => void) => {
    expect(milliseconds).toBe(HEARTBEAT_MS);
    client.timers++;
    client.tick = tick;
    return () => {
      client.timers--;
    };
  };
  const frames = new Set<(frame: { id: number; at: number }) => void>();
  const map = {
    subscribe(listener: (frame: { id: number; at: number }) => void) {
      frames.add(listener);
      return () => frames.delete(listener);
    },
  };
  const end = streamEvents({ timeline, map }, after, sink, every);
  return { client, end, frames, text: () => written.join(""), events: () => parse(written.join("")) };
}

/** As a browser reads it. */
const parse = (text: string): readonly { id?: string; event?: string; data?: string }[] =>
  text
    .split("\n\n")
    .map((block) =>
      Object.fromEntries(block.split("\n").flatMap((line) => (/^(id|event|data): /.test(line) ? [line.split(/: (.*)/s).slice(0, 2)] : []))),
    )
    .filter((block) => "event" in block);

const world = (capacity: number, events: number): Timeline => {
  const timeline = createTimeline(capacity, () => 1000);
  for (let i = 0; i < events; i++) add(timeline);
  return timeline;
};
const add = (timeline: Timeline): unknown =>
  timeline.add({ kind: "TablePublished", object: "table", message: "A table\nwith a line feed.", details: { version: 1 } });

describe("what a client gets when it connects", () => {
  const cases = [
    { name: "without an id: only what is new", kept: 10, events: 5, after: undefined, gets: [] },
    { name: "with the newest id: only what is new", kept: 10, events: 5, after: 5, gets: [] },
    { name: "with an older id: what it missed", kept: 10, events: 5, after: 3, gets: ["4", "5"] },
    { name: "with 0: everything", kept: 10, events: 3, after: 0, gets: ["1", "2", "3"] },
    { name: "when part is no longer kept: a gap, then the rest", kept: 2, events: 5, after: 1, gets: ["gap 1 4", "4", "5"] },
    { name: "when one is no longer kept: a gap", kept: 2, events: 5, after: 2, gets: ["gap 2 4", "4", "5"] },
    { name: "exactly at the edge of what is kept: no gap", kept: 2, events: 5, after: 3, gets: ["4", "5"] },
    {
      name: "with an id of a process before this one: a gap, then everything",
      kept: 10,
      events: 2,
      after: 500,
      gets: ["gap 500 1", "1", "2"],
    },
    { name: "with such an id before anything happened: a gap", kept: 10, events: 0, after: 500, gets: ["gap 500 1"] },
  ];
  test.each(cases)("$name", ({ kept, events, after, gets }) => {
    const seen = connect(world(kept, events), after).events();
    expect(
      seen.map(({ id, event, data }) => (event === "gap" ? `gap ${JSON.parse(data!).after} ${JSON.parse(data!).oldest}` : id)),
    ).toEqual(gets);
  });
});

test("new events follow what was missed, each once, in order, as one line of JSON", () => {
  const timeline = world(10, 2);
  const { events } = connect(timeline, 0);
  add(timeline);
  expect(events().map(({ id }) => id)).toEqual(["1", "2", "3"]);
  expect(events()[2]).toMatchObject({ event: "TablePublished" });
  expect(JSON.parse(events()[2]!.data!)).toEqual(timeline.list(2)[0]);
});

test("heartbeats keep the connection alive and are no events", () => {
  const { client, text, events } = connect(world(10, 0));
  client.tick();
  client.tick();
  expect(text().match(/^: heartbeat$/gm)).toHaveLength(2);
  expect(events()).toEqual([]);
});

test("an ended stream listens to nothing any more", () => {
  const timeline = world(10, 0);
  const { client, end, text } = connect(timeline);
  end();
  add(timeline);
  expect([client.timers, text()]).toEqual([0, "retry: 2000\n\n"]);
});

test("a client that stops reading is cut off at the bound, and costs nothing from then on", () => {
  const timeline = createTimeline(10, () => 1000);
  const { client, text } = connect(timeline);
  client.reads = false;
  const big = () => timeline.add({ kind: "TablePublished", object: "table", message: "x".repeat(100_000), details: {} });
  for (let i = 0; i < 12; i++) big();
  expect(client.cut).toBe(true);
  expect(client.timers).toBe(0);
  const length = text().length;
  big();
  expect(text().length).toBe(length);
  expect(length).toBeLessThan(STREAM_BUFFER_BYTES + 200_000);
});

test("another frame of the map is told without an id, so that nobody resumes from it", () => {
  const { frames, events, end } = connect(world(10, 0));
  for (const tell of frames) tell({ id: 7, at: 1000 });
  expect(events()).toEqual([{ event: "map", data: '{"id":7,"at":1000}' }]);
  end();
  expect(frames.size).toBe(0);
});
