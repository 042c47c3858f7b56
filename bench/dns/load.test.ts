import { execFile } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LoadResult, LoadSpec } from "./load.ts";
import { encodeQueryFile } from "./query-file.ts";

const folder = mkdtempSync(join(tmpdir(), "globalroute-load-"));
const queryFile = join(folder, "queries");

beforeAll(() => writeFileSync(queryFile, encodeQueryFile({ names: ["www.example.org"] })));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A server that answers query n of the whole run as `answer` says: with that RCODE and one record, or not at all. */
async function loaded(spec: Pick<LoadSpec, "sockets" | "window" | "seconds" | "rate">, answer: (n: number) => number | undefined) {
  const server: Socket = createSocket("udp4");
  let seen = 0;
  server.on("message", (message, { port, address }) => {
    const rcode = answer(seen++);
    if (rcode === undefined) return;
    message[2] = 0x84;
    message[3] = rcode;
    message[7] = 1;
    server.send(message, port, address);
  });
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const whole: LoadSpec = { port: server.address().port, pid: process.pid, queryFile, warmupSeconds: 0, ...spec };
    const script = new URL("./load.ts", import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(whole)]);
    const result: LoadResult = JSON.parse(stdout);
    return { result, seen };
  } finally {
    server.close();
  }
}

test.skipIf(process.platform !== "linux")("a lost query gives its place back", { timeout: 30_000 }, async () => {
  const [sockets, window, lossy] = [2, 8, 50];
  const { result } = await loaded({ sockets, window, seconds: 1.6 }, (n) => (n % lossy === 0 ? undefined : 0));
  // If it did not, every place would be taken by a lost query after this many answers.
  expect(result.answered).toBeGreaterThan(1.5 * sockets * window * lossy);
  expect(result.lost).toBeGreaterThanOrEqual(sockets * window);
  expect(result).toMatchObject({ wrong: 0, stray: 0 });
});

test.skipIf(process.platform !== "linux")("wrong answers are counted, and queries leave at the rate", { timeout: 30_000 }, async () => {
  const { result, seen } = await loaded({ sockets: 4, window: 8, seconds: 1, rate: 2000 }, (n) => (n % 4 === 0 ? 2 : 0));
  expect(seen).toBeLessThanOrEqual(2001);
  expect(result.answered / seen).toBeGreaterThan(0.9);
  expect(result.wrong / result.answered).toBeCloseTo(0.25, 1);
  expect(result.serverCpuSeconds).toBeGreaterThan(0);
  expect(result.p50).toBeGreaterThan(0);
  expect(result.p99).toBeGreaterThanOrEqual(result.p50);
});
