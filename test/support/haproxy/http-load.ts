/** Requests at a steady rate, whatever becomes of them: what clients of a site do. */
import { Agent, request } from "node:http";

export interface Outcome {
  readonly id: string;
  readonly method: string;
  /** 0 = the connection failed. */
  readonly status: number;
  readonly body: string;
  /** Seconds, as the answer's Retry-After says. */
  readonly retryAfter?: string;
  /** False when the answer broke off after its head. */
  readonly isWhole: boolean;
  /** Milliseconds since the process began, of the first byte sent. */
  readonly began: number;
  /** Milliseconds. */
  readonly took: number;
}

export interface Sent {
  readonly method: string;
  /** `an order` for a POST and nothing for others if not given. */
  readonly body?: string;
  readonly host?: string;
  readonly path?: string;
  /** The client's address. */
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

let sequence = 0;

/** @returns what became of it; never rejects */
export function send(
  port: number,
  { method, body = method === "POST" ? "an order" : undefined, host = "shop.example.org", path = "/", from, headers = {} }: Sent,
  agent?: Agent,
): Promise<Outcome> {
  const id = `${++sequence}`;
  const began = performance.now();
  return new Promise((resolve) => {
    const end = (status: number, told: string, isWhole = true, retryAfter?: string): void =>
      resolve({
        ...{ id, method, status, body: told, isWhole, began, took: performance.now() - began },
        ...(retryAfter === undefined ? {} : { retryAfter }),
      });
    const options = { host: "127.0.0.1", port, method, path, headers: { ...headers, host, "x-id": id } };
    const sent = request(
      { ...options, ...(from === undefined ? {} : { localAddress: from }), ...(agent === undefined ? {} : { agent }) },
      (response) => {
        let told = "";
        response.on("data", (chunk) => (told += chunk));
        response.on("end", () => end(response.statusCode!, told, true, response.headers["retry-after"]));
        response.on("error", () => end(response.statusCode!, told, false));
      },
    );
    sent.on("error", (error) => end(0, String(error)));
    sent.end(body);
  });
}

/** Of a kilobyte, the most that a request is promised to be repeated with. */
const CART = "x".repeat(1024);

/** Rounds of requests that are made up for, and requests that wait for an answer, at most. */
const MOST_LATE = 10;
const MOST_OPEN = 1_500;

/**
 * Three GETs, a PUT of a kilobyte and a POST every ten milliseconds, which is 500 requests/s.
 *
 * @returns stops, and resolves with all outcomes
 */
export function startLoad(port: number): () => Promise<readonly Outcome[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 2_000 });
  const outcomes: Promise<Outcome>[] = [];
  const began = performance.now();
  let sent = 0;
  let open = 0;
  const sendOne = async (method: string): Promise<Outcome> => {
    open++;
    const outcome = await send(port, { method, ...(method === "PUT" ? { body: CART } : {}) }, agent);
    open--;
    return outcome;
  };
  const timer = setInterval(() => {
    const due = (performance.now() - began) / 10;
    // A timer that comes late is made up for, so that the rate holds; a machine that cannot keep up is not buried.
    for (sent = Math.max(sent, due - MOST_LATE); sent < due && open < MOST_OPEN; sent++) {
      outcomes.push(...["GET", "GET", "GET", "PUT", "POST"].map(sendOne));
    }
  }, 10);
  return async () => {
    clearInterval(timer);
    const all = await Promise.all(outcomes);
    agent.destroy();
    return all;
  };
}
