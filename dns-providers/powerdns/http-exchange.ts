/** One request of HTTP and its whole answer. */
import { Agent, request } from "undici";

export interface HttpRequest {
  readonly method: "GET" | "PATCH";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * @throws Error when there is no whole answer; the signal's reason when it is aborted
 */
export type HttpExchange = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;

/** What a server may make us hold, bytes: ten thousand names with a large policy each are a quarter of it. */
const MAX_BODY = 128 * 1024 * 1024;

/** @param ca PEM of who signed the server's certificate, if it is none of the authorities that Node knows */
export function exchangeOverHttp({ ca }: { readonly ca?: string } = {}): HttpExchange {
  const dispatcher = new Agent({ connections: 2, ...(ca === undefined ? {} : { connect: { ca } }) });
  return async ({ method, url, headers, body }, signal) => {
    const answer = await request(url, {
      ...{ dispatcher, method, headers, signal },
      body: body ?? null,
      headersTimeout: 0, // deadlines are the caller's
      bodyTimeout: 0,
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > MAX_BODY) throw new Error(`its answer is longer than ${MAX_BODY >> 20} MiB`);
      chunks.push(chunk);
    }
    return { status: answer.statusCode, body: Buffer.concat(chunks).toString("utf8") };
  };
}
