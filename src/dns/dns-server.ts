/** The authoritative server: UDP and TCP on the same ports, one answering context for all of them, tables swapped by one assignment. */
import { networkInterfaces } from "node:os";
import { type ListenAddress, ListenError, systemCode } from "../model/listen-address.ts";
import type { Milliseconds } from "../model/units.ts";
import { newAnswerContext, useTables } from "./answer.ts";
import { newQueryCounters, type QueryCounters } from "./counters.ts";
import { expandWildcards } from "./local-addresses.ts";
import { openTcpServer, TCP_LIMITS, type TcpLimits, type TcpPorts, type TcpServer } from "./tcp-server.ts";
import { openUdpServer, type TransportHooks, type UdpServer } from "./udp-server.ts";
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
  /** Answers from these tables from the next query on; until the first call every answer is SERVFAIL. */
  readonly swap: (tables: ServingTables) => void;
  /** Closes every listener and connection; answers already written are sent. */
  readonly stop: () => Promise<void>;
  readonly counters: QueryCounters;
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
  const { ports, flag = "--dns", onDuration = () => undefined, onError = () => undefined } = options;
  const context = newAnswerContext({ now: ports.wallClock, random: ports.random }, options.counters ?? newQueryCounters());
  const hooks: TransportHooks & TcpPorts = {
    now: ports.now,
    setTimer: ports.setTimer,
    onDuration,
    onError: atMostEvery(QUIET, ports.now, onError),
  };
  const limits = { ...TCP_LIMITS, ...options.tcp };
  let open: { readonly udp: UdpServer; readonly tcp: TcpServer }[] = [];

  async function openPair(listen: ListenAddress): Promise<ListenAddress> {
    for (let attempt = 1; ; attempt++) {
      const udp = await openUdpServer(listen, context, hooks).catch((cause: unknown) => {
        throw new ListenError("DNS over UDP", listen, flag, cause);
      });
      const bound = { address: listen.address, port: udp.port };
      try {
        open.push({ udp, tcp: await openTcpServer(bound, context, hooks, limits) });
        return bound;
      } catch (cause) {
        await udp.close();
        const retry = listen.port === 0 && systemCode(cause) === "EADDRINUSE" && attempt < FREE_PORT_TRIES;
        if (!retry) throw new ListenError("DNS over TCP", bound, flag, cause);
      }
    }
  }

  async function stop(): Promise<void> {
    const closing = open;
    open = [];
    await Promise.all(closing.flatMap(({ udp, tcp }) => [udp.close(), tcp.close()]));
  }

  return {
    start: async () => {
      const bound: ListenAddress[] = [];
      try {
        for (const listen of expandWildcards(options.listen, networkInterfaces())) bound.push(await openPair(listen));
      } catch (error) {
        await stop();
        throw error;
      }
      return bound;
    },
    swap: (tables) => useTables(context, tables),
    stop,
    counters: context.counters,
    connections: () => open.reduce((total, { tcp }) => total + tcp.connections(), 0),
  };
}
