/** The embedded proxy in a process of its own: what large bodies and thousands of idle tunnels cost it. */
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { forgetPeak, memoryOf } from "../../support/streams/memory.ts";
import { requireOpenFiles } from "../../support/streams/open-files.ts";
import { type Origin, startOrigin } from "../../support/streams/origin.ts";
import { type ProxyProcess, startProxyProcess } from "../../support/streams/proxy-process.ts";
import { mostOnTheWay, type Transfer, transfer } from "../../support/streams/transfer.ts";
import { echo, echoOnce, openTunnels } from "../../support/streams/tunnels.ts";

const GIB = 1 << 30;

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function world(...addresses: readonly string[]): Promise<{ readonly origin: Origin; readonly proxy: ProxyProcess }> {
  const origin = await startOrigin(...addresses);
  closers.push(() => origin.close());
  const proxy = await startProxyProcess(addresses, origin.port);
  closers.push(() => proxy.remove());
  return { origin, proxy };
}

describe("a gigabyte", () => {
  /** Of the proxy's process, MiB, beyond what a fourth of it took: V8 lets some 64 MiB of pieces lie before it collects them. */
  const GROWTH = 64;

  test("passes down and up as it was sent, waits where its reader does, and leaves the proxy's memory as it was", async () => {
    const { origin, proxy } = await world("127.0.10.1");
    const each = (size: number, stops: number): readonly Transfer[] =>
      (["length", "chunked"] as const).flatMap((framing) => [
        { direction: "down", framing, size, stops },
        { direction: "up", framing, size, stops },
      ]);
    forgetPeak(proxy.pid);
    for (const warmUp of each(GIB / 8, 2)) await transfer(proxy.port, origin, warmUp);
    const before = memoryOf(proxy.pid).peak;
    forgetPeak(proxy.pid);
    for (const one of each(GIB / 2, 2)) {
      const { taken, wrongAt, kept } = await transfer(proxy.port, origin, one);
      expect({ ...one, taken, wrongAt }).toEqual({ ...one, taken: one.size, wrongAt: undefined });
      expect(kept).toBeGreaterThan(0);
      expect(kept).toBeLessThan(mostOnTheWay());
    }
    const growth = memoryOf(proxy.pid).peak - before;
    process.stdout.write(
      `proxy: at most ${before.toFixed(0)} MiB during 256 MiB each way, ${(before + growth).toFixed(0)} MiB during 1 GiB each way\n`,
    );
    expect(growth).toBeLessThan(GROWTH);
  });
});

const TUNNELS = 5000;
/** In the proxy two sockets for each; here as well. */
const OPEN_FILES = 2 * TUNNELS + 2000;

describe.skipIf(!requireOpenFiles(OPEN_FILES))("five thousand WebSockets", () => {
  /** An endpoint takes 1,024 connections. */
  const ADDRESSES = Array.from({ length: 6 }, (_, i) => `127.0.10.${i + 1}`);
  /** KiB of the proxy's process for each. */
  const MOST = 32;

  test("cost little while nobody speaks, all still echo, and end with their clients or with the proxy", async () => {
    const { origin, proxy } = await world(...ADDRESSES);
    echo(origin);
    const first = await openTunnels(proxy.port, 500);
    expect(await echoOnce(first)).toBe(500);
    for (const webSocket of first) webSocket.close();
    await Promise.all(first.map((webSocket) => once(webSocket, "close")));

    const before = memoryOf(proxy.pid).now;
    const tunnels = await openTunnels(proxy.port, TUNNELS);
    await setTimeout(2000); // several looks at all deadlines
    const idle = memoryOf(proxy.pid).now;
    const each = (1024 * (idle - before)) / TUNNELS;
    process.stdout.write(
      `proxy: ${before.toFixed(0)} MiB before, ${idle.toFixed(0)} MiB with ${TUNNELS} tunnels, ${each.toFixed(1)} KiB each\n`,
    );
    expect(each).toBeLessThan(MOST);
    expect(await echoOnce(tunnels)).toBe(TUNNELS);

    const closed = tunnels.map((webSocket) => once(webSocket, "close"));
    for (const webSocket of tunnels.slice(0, TUNNELS / 2)) webSocket.close();
    await Promise.all(closed.slice(0, TUNNELS / 2));
    expect(await proxy.stop()).toBe(0);
    await Promise.all(closed);
  });
});
