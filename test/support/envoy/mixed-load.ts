/**
 * Clients of a site in a process of their own: `fork` it with a port, a host and how many requests a second, whether earlier ones were answered or not. Of ten requests
 * five are a GET, one is a GET whose response comes in two halves, two are a PUT of 1 kB and two are a POST with an id of its own. It says `begun` when it begins. Whatever
 * message it gets ends it: it waits for the answers that are still out, and answers with all {@link MixedOutcome}s.
 */
import { Agent, request } from "node:http";

export interface MixedOutcome {
  readonly id: string;
  readonly method: string;
  /** When it was sent, ms since the load began. */
  readonly at: number;
  /** Until its end, whatever that was, ms. */
  readonly took: number;
  /** 0 = no response began. */
  readonly status: number;
  /** All of its response has come. */
  readonly isWhole: boolean;
  readonly body: string;
}

const [port, host, perSecond] = process.argv.slice(2);
const KINDS = ["GET /", "GET /", "PUT /", "GET /", "POST /", "GET /slow", "GET /", "PUT /", "GET /", "POST /"];
const BODY = Buffer.alloc(1024, "x");
const TICK_MS = 5;

const agent = new Agent({ keepAlive: true });
const start = performance.now();
const outcomes: Promise<MixedOutcome>[] = [];

function send(id: string, kind: string): Promise<MixedOutcome> {
  const [method = "", path = ""] = kind.split(" ");
  const at = performance.now() - start;
  return new Promise((resolve) => {
    let [status, body] = [0, ""];
    const end = (isWhole: boolean): void => resolve({ id, method, at, took: performance.now() - start - at, status, isWhole, body });
    const sent = request({ host: "127.0.0.1", port, method, path, agent, headers: { host, "x-id": id } }, (response) => {
      status = response.statusCode ?? 0;
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("close", () => end(response.complete));
      response.on("error", () => {}); // "close" follows
    });
    sent.on("error", () => status === 0 && end(false));
    sent.end(method === "GET" ? undefined : BODY);
  });
}

const timer = setInterval(() => {
  while (outcomes.length < ((performance.now() - start) * Number(perSecond)) / 1000) {
    outcomes.push(send(String(outcomes.length), KINDS[outcomes.length % KINDS.length]!));
  }
}, TICK_MS);
process.send?.("begun");
process.on("message", () => {
  clearInterval(timer);
  void Promise.all(outcomes).then((all) => process.send?.(all, () => process.exit(0)));
});
process.on("disconnect", () => process.exit(0));
