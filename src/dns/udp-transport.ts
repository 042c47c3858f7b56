/** What the DNS server asks of a way to answer over UDP: `node:dgram` on the main thread, or worker threads with batched system calls. */
import type { ListenAddress } from "../model/listen-address.ts";
import type { QueryCounters } from "./counters.ts";
import type { ServingTables } from "./zone-table.ts";

export const TRANSPORTS = ["auto", "fast", "dgram"] as const;
/** `auto`: the fast one where it can be had, else `node:dgram`. */
export type TransportChoice = (typeof TRANSPORTS)[number];

export interface TransportHooks {
  /** Called for a sample of queries: seconds from reading one to handing its answer to the kernel. */
  readonly onDuration: (seconds: number) => void;
  /** Queries of these interfaces are taken by AF_XDP from now on. */
  readonly onTaken?: (interfaces: readonly string[]) => void;
  /** A socket's own errors (an answer that cannot be sent); the server goes on. */
  readonly onError: (error: Error) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export interface UdpTransport {
  readonly kind: "fast" | "dgram";
  /** Binds one local address. Rejects with the system's error. @returns the port, and what gives it back */
  readonly bind: (listen: ListenAddress) => Promise<{ readonly port: number; readonly close: () => Promise<void> }>;
  /** Called once, when every address is bound; from then on each gets its answers. */
  readonly start: () => Promise<void>;
  /** Answers from these tables as soon as {@link UdpTransport.isCurrent}; SERVFAIL until the first call. */
  readonly swap: (tables: ServingTables) => void;
  /** Every thread has taken over what it was given last, and reads nothing older. */
  readonly isCurrent: () => boolean;
  /** Ends serving and gives every port back. */
  readonly stop: () => Promise<void>;
  /** One for each thread that answers, but for the main one. */
  readonly counters: readonly QueryCounters[];
}
