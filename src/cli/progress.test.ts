import { expect, test } from "vitest";
import { captureIo } from "../../test/support/run-cli.ts";
import { withProgress } from "./progress.ts";

/** A terminal as standard error, and a clock that the test moves. */
function world(isTTY: boolean) {
  let now = 0;
  let tick = (): void => {};
  const written: string[] = [];
  const { io } = captureIo({
    stderr: { isTTY, columns: 20, write: (text) => written.push(text) },
    now: () => now,
    every: (_milliseconds, listener) => {
      tick = listener;
      return () => {
        tick = () => {};
      };
    },
  });
  const at = (milliseconds: number): void => {
    now = milliseconds;
    tick();
  };
  return { io, written, at };
}

test("long work is told of, cut to the terminal, and the line is taken away again", async () => {
  const { io, written, at } = world(true);
  const result = await withProgress(io, "asking the provider of example.org", async () => {
    at(100);
    expect(written).toEqual([]);
    at(500);
    at(3100);
    return 7;
  });
  expect(result).toBe(7);
  expect(written).toEqual(["\r\u001b[K⠋ asking the provid", "\r\u001b[K⠙ asking the provid", "\r\u001b[K"]);
  at(4000);
  expect(written).toHaveLength(3);
});

test("seconds are counted", async () => {
  const { io, written, at } = world(true);
  await withProgress(io, "asking", async () => at(3100));
  expect(written[0]).toBe("\r\u001b[K⠋ asking  3 s");
});

test("work that fails leaves no line either, and its error is the caller's", async () => {
  const { io, written, at } = world(true);
  const work = withProgress(io, "asking", async () => {
    at(500);
    throw new Error("refused");
  });
  await expect(work).rejects.toThrow("refused");
  expect(written.at(-1)).toBe("\r\u001b[K");
});

test("nothing is written where nobody looks", async () => {
  const { io, written, at } = world(false);
  await withProgress(io, "asking", async () => at(5000));
  expect(written).toEqual([]);
});
