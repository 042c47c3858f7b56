/** HTTP to one API server: credentials, deadlines, and failures told so that somebody can act on them. */
import type { Dispatcher } from "undici";
import { describeRefusal, type RequestVerb } from "./describe-refusal.ts";
import { type AgentOptions, createKubeAgents } from "./kube-agents.ts";
import type { Credential, KubeConnection } from "./kube-connection.ts";
import { KubeError } from "./kube-error.ts";
import type { KubePorts } from "./kube-ports.ts";
import { readRetryAfter, readStatus } from "./kube-status.ts";
import { describeFailure } from "./network-failure.ts";

export interface TransportOptions extends AgentOptions {
  /** `globalroute/0.2.0 (writer epoch 7)`, asked for at each request. */
  readonly userAgent: () => string;
  /** Milliseconds for a whole request, or until a watch is accepted. */
  readonly deadline?: number;
  /** Milliseconds without a byte after which a watch counts as failed; servers are asked to end it before. */
  readonly quietWatch?: number;
}

export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  /** With its `?`. */
  readonly query?: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** In words of RBAC, for messages. */
  readonly verb?: RequestVerb;
  readonly signal?: AbortSignal;
}

export interface KubeTransport {
  /** @returns the parsed body of a success; rejects with a KubeError */
  send(request: KubeRequest): Promise<unknown>;
  /** Resolves when the server or the signal ends it. What `onChunk` throws ends it, too, and is rejected with. */
  stream(request: KubeRequest, onOpen: () => void, onChunk: (chunk: Uint8Array) => void): Promise<void>;
  close(): void;
}

const DEADLINE = 10_000;
/** Of a watch, by default. */
export const QUIET_WATCH = 90_000;
/**
 * What a server may make us hold at once, in bytes; parsed it takes several times as much. Pages of usual objects are a thirtieth of it, and 40
 * of the largest objects that etcd takes (1.5 MB) fit.
 */
const MAX_BODY = 64 * 1024 * 1024;
const MAX_ERROR_BODY = 1024 * 1024;

