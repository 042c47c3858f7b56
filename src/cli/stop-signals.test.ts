import { expect, test } from "vitest";
import { stopSignals } from "./stop-signals.ts";

/** Says which signals arrive when, and counts what that asks for. */
async function heard(...signals: readonly { readonly at: number; readonly name: "SIGINT" | "SIGTERM" }[]) {
  const listeners = new Map<string, () => void>();
  let now = 0;
  let again = 0;
  const io = {
    now: () => now,
    onSignal: (name: string, listener: () => void) => {
      listeners.set(name, listener);
      return () => listeners.delete(name);
    },
  };
  const stop = stopSignals(io, () => again++);
  let asked = false;
  void stop.asked.then(() => {
    asked = true;
  });
  for (const { at, name } of signals) {
    now = at;
    listeners.get(name)?.();
  }
  await Promise.resolve();
  stop.forget();
  return { asked, again, listening: listeners.size };
}

test.each([
  { name: "nothing", signals: [], asked: false, again: 0 },
  { name: "one signal", signals: [{ at: 0, name: "SIGTERM" }], asked: true, again: 0 },
  {
    name: "the same request twice, as systemd and the launcher send it",
    signals: [
      { at: 0, name: "SIGTERM" },
      { at: 5, name: "SIGTERM" },
    ],
    asked: true,
    again: 0,
  },
  {
    name: "somebody who lost patience",
    signals: [
      { at: 0, name: "SIGINT" },
      { at: 1000, name: "SIGINT" },
    ],
    asked: true,
    again: 1,
  },
] as const)("$name: asked $asked, again $again", async ({ signals, asked, again }) => {
  expect(await heard(...signals)).toEqual({ asked, again, listening: 0 });
});
