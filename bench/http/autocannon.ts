/**
 * autocannon asks whoever answers far less than it can ask, as Node programs do that it was written for. It is a program in JavaScript: beside the
 * upstream, on the one core that both have, it asks a third of what wrk does, and of a faster proxy it would measure itself.
 */
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { z } from "zod";
import { CLIENT_CORE } from "../support/pinned-process.ts";
import type { FullLoad, LoadResult } from "./full-load.ts";

/** Of its limit. Above, what it says is of itself as much as of the proxy. */
const SHARE_OF_LIMIT = 0.5;

/**
 * @param rate  requests a second that a proxy answers
 * @param limit requests a second that autocannon asks of somebody who is never the limit
 */
export const autocannonCanAsk = (rate: number, limit: number): boolean => rate <= SHARE_OF_LIMIT * limit;

/** Connections that are silent for ten seconds count as failed. */
export async function runAutocannon({ url, host, connections, seconds }: FullLoad): Promise<LoadResult> {
  const script = createRequire(import.meta.url).resolve("autocannon");
  const args = ["-j", "-n", "-c", String(connections), "-d", String(seconds), "-H", `Host=${host}`, url];
  const { stdout } = await promisify(execFile)("taskset", ["-c", CLIENT_CORE, process.execPath, script, ...args]);
  return parseAutocannon(stdout);
}

const printed = z.object({
  /** Seconds. */
  duration: z.number(),
  requests: z.object({ total: z.number() }),
  /** Connections that broke or were silent; `timeouts` are among them. */
  errors: z.number(),
  /** 3xx is among them. */
  non2xx: z.number(),
  /** Whole milliseconds. */
  latency: z.object({ p50: z.number(), p99: z.number() }),
});

/**
 * What `autocannon --json` prints.
 *
 * @throws when it is no such result
 */
export function parseAutocannon(text: string): LoadResult {
  const { duration, requests, errors, non2xx, latency } = printed.parse(JSON.parse(text));
  return { seconds: duration, requests: requests.total, failed: errors + non2xx, p50: 1000 * latency.p50, p99: 1000 * latency.p99 };
}
