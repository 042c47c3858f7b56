/** A proxy between clients and endpoints that are nothing but pairs of streams, in simulated time. Tests speak bytes on both sides. */
import { type Duplex, duplexPair } from "node:stream";
import type { HttpPolicy } from "../../../src/model/inventory.ts";
import { HTTP_DEFAULTS } from "../../../src/model/to-http.ts";
import { ms } from "../../../src/model/units.ts";
import type { AcceptFacts } from "../../../src/proxy/embedded/forward/client-connection.ts";
import type { ChooseEndpoints, ProxyEndpoint } from "../../../src/proxy/embedded/forward/endpoints.ts";
import type { Outcomes } from "../../../src/proxy/embedded/forward/outcome.ts";
import { createProxy, type EmbeddedProxy } from "../../../src/proxy/embedded/forward/proxy.ts";
import { PROXY_SETTINGS, type ProxySettings } from "../../../src/proxy/embedded/forward/settings.ts";
import { createSimulatedClock, type SimulatedClock } from "../simulated-clock.ts";

export const endpoint = (id: string): ProxyEndpoint => ({ id, address: "192.0.2.1", port: 80 });
export const [EAST, WEST, FAR] = [endpoint("east"), endpoint("west"), endpoint("far")];
export const PEER = "198.51.100.7";

/** The far end of a connection: what it got, and what it says. */
export interface FarEnd {
  /** Everything so far, Latin-1. */
  got: () => string;
  /** What came since the last call. */
  news: () => string;
  say: (text: string) => Promise<void>;
  /** Says no more. */
  end: () => Promise<void>;
  /** Breaks. */
  break: () => Promise<void>;
  /** Stops and goes on reading. */
  stopReading: () => void;
  readOn: () => Promise<void>;
  /** Bytes that it has said and that have not reached the other end. */
  readonly unread: () => number;
  readonly hasEnded: () => boolean;
  readonly isClosed: () => boolean;
}

/** One attempt to connect to an endpoint. */
export interface Attempt extends FarEnd {
  readonly endpoint: ProxyEndpoint;
  readonly accept: () => Promise<void>;
  readonly refuse: () => Promise<void>;
}

export interface ProxyWorld {
  readonly proxy: EmbeddedProxy;
  readonly clock: SimulatedClock;
  readonly attempts: readonly Attempt[];
  readonly openClient: (facts?: AcceptFacts) => FarEnd;
  /** Who may be asked has changed. */
  readonly changeTable: () => void;
  /** An endpoint that takes every connection at once. */
  readonly acceptAll: (on: boolean) => void;
}

/** As {@link ChooseEndpoints}, without the route: the endpoints of each backend, in the order in which they are to be tried. */
export type ChooseTiers = (host: string, client: string) => readonly (readonly ProxyEndpoint[])[] | undefined;

export const TWO_TIERS: ChooseTiers = (host) => (host === "shop.example.org" ? [[EAST], [WEST]] : undefined);

/** One route, for whatever hosts there are. */
export function routed(chooseTiers: ChooseTiers, policy: Partial<HttpPolicy> = {}): ChooseEndpoints {
  const route = { policy: { ...HTTP_DEFAULTS, ...policy }, load: { requests: 0 } };
  return (host, client) => {
    const tiers = chooseTiers(host, client);
    if (tiers === undefined) return undefined;
    const [first = [], ...rest] = tiers;
    return { candidates: { first, rest: () => rest.flat() }, route };
  };
}

export function proxyWorld(
  settings: Partial<ProxySettings> = {},
  chooseTiers: ChooseTiers = TWO_TIERS,
  policy: Partial<HttpPolicy> = {},
  outcomes?: Outcomes,
): ProxyWorld {
  const clock = createSimulatedClock();
  const attempts: Attempt[] = [];
  let acceptsAll = true;
  const connect = (to: ProxyEndpoint): Duplex => {
    const [near, far] = duplexPair();
    const attempt: Attempt = {
      ...farEnd(far, near),
      endpoint: to,
      accept: async () => {
        near.emit("connect");
        await settle();
      },
      refuse: async () => {
        near.destroy(new Error("ECONNREFUSED"));
        await settle();
      },
    };
    attempts.push(attempt);
    if (acceptsAll) setImmediate(() => near.emit("connect"));
    return near;
  };
  let version = 0;
  const tableVersion = (): number => version;
  const ports = { now: clock.now, setTimer: clock.setTimer, connect, tableVersion, ...(outcomes === undefined ? {} : { outcomes }) };
  const proxy = createProxy(routed(chooseTiers, policy), ports, { ...PROXY_SETTINGS, ...settings });
  return {
    proxy,
    clock,
    attempts,
    acceptAll: (on) => {
      acceptsAll = on;
    },
    changeTable: () => {
      version++;
    },
    openClient: (facts) => {
      const [near, far] = duplexPair();
      const client = farEnd(far, near);
      proxy.accept(near, PEER, facts);
      return client;
    },
  };
}

function farEnd(far: Duplex, near: Duplex): FarEnd {
  let got = "";
  let seen = 0;
  let hasEnded = false;
  far.on("data", (bytes: Buffer) => (got += bytes.toString("latin1")));
  far.on("end", () => (hasEnded = true));
  far.on("error", () => {});
  return {
    got: () => got,
    news: () => {
      const news = got.slice(seen);
      seen = got.length;
      return news;
    },
    say: async (text) => {
      far.write(text, "latin1");
      await settle();
    },
    end: async () => {
      far.end();
      await settle();
    },
    break: async () => {
      near.destroy(new Error("ECONNRESET"));
      await settle();
    },
    stopReading: () => void far.pause(),
    readOn: async () => {
      far.resume();
      await settle();
    },
    unread: () => far.writableLength,
    hasEnded: () => hasEnded,
    isClosed: () => near.destroyed,
  };
}

/** Streams hand on by turns of the loop; a message takes several from end to end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export const request = (lines: readonly string[] = [], start = "GET / HTTP/1.1"): string =>
  `${[start, "Host: shop.example.org", ...lines].join("\r\n")}\r\n\r\n`;
export const response = (body: string, lines: readonly string[] = [], status = "200 OK"): string =>
  `${[`HTTP/1.1 ${status}`, `Content-Length: ${body.length}`, ...lines].join("\r\n")}\r\n\r\n${body}`;
/** The patience of a test that wants none to be needed. */
export const NO_PATIENCE = ms(0);

export const statusOf = (client: FarEnd): string => client.got().slice(9, 12);
/** Who was connected to, in order. */
export const asked = ({ attempts }: ProxyWorld): readonly ProxyEndpoint[] => attempts.map((one) => one.endpoint);

/** A client that has asked, over a connection of its own. */
export async function ask({ openClient }: ProxyWorld, text = request()): Promise<FarEnd> {
  const client = openClient();
  await client.say(text);
  return client;
}
