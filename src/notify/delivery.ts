/** Sends one notification over HTTP. */
import { Agent, request } from "undici";
import { bodyFor, type Origin, type Told } from "./messages.ts";
import type { ReceiverType } from "./notify-file.ts";
import type { Delivery } from "./outbox.ts";
import { DELIVERY_HEADER, SIGNATURE_HEADER, signatureOf, TIMESTAMP_HEADER } from "./signature.ts";

export interface Target {
  readonly type: ReceiverType;
  readonly url: string;
  readonly signingKey?: string;
  readonly token?: string;
}

/** A receiver that takes longer is asked again later, ms. */
const TIMEOUT = 10_000;
/** Of an answer, which nobody reads. */
const MAX_ANSWER = 65_536;

export interface Courier {
  readonly deliver: (target: Target, told: Told) => Promise<Delivery>;
  readonly close: () => Promise<void>;
}

/**
 * Redirects are not followed: whoever wrote the URL meant it. No reason that is returned holds a part of the URL or of an answer.
 *
 * @param now milliseconds since the epoch
 */
export function createCourier(origin: Origin, now: () => number): Courier {
  const dispatcher = new Agent({ connections: 1, headersTimeout: TIMEOUT, bodyTimeout: TIMEOUT, connect: { timeout: TIMEOUT } });
  return {
    async deliver(target, told) {
      const body = bodyFor(target.type, told, origin, now());
      try {
        const answer = await request(addressOf(target), {
          ...{ dispatcher, method: "POST", body, headers: headersOf(target, told, body, origin, now()) },
          signal: AbortSignal.timeout(TIMEOUT),
        });
        await answer.body.dump({ limit: MAX_ANSWER });
        return verdictOf(answer.statusCode, answer.headers["retry-after"], now());
      } catch (error) {
        return { outcome: "later", reason: reasonOf(error) };
      }
    },
    close: () => dispatcher.destroy(),
  };
}

/** Of Alertmanager its base is named, as in Prometheus. */
function addressOf({ type, url }: Target): string {
  return type === "Alertmanager" ? `${url.replace(/\/+$/, "")}/api/v2/alerts` : url;
}

function headersOf({ signingKey, token }: Target, { id }: Told, body: string, { version }: Origin, now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  return {
    "content-type": "application/json",
    "user-agent": `globalroute/${version}`,
    [DELIVERY_HEADER]: id,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(signingKey === undefined ? {} : { [TIMESTAMP_HEADER]: timestamp, [SIGNATURE_HEADER]: signatureOf(signingKey, timestamp, body) }),
  };
}

/** Statuses after which the same request may succeed. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429]);

export function verdictOf(status: number, retryAfter: string | readonly string[] | undefined, now: number): Delivery {
  if (status >= 200 && status < 300) return { outcome: "sent" };
  const reason = `status ${status}`;
  if (status < 500 && !PASSING.has(status)) return { outcome: "refused", reason };
  const after = typeof retryAfter === "string" ? waitOf(retryAfter, now) : undefined;
  return { outcome: "later", reason, ...(after === undefined ? {} : { after }) };
}

/** Retry-After (RFC 9110 §10.2.3), seconds or a date, as milliseconds from now. */
function waitOf(text: string, now: number): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** The system's word, which names no address. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code !== undefined) return code;
  return error instanceof Error && error.name === "TimeoutError" ? "timeout" : "failed";
}
