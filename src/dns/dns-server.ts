/** The authoritative server: UDP and TCP on the same ports. TCP is answered on the main thread, UDP by whichever transport can be had. */
import { networkInterfaces } from "node:os";
import { type ListenAddress, ListenError, systemCode } from "../model/listen-address.ts";
import { type Milliseconds, ms } from "../model/units.ts";
import { newAnswerContext, useTables } from "./answer.ts";
import { type AnswerSettings, NO_SETTINGS } from "./answer-settings.ts";
import { newQueryCounters, type QueryCounters } from "./counters.ts";
import { createFastTransport } from "./fast/fast-transport.ts";
import { FastTransportUnavailable } from "./fast/libc.ts";
import { expandWildcards } from "./local-addresses.ts";
import { NO_SECRETS, type SlowSecrets } from "./slow/slow-link.ts";
import { createSlowPool, type SlowPoolReading } from "./slow/slow-pool.ts";
import { openTcpServer, TCP_LIMITS, type TcpHelpers, type TcpLimits, type TcpPorts, type TcpServer } from "./tcp-server.ts";
import type { TransferService } from "./transfer/transfer-service.ts";
import { createDgramTransport } from "./udp-server.ts";
import type { TransportChoice, TransportHooks, UdpTransport } from "./udp-transport.ts";
import type { ServingTables } from "./zone-table.ts";

export interface DnsPorts {
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
  /** Calls back once after `delay`. @returns cancels it */
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
}

export interface DnsServerOptions {
  /** IP addresses; each gets a UDP socket and a TCP listener on one port. */
  readonly listen: readonly ListenAddress[];
  readonly ports: DnsPorts;
  readonly counters?: QueryCounters;
  /** How UDP is answered; `dgram` if not given. */
  readonly transport?: TransportChoice;
  /** Threads of the fast transport; 1 if not given. */
  readonly workers?: number;
  /** Network interfaces whose queries the fast transport takes by AF_XDP; none if not given. */
  readonly interfaces?: readonly string[];
  /** What the operator chose; everything off if not given. Rate limits are shared by as many threads as answer over UDP. */
  readonly settings?: AnswerSettings;
  /** Called when queries of these interfaces are taken by AF_XDP. */
  readonly onTaken?: (interfaces: readonly string[]) => void;
  /** Called once when `auto` has to do without the fast transport, with the reason. */
  readonly onFallback?: (reason: string) => void;
  readonly tcp?: Partial<TcpLimits>;
  /** Gives copies of zones over TCP; nobody may have any if not given. */
  readonly transfers?: TransferService;
  /** The option that moves the listeners, for messages; `--dns` if not given. */
  readonly flag?: string;
  /** Seconds from reading a UDP query to handing its answer to the kernel, for a sample of them. */
  readonly onDuration?: (seconds: number) => void;
  /** Errors of single sockets, one in ten seconds: forged sources that cannot be answered must not flood a log. Serving goes on. */
  readonly onError?: (error: Error) => void;
}

export interface DnsServer {
  /** Opens every listener, or none. Rejects with {@link ListenError}. @returns what was opened, with real ports */
  readonly start: () => Promise<readonly ListenAddress[]>;
  /**
   * Answers from these tables, within milliseconds on every thread; until the first call every answer is SERVFAIL.
   *
   * @param secrets of signed zones and transfers, for the threads that sign; none if not given
   */
  readonly swap: (tables: ServingTables, secrets?: SlowSecrets) => void;
  /** Every thread answers from the tables of the last swap, and reads none before them. */
  readonly isCurrent: () => boolean;
  /** Resolves once that is so, or after a second: a thread that is being replaced takes the tables when it is up. */
  readonly settled: () => Promise<void>;
  /** Closes every listener and connection; answers already written are sent. */
  readonly stop: () => Promise<void>;
  /** How UDP is answered; undefined until started. */
  readonly transport: () => UdpTransport["kind"] | undefined;
  /** Of every thread that answers; to be added up. */
  readonly counters: () => readonly QueryCounters[];
  /** Open TCP connections. */
  readonly connections: () => number;
  /** What was handed over to the threads that sign. */
  readonly slow: () => SlowPoolReading;
}

/** UDP and TCP ports are given out independently, so a free UDP port can be taken on TCP. */
const FREE_PORT_TRIES = 20;

const QUIET = 10_000;
const SETTLE_TRIES = 1000;

