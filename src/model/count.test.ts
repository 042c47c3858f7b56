import { expect, test } from "vitest";
import { count } from "./count.ts";

test("counts agree with their noun", () => {
  expect([count(1, "file"), count(0, "file"), count(2, "entry", "entries")]).toEqual(["1 file", "0 files", "2 entries"]);
});
