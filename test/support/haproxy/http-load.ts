/** Requests at a steady rate, whatever becomes of them: what clients of a site do. */
import { Agent, request } from "node:http";

export interface Outcome {
  readonly id: string;
  readonly method: string;
  /** 0 = the connection failed. */
  readonly status: number;
  readonly body: string;
  /** Milliseconds. */
  readonly took: number;
}

export interface Sent {
  readonly method: string;
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
  { method, host = "shop.example.org", path = "/", from, headers = {} }: Sent,
  agent?: Agent,
): Promise<Outcome> {
  const id = `${++sequence}`;
  const began = performance.now();
  return new Promise((resolve) => {
    const end = (status: number, body: string): void => resolve({ id, method, status, body, took: performance.now() - began });
    const options = { host: "127.0.0.1", port, method, path, headers: { ...headers, host, "x-id": id } };
    const sent = request(
      { ...options, ...(from === undefined ? {} : { localAddress: from }), ...(agent === undefined ? {} : { agent }) },
      (response) => {
        let body = "";
        response.on("data", (chunk) => (body += chunk));
        response.on("end", () => end(response.statusCode!, body));
        response.on("error", () => end(0, ""));
      },
    );
    sent.on("error", (error) => end(0, String(error)));
    sent.end(method === "POST" ? "an order" : undefined);
  });
}

/**
 * Four GETs and a POST every ten milliseconds, which is 500 requests/s.
 *
 * @returns stops, and resolves with all outcomes
 */
export function startLoad(port: number): () => Promise<readonly Outcome[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 2_000 });
  const outcomes: Promise<Outcome>[] = [];
  const timer = setInterval(() => {
    for (const method of ["GET", "GET", "GET", "GET", "POST"]) outcomes.push(send(port, { method }, agent));
  }, 10);
  return async () => {
    clearInterval(timer);
    const all = await Promise.all(outcomes);
    agent.destroy();
    return all;
  };
}
