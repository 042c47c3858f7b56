import { expect, test } from "vitest";
import { fakeTerminal } from "../../test/support/fake-terminal.ts";
import { openLiveView } from "./live-view.ts";

test("the frame is drawn over the last one, line by line, and what is below is cleared", () => {
  const { terminal, written } = fakeTerminal();
  openLiveView(
    terminal,
    () => ["one", "two"],
    () => {},
  );
  expect(written).toEqual(["\u001b[?1049h\u001b[?25l", "\u001b[Hone\u001b[K\r\ntwo\u001b[K\u001b[J"]);
});

test("a resize draws for the new size", () => {
  const { terminal, output, written } = fakeTerminal();
  openLiveView(
    terminal,
    (width, height) => [`${width}x${height}`],
    () => {},
  );
  output.columns = 100;
  output.emit("resize");
  expect(written.at(-1)).toContain("100x24");
});

test("a terminal that does not know its size is taken for 80 by 24, not for one that shows nothing", () => {
  const { terminal, output, written } = fakeTerminal();
  output.columns = 0;
  output.rows = 0;
  openLiveView(
    terminal,
    (width, height) => [`${width}x${height}`],
    () => {},
  );
  expect(written.at(-1)).toContain("80x24");
});

test.each([
  { key: "q", quits: 1 },
  { key: "\u0003", quits: 1 },
  { key: "x", quits: 0 },
])("key $key quits $quits times", ({ key, quits }) => {
  const { terminal, input } = fakeTerminal();
  let asked = 0;
  openLiveView(
    terminal,
    () => [],
    () => asked++,
  );
  input.emit("data", Buffer.from(key));
  expect(asked).toBe(quits);
});

test.each(["close", "a crash"])("%s puts the terminal back, once, and nothing is drawn any more", (how) => {
  const { terminal, input, output, written, raw, ends } = fakeTerminal();
  const view = openLiveView(
    terminal,
    () => ["frame"],
    () => {},
  );
  if (how === "close") view.close();
  else for (const restore of ends) restore();
  view.close();
  view.redraw();
  output.emit("resize");
  expect(written.slice(2)).toEqual(["\u001b[?25h\u001b[?1049l"]);
  expect(raw).toEqual([true, false]);
  expect([ends.size, input.listenerCount("data"), output.listenerCount("resize")]).toEqual([0, 0, 0]);
});