/** Passes on the first value, and then one each `interval` ms; those between are dropped. */
export function atMostEvery<T>(interval: number, now: () => number, next: (value: T) => void): (value: T) => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  return (value) => {
    if (now() < quietUntil) return;
    quietUntil = now() + interval;
    next(value);
  };
}

export function createDnsServer(options: DnsServerOptions): DnsServer {
  const {
    ports,
    flag = "--dns",
    transport: choice = "dgram",
    settings = NO_SETTINGS,
    onFallback = () => undefined,
    onDuration = () => undefined,
    onError = () => undefined,
  } = options;
  const workers = options.workers ?? 1;
  const hooks: TransportHooks & TcpPorts = {
    now: ports.now,
    setTimer: ports.setTimer,
    onDuration,
    ...(options.onTaken === undefined ? {} : { onTaken: options.onTaken }),
    onError: atMostEvery(QUIET, ports.now, onError),
  };
  const limits = { ...TCP_LIMITS, ...options.tcp };
  const slow = createSlowPool({ ...ports, producers: 1 + workers, settings, onError: hooks.onError });
  const context = newAnswerContext({ now: ports.wallClock, random: ports.random }, options.counters ?? newQueryCounters(), settings, {
    recent: slow.recent,
    signer: undefined,
  });
  const helpers: TcpHelpers = { slow, ...(options.transfers === undefined ? {} : { transfers: options.transfers }) };
  let udp: UdpTransport | undefined;
  let tables: ServingTables | undefined;
  let open: TcpServer[] = [];
  let counters: readonly QueryCounters[] = [context.counters, ...slow.counters];

  async function openPair(transport: UdpTransport, listen: ListenAddress): Promise<ListenAddress> {
    for (let attempt = 1; ; attempt++) {
      const shared = await transport.bind(listen).catch((cause: unknown) => {
        throw new ListenError("DNS over UDP", listen, flag, cause);
      });
      const bound = { address: listen.address, port: shared.port };
      try {
        open.push(await openTcpServer(bound, context, hooks, limits, helpers));
        return bound;
      } catch (cause) {
        await shared.close();
        const retry = listen.port === 0 && systemCode(cause) === "EADDRINUSE" && attempt < FREE_PORT_TRIES;
        if (!retry) throw new ListenError("DNS over TCP", bound, flag, cause);
      }
    }
  }

  async function openAll(transport: UdpTransport): Promise<readonly ListenAddress[]> {
    udp = transport;
    counters = [context.counters, ...transport.counters, ...slow.counters];
    const bound: ListenAddress[] = [];
    for (const listen of expandWildcards(options.listen, networkInterfaces())) bound.push(await openPair(transport, listen));
    if (tables !== undefined) transport.swap(tables);
    await transport.start();
    return bound;
  }

  async function stop(): Promise<void> {
    const closing = open;
    open = [];
    await Promise.all([udp?.stop(), ...closing.map((tcp) => tcp.close())]);
    udp = undefined;
  }

  const isCurrent = (): boolean => udp?.isCurrent() ?? true;

  /** Opens every listener, or none. */
  async function openWith(make: () => UdpTransport): Promise<readonly ListenAddress[]> {
    try {
      return await openAll(make());
    } catch (error) {
      await stop();
      throw error;
    }
  }

  return {
    start: async () => {
      const dgram = () => createDgramTransport(context, hooks, slow);
      if (choice === "dgram") return await openWith(dgram);
      try {
        return await openWith(() => createFastTransport(workers, hooks, settings, slow.link, undefined, options.interfaces));
      } catch (error) {
        if (choice === "fast" || !(error instanceof FastTransportUnavailable)) throw error;
        onFallback(error.message);
        return await openWith(dgram);
      }
    },
    swap: (next, secrets = NO_SECRETS) => {
      tables = next;
      slow.swap(next, secrets);
      useTables(context, next);
      udp?.swap(next);
    },
    isCurrent,
    settled: async () => {
      for (let tries = 0; tries < SETTLE_TRIES && !isCurrent(); tries++) {
        await new Promise<void>((resolve) => {
          ports.setTimer(ms(1), resolve);
        });
      }
    },
    stop: async () => {
      await slow.close(); // it sends by sockets that are still open
      await stop();
    },
    slow: slow.reading,
    transport: () => udp?.kind,
    counters: () => counters,
    connections: () => open.reduce((total, tcp) => total + tcp.connections(), 0),
  };
}
