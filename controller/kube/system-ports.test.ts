import { expect, test } from "vitest";
import { systemKubePorts } from "./system-ports.ts";

test("a delay that setTimeout cannot take does not end at once", async () => {
  const { setTimer } = systemKubePorts();
  let isOver = false;
  const cancel = setTimer(30 * 24 * 3600 * 1000, () => {
    isOver = true;
  });
  await new Promise<void>((resolve) => setTimer(20, resolve));
  cancel();
  expect(isOver).toBe(false);
});
