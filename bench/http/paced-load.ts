/**
 * `node bench/http/paced-load.ts SPEC`: asks one proxy at a constant rate and prints a {@link PacedResult} as JSON. A process of its own on the
 * core of the load, behind the upstream that it shares the core with: it never sleeps, because timers are too coarse.
 *
 * autocannon has rates, too (`--overallRate`), but is silent for most of each second: it sends what is due in a second at its beginning, as fast
 * as it gets answers, in which a proxy is as busy as at full load. It also tells whole milliseconds, and what waited behind a slow answer it adds
 * by a guess. wrk has no rate.
 */
import { connect } from "node:net";
import { quantile } from "../support/report.ts";
import { BODY } from "./contender.ts";
import { createPacer } from "./pacer.ts";

export interface PacedSpec {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly host: string;
  readonly connections: number;
  /** Requests a second. */
  readonly rate: number;
  /** Before the window that is measured. */
  readonly warmupSeconds: number;
  readonly seconds: number;
}

export interface PacedResult {
  readonly due: number;
  readonly answered: number;
  /** Microseconds from when a request was due. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** How long answers that are late may take to come, ms. */
const LAST_ANSWERS = 1000;

async function run({ port, host, connections, rate, warmupSeconds, seconds }: PacedSpec): Promise<PacedResult> {
  const request = Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, "latin1");
  const sockets = Array.from({ length: connections }, () => connect({ host: "127.0.0.1", port, noDelay: true }));
  const opened = sockets.map((socket) => new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject)));
  await Promise.all(opened);
  const start = performance.now();
  const measureFrom = start + 1000 * warmupSeconds;
  const end = measureFrom + 1000 * seconds;
  const pacer = createPacer({ rate, connections, start, measureFrom, end }, (connection) => sockets[connection]!.write(request));
  sockets.forEach((socket, connection) => {
    let text = "";
    socket.setEncoding("latin1").on("data", (piece: string) => {
      text += piece;
      if (!text.endsWith(BODY)) return;
      if (text.startsWith("HTTP/1.1 200 ")) pacer.answered(connection, performance.now());
      else socket.destroy(new Error(text.slice(0, text.indexOf("\r\n"))));
      text = "";
    });
    socket.on("error", (error) => console.error(error.message)); // its requests are never answered
  });

  for (let now = start; !pacer.isOver() && now < end + LAST_ANSWERS; now = performance.now()) {
    pacer.tick(now);
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const socket of sockets) socket.destroy();
  const { due, latencies } = pacer.result();
  const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => quantile(latencies, share)) as [number, number, number];
  return { due, answered: latencies.length, p50, p99, p999 };
}

const spec: PacedSpec = JSON.parse(process.argv[2] ?? "{}");
process.stdout.write(`${JSON.stringify(await run(spec))}\n`);
