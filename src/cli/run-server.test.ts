import { expect, test } from "vitest";
import { captureIo } from "../../test/support/run-cli.ts";
import { createLog } from "../observe/log.ts";
import { runServer } from "./server-options.ts";

test("whoever asks it to stop while it starts is heard: in a container nobody else would act on the signal", async () => {
  const listeners = new Map<string, () => void>();
  const io = {
    ...captureIo().io,
    onSignal: (name: string, listener: () => void) => {
      listeners.set(name, listener);
      return () => listeners.delete(name);
    },
  };
  const { promise, resolve } = Promise.withResolvers<void>();
  let stopped = 0;
  const service = { stop: async () => void stopped++ };
  const run = runServer(
    async () => {
      await promise;
      return service;
    },
    io,
    createLog({ level: "error", pretty: false, now: io.now, write: () => undefined }),
  );
  await Promise.resolve();
  listeners.get("SIGTERM")?.();
  resolve();
  expect(await run).toBe(0);
  expect([stopped, listeners.size]).toEqual([1, 0]);
});

test("what cannot start leaves no listener behind", async () => {
  const listeners = new Set<string>();
  const io = {
    ...captureIo().io,
    onSignal: (name: string) => {
      listeners.add(name);
      return () => listeners.delete(name);
    },
  };
  const log = createLog({ level: "error", pretty: false, now: io.now, write: () => undefined });
  await expect(runServer(() => Promise.reject(new Error("no")), io, log)).rejects.toThrow("no");
  expect(listeners.size).toBe(0);
});
