/**
 * The timeline, and word of new frames of the map, as server-sent events (HTML living standard §9.2). A client that comes back with `Last-Event-ID` gets what it missed;
 * what is no longer kept is announced by an event `gap`, so that nobody takes a hole for silence.
 */
import type { EngineView } from "../engine/view.ts";
import type { Timeline, TimelineEvent } from "../observe/timeline.ts";

/** One client's connection. */
export interface StreamSink {
  readonly write: (text: string) => void;
  /** Bytes that the client has not taken yet. */
  readonly buffered: () => number;
  /** Ends the connection at once, what is buffered included. */
  readonly cut: () => void;
}

/** A client that lets more than this wait is cut off; it comes back with `Last-Event-ID` when it can read again. */
export const STREAM_BUFFER_BYTES = 1024 * 1024;
export const HEARTBEAT_MS = 15_000;

/**
 * Streams from now on, or from behind `after`.
 *
 * @param after id of the last event that the client saw; undefined = only what happens from now on
 * @param every a repeating timer; returns its end
 * @returns ends the stream (the sink is the caller's to close)
 */
export function streamEvents(
  { timeline, map }: Pick<EngineView, "timeline"> & { readonly map: Pick<EngineView["map"], "subscribe"> },
  after: number | undefined,
  sink: StreamSink,
  every: (milliseconds: number, tick: () => void) => () => void,
): () => void {
  const write = (text: string) => {
    if (sink.buffered() > STREAM_BUFFER_BYTES) {
      end();
      sink.cut();
    } else {
      sink.write(text);
    }
  };
  // Subscribing first cannot double an event: nothing can be added before this function returns.
  const unsubscribe = timeline.subscribe((event) => write(formatEvent(event)));
  // Without an id: who comes back asks for the newest frame anyway.
  const unsubscribeMap = map.subscribe((frame) => write(`event: map\ndata: ${JSON.stringify(frame)}\n\n`));
  const stopHeartbeat = every(HEARTBEAT_MS, () => write(": heartbeat\n\n"));
  const end = () => {
    unsubscribe();
    unsubscribeMap();
    stopHeartbeat();
  };
  sink.write("retry: 2000\n\n");
  if (after !== undefined) sink.write(missed(timeline, after));
  return end;
}

/** What a client that saw everything up to `after` has missed. */
function missed(timeline: Timeline, after: number): string {
  const kept = timeline.list();
  const newest = kept.at(-1)?.id ?? 0;
  // Ids begin again with the process: a client that is ahead of us saw another process's events, and all of ours are new to it.
  const from = after > newest ? 0 : after;
  const events = kept.filter((event) => event.id > from);
  const oldest = events[0]?.id ?? newest + 1;
  const gap = after > newest || oldest > from + 1 ? `event: gap\ndata: ${JSON.stringify({ after, oldest })}\n\n` : "";
  return gap + events.map(formatEvent).join("");
}

/** `id`, `event` and one `data` line: JSON has no line feeds of its own. */
function formatEvent(event: TimelineEvent): string {
  return `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}
