import { expect, test } from "vitest";
import { fakeTerminal } from "../../test/support/fake-terminal.ts";
import { captureIo } from "../../test/support/run-cli.ts";
import { CommandError, type Io } from "./io.ts";
import { watch } from "./watch.ts";

interface Step {
  /** What the next look finds, or why it finds nothing. */
  readonly lines: readonly string[] | CommandError;
  readonly before?: () => void;
}

/** Looks once for each step; then somebody presses `q`, or a signal comes. */
function scene(steps: readonly Step[], overrides: Partial<Io>, end: () => void) {
  let looks = 0;
  const { io, stdout, stderr } = captureIo({
    fetch: () => Promise.reject(new TypeError("fetch failed")),
    // One turn of the event loop: the feed's waits and the watch's look alike here.
    sleep: async (milliseconds) => {
      await new Promise(setImmediate);
      if (milliseconds === 500 && looks >= steps.length) end();
    },
    ...overrides,
  });
  const take = async (): Promise<readonly string[]> => {
    const step = steps[Math.min(looks++, steps.length - 1)]!;
    step.before?.();
    if (step.lines instanceof CommandError) throw step.lines;
    return step.lines;
  };
  const watched = { title: "globalroute status", url: "http://127.0.0.1:1", take, value: (lines: readonly string[]) => ({ lines }) };
  return { io, stdout, stderr, watched: { ...watched, render: (lines: readonly string[]) => lines } };
}

const GONE = new CommandError(1, "the server cannot be reached. Start one.");

test("on a terminal it is drawn in place, keeps what was seen last while the server is away, and the terminal is left as it was", async () => {
  const { terminal, input, written, raw, ends } = fakeTerminal(60, 6);
  const tty = { isTTY: true, columns: 60, write: (text: string) => written.push(text) };
  const { io, watched } = scene(
    [{ lines: ["one"] }, { lines: ["two"] }, { lines: GONE }, { lines: ["three"] }],
    { stdout: tty, terminal: () => terminal, env: { NO_COLOR: "1" } },
    () => input.emit("data", "q"),
  );
  await watch(watched, 500, "table", io);
  const frames = written.filter((text) => text.startsWith("\u001b[H"));
  expect(
    frames.map((frame) => frame.replaceAll("\u001b[H", "").replaceAll("\u001b[K", "").replaceAll("\u001b[J", "").split("\r\n").slice(1)),
  ).toEqual([
    ["", "one"],
    ["", "two"],
    ["the server cannot be reached. Start one.", "two"],
    ["", "three"],
  ]);
  expect(frames[0]).toContain("globalroute status   ");
  expect(frames[2]).toContain("as of ");
  expect(written.at(-1)).toBe("\u001b[?25h\u001b[?1049l");
  expect([raw, ends.size]).toEqual([[true, false], 0]);
});

test("what is longer than the terminal is high can be scrolled", async () => {
  const { terminal, input, written } = fakeTerminal(60, 5);
  const tty = { isTTY: true, columns: 60, write: (text: string) => written.push(text) };
  const lines = ["1", "2", "3", "4", "5", "6"];
  const press = (key: string) => () => void input.emit("data", key);
  const { io, watched } = scene(
    [{ lines }, { lines, before: press("j") }, { lines, before: press("G") }, { lines, before: press("\u001b[5~") }],
    { stdout: tty, terminal: () => terminal },
    press("\u0003"),
  );
  await watch(watched, 500, "table", io);
  const tops = written.flatMap((text) => /lines (\d) to (\d) of 6/.exec(text)?.slice(1).join("-") ?? []);
  expect([...new Set(tops)]).toEqual(["1-3", "2-4", "4-6"]);
  expect(tops.at(-1)).toBe("2-4");
});

test("elsewhere snapshots follow one another, and a lost server is told of once", async () => {
  const listeners: (() => void)[] = [];
  const onSignal = (_signal: string, listener: () => void) => {
    listeners.push(listener);
    return () => {};
  };
  const { io, stdout, stderr, watched } = scene(
    [{ lines: ["one"] }, { lines: GONE }, { lines: GONE }, { lines: ["two"] }],
    { onSignal },
    () => listeners[0]?.(),
  );
  await watch(watched, 500, "table", io);
  expect(stdout.join("").replaceAll(/\d\d:\d\d:\d\d/g, "TIME")).toBe(
    "--- globalroute status  TIME\none\n\n--- globalroute status  TIME\ntwo\n\n",
  );
  expect(stderr).toEqual(["globalroute: the server cannot be reached. Start one.\n"]);
});

test.each([
  { format: "json" as const, text: '{"lines":["one"]}\n' },
  { format: "yaml" as const, text: "---\nlines:\n  - one\n" },
])("--output $format writes a document for each look, on a terminal too", async ({ format, text }) => {
  const listeners: (() => void)[] = [];
  const onSignal = (_signal: string, listener: () => void) => {
    listeners.push(listener);
    return () => {};
  };
  const { io, stdout, watched } = scene([{ lines: ["one"] }], { onSignal, terminal: () => expect.unreachable() }, () => listeners[0]?.());
  await watch(watched, 500, format, io);
  expect(stdout.join("")).toBe(text.repeat(stdout.length));
});

test("when nobody is there at the first look it fails, and no terminal is touched", async () => {
  const { io, watched } = scene([{ lines: GONE }], { terminal: () => expect.unreachable() }, () => {});
  await expect(watch(watched, 500, "table", io)).rejects.toBe(GONE);
});

test("a server that is slow to answer is given three times as long to rest, however much happens there", async () => {
  const listeners: (() => void)[] = [];
  const sleeps: number[] = [];
  let now = 0;
  const event = `data: ${JSON.stringify({ id: 1, at: 1, kind: "Failover", object: "o", message: "m", details: {} })}\n\n`;
  const { io, watched } = scene(
    [{ lines: ["one"] }, { lines: ["two"], before: () => (now += 700) }, { lines: ["three"] }],
    {
      now: () => now,
      fetch: async () => new Response(new Blob([event.repeat(2)]).stream()),
      onSignal: (_signal, listener) => {
        listeners.push(listener);
        return () => {};
      },
      async sleep(milliseconds) {
        await new Promise(setImmediate);
        sleeps.push(milliseconds);
        if (sleeps.includes(2100) || sleeps.length > 200) listeners[0]?.();
      },
    },
    () => {},
  );
  await watch(watched, 500, "table", io);
  expect(sleeps).toContain(150);
  expect(sleeps).toContain(2100);
});
