/** The other end of the admin API's event stream (server-sent events, HTML living standard §9.2). */
import { eventSchema } from "../admin/api-schemas.ts";
import type { TimelineEvent } from "../observe/timeline.ts";
import type { Io } from "./io.ts";

/** Before a stream that ended is asked for again, ms: what the server says by `retry`. */
export const RETRY_MS = 2000;

/** Takes a stream apart, however its text is cut into chunks. Only `id`, `event` and one line of `data` each: what our servers write. */
export function createSseReader(onEvent: (event: { readonly name: string; readonly data: string }) => void): (chunk: string) => void {
  let rest = "";
  let name = "message";
  let data: string | undefined;
  return (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data !== undefined) onEvent({ name, data });
        name = "message";
        data = undefined;
      } else if (line.startsWith("event: ")) name = line.slice(7);
      else if (line.startsWith("data: ")) data = line.slice(6);
    }
  };
}

export interface FeedOptions {
  /** Id of the last event seen; undefined = only what happens from now on. */
  readonly after?: number;
  readonly onEvent: (event: TimelineEvent) => void;
  /** The server has answered: from here on nothing is missed. */
  readonly onOpen?: () => void;
  /** Events were lost: the server has forgotten them, or is another process now. */
  readonly onGap?: () => void;
}

/**
 * Hands on events as they happen until it is aborted. A server that goes away is asked again and again, from the last event seen on; what it
 * says that is no event of ours is passed over.
 *
 * @returns settles when `signal` is aborted
 */
export async function followEvents(io: Pick<Io, "fetch" | "sleep">, url: string, options: FeedOptions, signal: AbortSignal): Promise<void> {
  let last = options.after;
  const read = createSseReader(({ name, data }) => {
    if (name === "gap") return options.onGap?.();
    const event = eventSchema.safeParse(readJson(data));
    if (!event.success) return;
    last = event.data.id;
    options.onEvent(event.data);
  });
  while (!signal.aborted) {
    try {
      const headers = last === undefined ? {} : { "last-event-id": String(last) };
      const { ok, body } = await io.fetch(`${url}/v1/stream`, { headers, signal, redirect: "error" });
      if (ok && body !== null) {
        options.onOpen?.();
        const text = new TextDecoder();
        for await (const chunk of body) read(text.decode(chunk, { stream: true }));
      } else {
        await body?.cancel();
      }
    } catch {
      // Gone, or never there: whoever shows what it says notices by asking.
    }
    read("\n\n"); // the rest of a line that never ended is none
    if (!signal.aborted) await io.sleep(RETRY_MS, signal);
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