export function createKubeTransport(connection: KubeConnection, ports: KubePorts, options: TransportOptions): KubeTransport {
  const { server } = connection;
  const base = new URL(server);
  if (base.protocol !== "https:" && !(base.protocol === "http:" && connection.allowHttp === true)) {
    throw new TypeError(`${base.protocol} is no way to talk to an API server`);
  }
  const prefix = base.pathname.replace(/\/+$/, "");
  const deadline = options.deadline ?? DEADLINE;
  const agents = createKubeAgents(connection, options);
  const closing = new AbortController();

  const fail = (
    request: KubeRequest,
    fact: string,
    remedy: string,
    status: number,
    reason: string,
    more: { retryAfter?: number; cause?: unknown } = {},
  ) =>
    new KubeError(
      `${server}: ${request.method} ${request.path}: ${fact}. ${remedy}`,
      { status, reason, ...(more.retryAfter === undefined ? {} : { retryAfter: more.retryAfter }) },
      more.cause === undefined ? undefined : { cause: more.cause },
    );

  /** It may be a command that makes it, which can hang. */
  async function credentialFor(request: KubeRequest, renew: boolean, signal: AbortSignal): Promise<Credential> {
    try {
      return await unlessAborted(connection.credential(renew), signal);
    } catch (error) {
      if (signal.aborted && !(signal.reason instanceof KubeError)) throw error; // given up, and not too late
      const fact = `the credential cannot be read: ${error instanceof Error ? error.message : "no reason given"}`;
      throw fail(request, fact, "See to the kubeconfig, or to the command that it names.", 0, "Credential", { cause: error });
    }
  }

  /** Sends it with the credential of now, and once more after a 401 when there is a newer one: a 401 says that nothing was done. */
  async function dispatch(request: KubeRequest, signal: AbortSignal): Promise<{ answer: Dispatcher.ResponseData; credential: Credential }> {
    let credential = await credentialFor(request, false, signal);
    for (let renewed = false; ; renewed = true) {
      const headers: Record<string, string> = { accept: "application/json", "user-agent": options.userAgent() };
      if (credential.token !== undefined) headers.authorization = `Bearer ${credential.token}`;
      if (request.contentType !== undefined) headers["content-type"] = request.contentType;
      const answer = await agents.of(credential).request({
        origin: base.origin,
        path: `${prefix}${request.path}${request.query ?? ""}`,
        method: request.method,
        headers,
        body: request.body === undefined ? null : JSON.stringify(request.body),
        signal,
        headersTimeout: 0, // deadlines are ours
        bodyTimeout: 0,
      });
      if (answer.statusCode !== 401 || renewed) return { answer, credential };
      const newer = await credentialFor(request, true, signal);
      if (newer.token === credential.token && newer.cert === credential.cert) return { answer, credential };
      await answer.body.dump();
      credential = newer;
    }
  }

  /** What an answer that is no success means. */
  async function refusal(request: KubeRequest, answer: Dispatcher.ResponseData, credential: Credential): Promise<KubeError> {
    const text = await readBody(answer.body, MAX_ERROR_BODY).catch(() => undefined);
    const status = readStatus(parseJson(text ?? ""));
    const message = credential.token === undefined ? status.message : status.message.replaceAll(credential.token, "…");
    const header = answer.headers["retry-after"];
    const retryAfter = readRetryAfter(Array.isArray(header) ? header[0] : header, ports.wallClock());
    const { fact, remedy } = describeRefusal(request.verb, answer.statusCode, message);
    return fail(request, fact, remedy, answer.statusCode, status.reason, retryAfter === undefined ? {} : { retryAfter });
  }

  /** Runs one exchange; whatever it throws comes out as a KubeError. */
  async function exchange<T>(request: KubeRequest, limit: AbortController, run: () => Promise<T>): Promise<T> {
    if (closing.signal.aborted) throw fail(request, "the connection is closed", "This is a bug: report it.", 0, "Closed");
    try {
      return await run();
    } catch (error) {
      if (error instanceof KubeError) throw error;
      if (limit.signal.aborted) {
        if (limit.signal.reason instanceof KubeError) throw limit.signal.reason;
        throw fail(request, "the request was given up", "Nothing needs to be done.", 0, "Aborted");
      }
      const { fact, remedy, reason } = describeFailure(error);
      throw fail(request, fact, remedy, 0, reason, { cause: error });
    }
  }

  /** Aborted by the caller, by `close`, or with a KubeError by time. */
  function limitOf(request: KubeRequest): { limit: AbortController; release: () => void } {
    const limit = new AbortController();
    const giveUp = (): void => limit.abort();
    const sources = [closing.signal, ...(request.signal === undefined ? [] : [request.signal])];
    for (const source of sources) {
      if (source.aborted) giveUp();
      source.addEventListener("abort", giveUp, { once: true });
    }
    return {
      limit,
      release: () => {
        for (const source of sources) source.removeEventListener("abort", giveUp);
      },
    };
  }

  const timedOut = (request: KubeRequest, milliseconds: number, what: string): KubeError =>
    fail(
      request,
      `${what} within ${milliseconds} ms`,
      "See that the API server runs, and that nothing on the way blocks it.",
      0,
      "Timeout",
    );

  return {
    async send(request) {
      const { limit, release } = limitOf(request);
      const cancelTimer = ports.setTimer(deadline, () => limit.abort(timedOut(request, deadline, "no whole answer")));
      try {
        return await exchange(request, limit, async () => {
          const { answer, credential } = await dispatch(request, limit.signal);
          if (answer.statusCode < 200 || answer.statusCode > 299) throw await refusal(request, answer, credential);
          const text = await readBody(answer.body, MAX_BODY);
          const body = text === undefined ? undefined : parseJson(text);
          if (body === undefined)
            throw fail(
              request,
              text === undefined ? `the answer is longer than ${MAX_BODY >> 20} MiB` : "the answer is not JSON",
              "See that this is the address of a Kubernetes API server.",
              0,
              "Malformed",
            );
          return body;
        });
      } finally {
        cancelTimer();
        release();
      }
    },

    async stream(request, onOpen, onChunk) {
      const { limit, release } = limitOf(request);
      const quiet = options.quietWatch ?? QUIET_WATCH;
      let cancelTimer = ports.setTimer(deadline, () => limit.abort(timedOut(request, deadline, "no answer")));
      const rearm = (): void => {
        cancelTimer();
        cancelTimer = ports.setTimer(quiet, () => limit.abort(timedOut(request, quiet, "nothing came")));
      };
      try {
        await exchange(request, limit, async () => {
          const { answer, credential } = await dispatch(request, limit.signal);
          if (answer.statusCode !== 200) throw await refusal(request, answer, credential);
          rearm();
          onOpen();
          for await (const chunk of answer.body) {
            rearm();
            onChunk(chunk);
          }
        });
      } catch (error) {
        if (request.signal?.aborted !== true) throw error;
      } finally {
        cancelTimer();
        release();
      }
    },

    close: () => {
      closing.abort();
      agents.close();
    },
  };
}

/** What a promise gives, unless the signal comes first. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new Error("it took too long"));
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    promise.then(resolve, reject);
  });
}

/** @returns undefined when there is more than that */
async function readBody(body: Dispatcher.ResponseData["body"], maximum: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maximum) return undefined; // leaving the loop destroys the body
    chunks.push(chunk);
  }
  return new TextDecoder().decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
