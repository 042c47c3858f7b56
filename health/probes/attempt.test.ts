import { expect, test } from "vitest";
import { limits } from "../support/loopback.ts";
import { attempt } from "./attempt.ts";

test("the first end counts; what was opened is closed once, also what is opened afterwards", async () => {
  const closed: string[] = [];
  const result = await attempt(limits(), (run) => {
    run.release(() => closed.push("first"));
    run.finish("status", 0.5);
    run.finish("ok");
    run.fail(new Error("late"));
    run.release(() => closed.push("late"));
  });
  expect(result).toMatchObject({ ok: false, reason: "status", load: 0.5 });
  expect(closed).toEqual(["first", "late"]);
});

test("an exception is classified, not thrown", async () => {
  const result = await attempt(limits(), () => {
    throw Object.assign(new Error("no"), { code: "EMFILE" });
  });
  expect(result).toMatchObject({ ok: false, reason: "descriptors" });
});

test("the deadline ends it with what was settled, else as a timeout", async () => {
  expect((await attempt(limits(20), () => {})).reason).toBe("timeout");
  expect(await attempt(limits(20), (run) => run.settle("ok", 0.1))).toMatchObject({ reason: "ok", load: 0.1 });
});

test("no listener is left on the signal", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  await attempt(limits(1000, signal), (run) => run.finish("ok"));
  expect(listeners).toBe(0);
});
