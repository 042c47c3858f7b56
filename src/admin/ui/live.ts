/**
 * Keeps what is shown as new as the server's: everything once, then whatever its stream says has changed. When the server is gone the last
 * of it stays, with the time that it is of, and it is looked for until it is back.
 */
import type { Api } from "./api.ts";
import type { FrameMark, Overview, TimelineEvent, WorldMap } from "./model/types.ts";

export interface LiveState {
  readonly connection: "connecting" | "live" | "lost";
  /** When the newest of what is shown came, milliseconds since the epoch; 0 = nothing has. */
  readonly asOf: number;
  /** Why the last reading failed. */
  readonly failure: { readonly message: string; readonly remedy: string } | undefined;
  readonly overview: Overview | undefined;
  /** Of the route that is looked at. */
  readonly map: WorldMap | undefined;
  readonly frames: readonly FrameMark[];
  /** Oldest first. */
  readonly events: readonly TimelineEvent[];
  /** Cluster → answers per second, the newest last; one reading every two seconds. */
  readonly load: ReadonlyMap<string, readonly number[]>;
}

/** As EventSource is, as far as it is used here. */
export interface EventStream {
  readonly readyState: number;
  addEventListener(kind: string, listener: () => void): void;
  close(): void;
}

export interface LivePorts {
  readonly api: Api;
  readonly open: () => EventStream;
  readonly now: () => number;
  /** @returns calls it off */
  readonly setTimer: (delay: number, callback: () => void) => () => void;
  /** Nobody looks at a page in the background. */
  readonly isVisible: () => boolean;
  /** Of the server's stream: those that change what is shown. */
  readonly kinds: readonly string[];
}

export interface Live {
  readonly state: () => LiveState;
  readonly subscribe: (listener: () => void) => () => void;
  /** Which route the map is of; null = all. */
  readonly lookAt: (route: string | null) => void;
  /** Reads everything now. */
  readonly refresh: () => void;
  readonly close: () => void;
}

/** A failover is told by many events: what follows within this is read with it. */
const SETTLE_MS = 60;
/** However much happens, everything is read once in this at most. */
const BETWEEN_READINGS_MS = 400;
const LOAD_EVERY_MS = 2000;
const LOOK_AGAIN_MS = 2000;
const LOAD_KEPT = 60;
const EVENTS_KEPT = 1000;
const CLOSED = 2;

export function createLive({ api, open, now, setTimer, isVisible, kinds }: LivePorts): Live {
  let state: LiveState = {
    connection: "connecting",
    asOf: 0,
    failure: undefined,
    overview: undefined,
    map: undefined,
    frames: [],
    events: [],
    load: new Map(),
  };
  const listeners = new Set<() => void>();
  let route: string | null = null;
  let stream: EventStream | undefined;
  let closed = false;
  let cancelReading: (() => void) | undefined;
  let cancelReopen: (() => void) | undefined;
  let isReading = false;
  let isWanted = false;
  let lastReading = Number.NEGATIVE_INFINITY;

  function set(patch: Partial<LiveState>): void {
    state = { ...state, ...patch };
    for (const listener of listeners) listener();
  }

  function want(delay = SETTLE_MS): void {
    isWanted = true;
    if (closed || isReading) return;
    const wait = Math.max(delay, lastReading + BETWEEN_READINGS_MS - now());
    cancelReading ??= setTimer(wait, () => void read());
  }

  async function read(): Promise<void> {
    cancelReading = undefined;
    isWanted = false;
    isReading = true;
    lastReading = now();
    const asked = route;
    try {
      const [overview, frames, events, map] = await Promise.all([api.overview(), api.frames(), api.events(), mapOf(asked)]);
      if (closed) return;
      if (asked === route) set({ overview, frames, events: events.slice(-EVENTS_KEPT), map, asOf: now(), failure: undefined });
      else isWanted = true;
    } catch (error) {
      if (closed) return;
      const { message, remedy } = failureOf(error);
      set({ failure: { message, remedy } });
      lookAgain();
    } finally {
      isReading = false;
      if (isWanted) want();
    }
  }

  /** A map that has not been drawn yet, or of a route that is gone, is no reason to show nothing else. */
  const mapOf = (asked: string | null): Promise<WorldMap | undefined> =>
    api.map(asked).catch((error: unknown) => {
      if (isStatus(error, 503, 404)) return undefined;
      throw error;
    });

  function connect(): void {
    cancelReopen = undefined;
    if (closed) return;
    stream?.close();
    const next = open();
    stream = next;
    next.addEventListener("open", () => {
      set({ connection: "live" });
      want(0);
    });
    next.addEventListener("error", () => {
      set({ connection: "lost" });
      if (next.readyState === CLOSED) lookAgain(); // else it tries again by itself
    });
    for (const kind of kinds) next.addEventListener(kind, () => want());
  }

  function lookAgain(): void {
    cancelReopen ??= setTimer(LOOK_AGAIN_MS, () => {
      cancelReopen = undefined;
      if (stream === undefined || stream.readyState === CLOSED) connect();
      else want(0);
    });
  }

  function readLoad(): void {
    if (closed) return;
    cancelLoad = setTimer(LOAD_EVERY_MS, readLoad);
    if (!isVisible() || state.connection !== "live") return;
    api.load().then(
      (load) => {
        if (closed) return;
        const next = [...load].map(([name, rate]) => [name, [...(state.load.get(name) ?? []), rate].slice(-LOAD_KEPT)] as const);
        set({ load: new Map(next) });
      },
      () => {}, // the next reading of the state tells it
    );
  }

  connect();
  want(0);
  let cancelLoad = setTimer(0, readLoad);
  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    lookAt(next) {
      if (next === route) return;
      route = next;
      lastReading = Number.NEGATIVE_INFINITY; // somebody waits for it
      cancelReading?.();
      cancelReading = undefined;
      want(0);
    },
    refresh: () => want(0),
    close() {
      closed = true;
      stream?.close();
      cancelReading?.();
      cancelReopen?.();
      cancelLoad();
    },
  };
}

const isStatus = (error: unknown, ...statuses: readonly number[]): boolean =>
  typeof error === "object" && error !== null && "status" in error && statuses.some((status) => status === error.status);

function failureOf(error: unknown): { readonly message: string; readonly remedy: string } {
  const message = error instanceof Error ? error.message : String(error);
  return { message, remedy: error instanceof Error && "remedy" in error ? String(error.remedy) : "Load the page again." };
}
