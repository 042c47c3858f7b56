/** `--watch`: shows something again whenever it changed, in place on a terminal, one after the other elsewhere, until somebody has seen enough. */
import { stringify } from "yaml";
import { printable } from "../model/printable.ts";
import { followEvents } from "./event-feed.ts";
import { CommandError, type Io } from "./io.ts";
import { openLiveView } from "./live-view.ts";
import type { OutputFormat } from "./options.ts";
import { clock, cutLine, type Look, lookOf, printableLine } from "./text.ts";

export interface Watched<T> {
  /** What stands above it: `globalroute status`. */
  readonly title: string;
  readonly url: string;
  /** @throws CommandError when the server is not there or refuses */
  readonly take: () => Promise<T>;
  readonly render: (value: T, look: Look) => readonly string[];
  /** What is written as JSON or YAML. */
  readonly value: (value: T) => unknown;
}

/** After an event, ms: a failover is a dozen of them within one moment. */
const SETTLE_MS = 150;
/** Of the time a server has, looking takes a quarter at most, however much happens there. */
const REST = 3;
const HEAD_LINES = 2;

/**
 * Shows it until `q`, Ctrl-C, SIGINT or SIGTERM. The server may go away meanwhile: what was seen last stays, with a word about it.
 *
 * @param every milliseconds, at most, until it is looked at again; events make it sooner
 * @throws CommandError when the first look fails
 */
export async function watch<T>(watched: Watched<T>, every: number, format: OutputFormat, io: Io): Promise<void> {
  const stop = new AbortController();
  const quit = (): void => stop.abort();
  const forget = [io.onSignal("SIGINT", quit), io.onSignal("SIGTERM", quit)];
  try {
    const first = await watched.take();
    const terminal = format === "table" && io.stdout.isTTY === true ? io.terminal() : undefined;
    const screen = terminal === undefined ? plainScreen(watched, first, format, io) : liveScreen(watched, first, io, terminal, quit);
    try {
      await lookAgain(watched, every, screen, io, stop.signal);
    } finally {
      screen.close();
    }
  } finally {
    stop.abort();
    for (const end of forget) end();
  }
}

interface Screen<T> {
  readonly show: (value: T) => void;
  /** It could not be had. */
  readonly fail: (message: string) => void;
  readonly close: () => void;
}

async function lookAgain<T>({ url, take }: Watched<T>, every: number, screen: Screen<T>, io: Io, signal: AbortSignal): Promise<void> {
  let wake = (): void => {};
  let isDue = false;
  let took = 0;
  const onEvent = (): void => {
    isDue = true;
    wake();
  };
  const feed = followEvents(io, url, { onEvent, onOpen: onEvent, onGap: onEvent }, signal);
  while (!signal.aborted) {
    if (!isDue) {
      const sleeping = new AbortController();
      wake = () => sleeping.abort();
      await io.sleep(every, AbortSignal.any([sleeping.signal, signal]));
      wake = () => {};
    }
    if (isDue) await io.sleep(Math.max(SETTLE_MS, REST * took), signal);
    if (signal.aborted) break;
    isDue = false;
    const began = io.now();
    try {
      const value = await take();
      took = io.now() - began;
      screen.show(value);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      screen.fail(error.message);
    }
  }
  await feed;
}

/** Snapshots one after the other; a server that went away is told of once. */
function plainScreen<T>({ title, render, value: read }: Watched<T>, first: T, format: OutputFormat, io: Io): Screen<T> {
  let isLost = false;
  const show = (value: T): void => {
    isLost = false;
    if (format === "json") io.stdout.write(`${JSON.stringify(read(value))}\n`);
    else if (format === "yaml") io.stdout.write(`---\n${stringify(read(value))}`);
    else io.stdout.write(`${[`--- ${title}  ${clock(io.now())}`, ...render(value, lookOf(io)), ""].map(printableLine).join("\n")}\n`);
  };
  show(first);
  return {
    show,
    fail(message) {
      if (!isLost) io.stderr.write(`globalroute: ${printable(message)}\n`);
      isLost = true;
    },
    close: () => {},
  };
}

const KEYS: Readonly<Record<string, (page: number) => number>> = {
  "\u001b[A": () => -1,
  k: () => -1,
  "\u001b[B": () => 1,
  j: () => 1,
  "\u001b[5~": (page) => -page,
  b: (page) => -page,
  "\u001b[6~": (page) => page,
  " ": (page) => page,
  g: () => Number.NEGATIVE_INFINITY,
  G: () => Number.POSITIVE_INFINITY,
};

function liveScreen<T>(
  { title, render }: Watched<T>,
  first: T,
  io: Io,
  terminal: NonNullable<ReturnType<Io["terminal"]>>,
  quit: () => void,
): Screen<T> {
  let value = first;
  let seen = io.now();
  let trouble = "";
  let top = 0;
  let page = 1;

  const draw = (width: number, height: number): readonly string[] => {
    const { paint } = lookOf(io);
    const lines = render(value, { paint, width }).map(printableLine);
    const room = Math.max(1, height - HEAD_LINES);
    page = Math.max(1, room - 1);
    top = Math.max(0, Math.min(top, lines.length - room));
    const more = lines.length > room ? `   lines ${top + 1} to ${Math.min(top + room, lines.length)} of ${lines.length}: ↑ ↓` : "";
    const state = trouble === "" ? `${clock(seen)}${more}   q quits` : `as of ${clock(seen)}   q quits`;
    const head = `${paint("bold", title)}   ${paint("dim", state)}`;
    const below = trouble === "" ? "" : paint("red", printable(trouble));
    return [head, below, ...lines.slice(top, top + room)].map((line) => cutLine(line, width));
  };
  const view = openLiveView(terminal, draw, quit, (key) => {
    const step = KEYS[key]?.(page);
    if (step === undefined) return;
    top = Math.max(0, top + step);
    view.redraw();
  });
  return {
    show(next) {
      value = next;
      seen = io.now();
      trouble = "";
      view.redraw();
    },
    fail(message) {
      trouble = message;
      view.redraw();
    },
    close: view.close,
  };
}
