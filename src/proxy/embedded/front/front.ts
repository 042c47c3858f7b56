/**
 * From an accepted connection to requests:
 *
 *     accept ─► PROXY header ─► a place for its client ─► TLS handshake ─► HTTP/1.1 ─► one ClientConnection
 *               (if asked for)                             (if asked for)  HTTP/2   ─► one for each stream
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { networkContains, parseIp } from "../../../model/ip.ts";
import { type Milliseconds, ms } from "../../../model/units.ts";
import type { AcceptFacts } from "../forward/client-connection.ts";
import type { HeadLimits } from "../http1/fields.ts";
import { coversHost } from "./certificate-index.ts";
import { ClientConduct, type OnFault } from "./client-conduct.ts";
import { ClientPlaces, clientOf, Place } from "./client-places.ts";
import { countRefusal, type FrontCounters, type FrontRefusal, newFrontCounters } from "./front-counters.ts";
import type { FrontSettings } from "./front-settings.ts";
import { Http2Connection } from "./http2-connection.ts";
import { takeProxyHeader } from "./proxy-header.ts";
import { createTarpit } from "./tarpit.ts";
import { createTlsTerminator, type TlsConnection } from "./tls-terminator.ts";

export interface FrontPorts {
  /** Monotonic. */
  readonly now: () => Milliseconds;
  readonly setTimer: (delay: Milliseconds, callback: () => void) => () => void;
  /** Takes a connection of HTTP/1.1, or a stream that is like one. @returns false when there are too many: it is closed then */
  readonly accept: (socket: Duplex, address: string, facts: AcceptFacts) => boolean;
}

export interface FrontLimits {
  readonly head: HeadLimits;
  /** Sockets, whatever is spoken over them. */
  readonly connections: number;
}

export interface Front {
  readonly counters: FrontCounters;
  readonly accept: (socket: Socket) => void;
  /** Clients are told to send no more requests; whoever is still in its handshake is closed. */
  readonly drain: () => void;
  /** Resolves when no connection of HTTP/2 is left; those that do not go once their last stream has ended are closed. */
  readonly close: () => Promise<void>;
}

/** How often connections of HTTP/2 are looked at for having been idle too long. */
const SWEEP = ms(1000);
/** For the last frames of streams that have ended. */
const LAST_FRAMES = ms(1000);

export function createFront(settings: FrontSettings, limits: FrontLimits, ports: FrontPorts): Front {
  const { tls, proxyProtocol } = settings;
  const counters = newFrontCounters();
  const places = new ClientPlaces(settings.places);
  const conduct = settings.conduct === undefined ? undefined : new ClientConduct(settings.conduct);
  const tarpit = createTarpit(settings.conduct?.waiting ?? 0, ports.setTimer);
  const terminator = tls === undefined ? undefined : createTlsTerminator(tls, counters);
  /** Those that the proxy does not know: it learns of requests only. */
  const early = new Set<Socket>();
  const http2 = new Set<Http2Connection>();
  let sockets = 0;
  let isDraining = false;
  let cancelSweep: (() => void) | undefined;
  const empty = Promise.withResolvers<void>();

  function refuse(socket: Socket, reason: FrontRefusal): void {
    countRefusal(counters, reason);
    socket.destroy();
  }

  function pass(socket: Duplex, address: string, facts: AcceptFacts): void {
    if (!ports.accept(socket, address, facts)) countRefusal(counters, "full");
  }

  function accept(socket: Socket): void {
    const peer = plainAddress(socket.remoteAddress);
    if (peer === undefined || isDraining) return void socket.destroy(); // gone already
    if (sockets >= limits.connections) return void refuse(socket, "full");
    sockets++;
    early.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      sockets--;
      early.delete(socket);
    });
    if (proxyProtocol === undefined) {
      admit(socket, peer);
      return;
    }
    const { from, timeout } = proxyProtocol;
    const ip = parseIp(peer);
    if (from.length > 0 && !from.some((network) => ip !== undefined && networkContains(network, ip)))
      return void refuse(socket, "proxy-header-from-stranger");
    takeProxyHeader(socket, timeout, ports.setTimer, (header) => {
      if (typeof header === "string") return void refuse(socket, header);
      if (admit(socket, header.source ?? peer) && terminator === undefined) socket.resume();
    });
  }

  /** @param address the client's @returns false when it is turned away */
  function admit(socket: Socket, address: string): boolean {
    const client = clientOf(address);
    if (conduct?.isShunned(client, ports.now()) === true) {
      countRefusal(counters, "refused-too-often");
      tarpit.take(socket, client);
      return false;
    }
    const place = places.enter(client);
    if (!(place instanceof Place)) {
      refuse(socket, place);
      return false;
    }
    socket.on("close", () => place.leave());
    const onFault = (count = 1): boolean => conduct?.fault(client, ports.now(), count) ?? false;
    if (terminator === undefined) {
      early.delete(socket);
      pass(socket, address, { onFirstHead: () => place.speak(), onFault });
    } else {
      terminator.accept(socket, onFault, (connection) => {
        early.delete(socket);
        begin(connection, address, place, onFault);
      });
    }
    return true;
  }

  function begin({ socket, isHttp2, certificate }: TlsConnection, address: string, place: Place, onFault: OnFault): void {
    if (isDraining) return void socket.destroy();
    const facts: AcceptFacts = { covers: (host) => coversHost(certificate, host), onFirstHead: () => place.speak(), onFault };
    if (!isHttp2 || tls === undefined) return void pass(socket, address, facts);
    socket.on("error", () => socket.destroy());
    const acceptStream = (stream: Duplex): void => pass(stream, address, facts);
    const context = { settings: tls.http2, head: limits.head, counters, ...ports, accept: acceptStream, onFault };
    const connection = new Http2Connection(socket, place, context, () => {
      http2.delete(connection);
      if (http2.size === 0 && isDraining) empty.resolve();
    });
    http2.add(connection);
    cancelSweep ??= ports.setTimer(SWEEP, sweep);
  }

  function sweep(): void {
    for (const connection of http2) connection.sweep(ports.now());
    cancelSweep = http2.size === 0 ? undefined : ports.setTimer(SWEEP, sweep);
  }

  return {
    counters,
    accept,
    drain: () => {
      isDraining = true;
      for (const socket of early) socket.destroy();
      for (const connection of http2) connection.drain();
    },
    close: async () => {
      const cancel = ports.setTimer(LAST_FRAMES, () => {
        for (const connection of http2) connection.destroy();
      });
      if (http2.size > 0) await empty.promise;
      cancel();
      cancelSweep?.();
    },
  };
}

/** Without the clothes that IPv6 sockets put on IPv4, and without a zone. */
const plainAddress = (address: string | undefined): string | undefined => address?.replace(/^::ffff:(?=\d+\.)/, "").replace(/%.*$/, "");
