/**
 * `npm run shows:proxy-streams -- [--gigabytes 10] [--stops 20]`: bodies of that size through `serve --proxy`, down and up, by length and by chunks, to a reader that stops
 * now and then until its sender stands still. Exit code 1 when a byte is wrong or missing, when more was on the way than systems hold, or
 * when the proxy took more than 64 MiB beyond what a first gigabyte took.
 */
import { parseArgs } from "node:util";
import { forgetPeak, memoryOf } from "../../support/streams/memory.ts";
import { startOrigin } from "../../support/streams/origin.ts";
import { startProxyProcess } from "../../support/streams/proxy-process.ts";
import { mostOnTheWay, type Transfer, transfer } from "../../support/streams/transfer.ts";

const MIB = 1 << 20;
/** MiB. */
const GROWTH = 64;

const { values } = parseArgs({ options: { gigabytes: { type: "string", default: "10" }, stops: { type: "string", default: "20" } } });
const stops = Number(values.stops);
const each = (size: number): readonly Transfer[] =>
  (["length", "chunked"] as const).flatMap((framing) =>
    (["down", "up"] as const).map((direction): Transfer => ({ direction, framing, size, stops })),
  );

const origin = await startOrigin("127.0.10.1");
const proxy = await startProxyProcess(origin.addresses, origin.port);
let failed = false;
try {
  forgetPeak(proxy.pid);
  for (const warmUp of each(1e9 / 4)) await transfer(proxy.port, origin, warmUp);
  const before = memoryOf(proxy.pid).peak;
  forgetPeak(proxy.pid);
  process.stdout.write(`proxy: at most ${before.toFixed(0)} MiB during a first gigabyte\n`);
  for (const one of each(1e9 * Number(values.gigabytes))) {
    const { taken, wrongAt, kept, seconds } = await transfer(proxy.port, origin, one);
    const { now, peak } = memoryOf(proxy.pid);
    const bytes = wrongAt !== undefined ? `WRONG at ${wrongAt}` : taken === one.size ? "as sent" : `only ${taken}`;
    process.stdout.write(
      `${one.direction.padEnd(4)} ${one.framing.padEnd(7)} ${(one.size / 1e9).toFixed(1)} GB, ${bytes}, in ${seconds.toFixed(0)} s with ${stops} stops; at most ${(kept / MIB).toFixed(0)} MiB on the way; proxy ${now.toFixed(0)} MiB, at most ${peak.toFixed(0)}\n`,
    );
    failed ||= wrongAt !== undefined || taken !== one.size || kept > mostOnTheWay() || peak - before > GROWTH;
  }
} finally {
  await proxy.remove();
  origin.close();
}
process.exitCode = failed ? 1 : 0;
