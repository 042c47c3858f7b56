/** One large body through the proxy, read by somebody who stops in between. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import type { Origin } from "./origin.ts";
import { type PatternSource, patternCheck, patternSource } from "./pattern.ts";
import { HOST } from "./proxy-process.ts";

export interface Transfer {
  readonly direction: "down" | "up";
  readonly framing: "length" | "chunked";
  /** Bytes. */
  readonly size: number;
  /** How often the reader stops, each time until its sender has stopped as well. */
  readonly stops: number;
}

export interface Transferred {
  readonly taken: number;
  /** Place of the first byte that was wrong. */
  readonly wrongAt: number | undefined;
  /** Bytes that the sender was ahead of the reader when both stood still, at most: all that is kept on the way, by the systems' buffers too. */
  readonly kept: number;
  readonly seconds: number;
}

/** @param port of the proxy */
export async function transfer(port: number, origin: Origin, { direction, framing, size, stops }: Transfer): Promise<Transferred> {
  const source = patternSource(size);
  const headers = framing === "length" ? { "content-length": size } : { "transfer-encoding": "chunked" };
  const started = performance.now();
  const read = Promise.withResolvers<Omit<Transferred, "seconds">>();
  origin.answerWith((incoming, response) => {
    if (direction === "up") {
      read.resolve(readWithStops(incoming, source, size, stops));
      incoming.on("end", () => response.end());
    } else {
      response.writeHead(200, headers);
      pipeline(source.stream, response).catch(read.reject);
    }
  });
  const method = direction === "up" ? "POST" : "GET";
  const asked = request({ host: "127.0.0.1", port, method, agent: false, headers: { host: HOST, ...(direction === "up" && headers) } });
  const answered = once(asked, "response");
  if (direction === "up") await Promise.all([pipeline(source.stream, asked), read.promise]);
  else asked.end();
  const [response]: IncomingMessage[] = await answered;
  if (response?.statusCode !== 200) throw new Error(`the proxy answered ${response?.statusCode}`);
  if (direction === "down") read.resolve(readWithStops(response, source, size, stops));
  else response.resume();
  return { ...(await read.promise), seconds: (performance.now() - started) / 1000 };
}

async function readWithStops(stream: Readable, source: PatternSource, size: number, stops: number): Promise<Omit<Transferred, "seconds">> {
  const check = patternCheck();
  let stopped = 0;
  let kept = 0;
  const ended = once(stream, "end");
  stream.on("data", (piece: Buffer) => {
    check.take(piece);
    if (check.taken() < ((stopped + 1) * size) / (stops + 1) || stopped === stops) return;
    stopped++;
    stream.pause();
    void standStill(source.given).then((given) => {
      kept = Math.max(kept, given - check.taken());
      stream.resume();
    });
  });
  await ended; // rejects when the stream breaks
  return { taken: check.taken(), wrongAt: check.wrongAt(), kept };
}

/** Bytes that the buffers of two connections may hold, and some more for what streams read ahead: no sender gets farther than that. */
export function mostOnTheWay(): number {
  const largest = (buffer: "rmem" | "wmem"): number =>
    Number(readFileSync(`/proc/sys/net/ipv4/tcp_${buffer}`, "latin1").trim().split(/\s+/)[2]);
  return 2 * (largest("rmem") + largest("wmem")) + AHEAD;
}

const AHEAD = 4 << 20;

/** Milliseconds without a change after which something stands still. */
const STILL = 300;

/** @returns its value, once it changes no more */
async function standStill(value: () => number): Promise<number> {
  for (let before = Number.NaN; before !== value(); await setTimeout(STILL)) before = value();
  return value();
}
