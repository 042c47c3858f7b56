/** The embedded proxy without its listener: takes clients' connections, keeps time for all of them, and ends in order. */
import type { Duplex } from "node:stream";
import { type Milliseconds, ms } from "../../../model/units.ts";
import { type AcceptFacts, ClientConnection } from "./client-connection.ts";
import { Ejection } from "./ejection.ts";
import type { ChooseEndpoints, ProxyEndpoint } from "./endpoints.ts";
import type { ProxyPorts } from "./ports.ts";
import { newProxyCounters, type ProxyContext, type ProxyCounters } from "./proxy-context.ts";
import { newRetryBudget } from "./retry-budget.ts";
import type { ProxySettings } from "./settings.ts";
import { UpstreamPool } from "./upstream-pool.ts";

/** How often deadlines are looked at: one timer for all connections, because a timer for each costs more than all the rest. */
const SWEEP = ms(250);

const NOTHING_KNOWN: AcceptFacts = {};

export interface EmbeddedProxy {
  readonly counters: ProxyCounters;
  /** Takes a connection, or destroys it. @param peer the address that it comes from @returns false when there are too many */
  readonly accept: (socket: Duplex, peer: string, facts?: AcceptFacts) => boolean;
  readonly connections: () => { readonly clients: number; readonly open: number; readonly idle: number };
  /** How often an endpoint was ejected since the start, and how many are now. */
  readonly ejections: () => { readonly total: number; readonly now: number };
  /** Takes no more requests and lets those end that are being answered. Resolves when no connection is left; after `patience` it cuts them. */
  readonly close: (patience: Milliseconds) => Promise<void>;
}

export function createProxy(choose: ChooseEndpoints, ports: ProxyPorts, settings: ProxySettings): EmbeddedProxy {
  const pool = new UpstreamPool(ports, settings);
  const clients = new Set<ClientConnection>();
  const counters = newProxyCounters();
  const ejection = new Ejection(settings.ejection);
  const isSuspect = (endpoint: ProxyEndpoint): boolean =>
    pool.isShunned(endpoint) || (!ejection.isQuiet && ejection.isEjected(endpoint, ports.now()));
  const budget = newRetryBudget();
  const context: ProxyContext = { settings, ports, choose, pool, budget, ejection, isSuspect, counters, isDraining: false };
  let cancelSweep: (() => void) | undefined;
  /** Who may be asked has changed, and not every request has heeded it. */
  let hasNews = false;
  let ejections = 0;
  let version = ports.tableVersion?.() ?? 0;
  let cutAt = Infinity;
  const empty = Promise.withResolvers<void>();

  function sweep(): void {
    const now = ports.now();
    pool.sweep(now);
    ejection.sweep(now);
    const hadNews = hasNews || ejection.ejections !== ejections || (ports.tableVersion?.() ?? 0) !== version;
    ejections = ejection.ejections;
    version = ports.tableVersion?.() ?? 0;
    hasNews = false;
    for (const client of clients) {
      if (now >= cutAt) client.socket.destroy();
      else if (!client.sweep(now, hadNews)) hasNews = true;
    }
    const isIdle = clients.size === 0 && pool.count().open === 0;
    cancelSweep = isIdle ? undefined : ports.setTimer(SWEEP, sweep);
  }

  function onClose(client: ClientConnection): void {
    clients.delete(client);
    if (clients.size === 0 && context.isDraining) empty.resolve();
  }

  return {
    counters,
    accept: (socket, peer, facts = NOTHING_KNOWN) => {
      const isFull = clients.size >= settings.clients;
      if (context.isDraining || isFull) {
        socket.destroy();
        return !isFull;
      }
      clients.add(new ClientConnection(socket, peer, facts, context, onClose));
      cancelSweep ??= ports.setTimer(SWEEP, sweep);
      return true;
    },
    connections: () => ({ clients: clients.size, ...pool.count() }),
    ejections: () => ({ total: ejection.ejections, now: ejection.count(ports.now()) }),
    close: async (patience) => {
      context.isDraining = true;
      cutAt = ports.now() + patience;
      pool.close();
      for (const client of clients) client.drain();
      if (clients.size > 0) await empty.promise;
      pool.cut();
      cancelSweep?.();
    },
  };
}
