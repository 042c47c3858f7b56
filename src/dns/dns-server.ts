/** The authoritative server: UDP and TCP on the same ports. TCP is answered on the main thread, UDP by whichever transport can be had. */
import { networkInterfaces } from "node:os";
import { type ListenAddress, ListenError, systemCode } from "../model/listen-address.ts";
import type { Milliseconds } from "../model/units.ts";
import { newAnswerContext, useTables } from "./answer.ts";
import { newQueryCounters, type QueryCounters } from "./counters.ts";
import { createFastTransport } from "./fast/fast-transport.ts";
import { FastTransportUnavailable } from "./fast/libc.ts";
import { expandWildcards } from "./local-addresses.ts";
import { openTcpServer, TCP_LIMITS, type TcpLimits, type TcpPorts, type TcpServer } from "./tcp-server.ts";
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
  /** Called once when `auto` has to do without the fast transport, with the reason. */
  readonly onFallback?: (reason: string) => void;
  readonly tcp?: Partial<TcpLimits>;
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
  /** Answers from these tables, within milliseconds on every thread; until the first call every answer is SERVFAIL. */
  readonly swap: (tables: ServingTables) => void;
  /** Every thread answers from the tables of the last swap, and reads none before them. */
  readonly isCurrent: () => boolean;
  /** Closes every listener and connection; answers already written are sent. */
  readonly stop: () => Promise<void>;
  /** How UDP is answered; undefined until started. */
  readonly transport: () => UdpTransport["kind"] | undefined;
  /** Of every thread that answers; to be added up. */
  readonly counters: () => readonly QueryCounters[];
  /** Open TCP connections. */
  readonly connections: () => number;
}

/** UDP and TCP ports are given out independently, so a free UDP port can be taken on TCP. */
const FREE_PORT_TRIES = 20;

const QUIET = 10_000;

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
    onFallback = () => undefined,
    onDuration = () => undefined,
    onError = () => undefined,
  } = options;
  const context = newAnswerContext({ now: ports.wallClock, random: ports.random }, options.counters ?? newQueryCounters());
  const hooks: TransportHooks & TcpPorts = {
    now: ports.now,
    setTimer: ports.setTimer,
    onDuration,
    onError: atMostEvery(QUIET, ports.now, onError),
  };
  const limits = { ...TCP_LIMITS, ...options.tcp };
  let udp: UdpTransport | undefined;
  let tables: ServingTables | undefined;
  let open: TcpServer[] = [];
  let counters: readonly QueryCounters[] = [context.counters];

  async function openPair(transport: UdpTransport, listen: ListenAddress): Promise<ListenAddress> {
    for (let attempt = 1; ; attempt++) {
      const shared = await transport.bind(listen).catch((cause: unknown) => {
        throw new ListenError("DNS over UDP", listen, flag, cause);
      });
      const bound = { address: listen.address, port: shared.port };
      try {
        open.push(await openTcpServer(bound, context, hooks, limits));
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
    counters = [context.counters, ...transport.counters];
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
      const dgram = () => createDgramTransport(context, hooks);
      if (choice === "dgram") return await openWith(dgram);
      try {
        return await openWith(() => createFastTransport(options.workers ?? 1, hooks));
      } catch (error) {
        if (choice === "fast" || !(error instanceof FastTransportUnavailable)) throw error;
        onFallback(error.message);
        return await openWith(dgram);
      }
    },
    swap: (next) => {
      tables = next;
      useTables(context, next);
      udp?.swap(next);
    },
    isCurrent: () => udp?.isCurrent() ?? true,
    stop,
    transport: () => udp?.kind,
    counters: () => counters,
    connections: () => open.reduce((total, tcp) => total + tcp.connections(), 0),
  };
}
