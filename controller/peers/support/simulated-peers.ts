/** Replicas and vantages in simulated time: real monitors, real streams, made-up network. */
import { duplexPair } from "node:stream";
import { createMonitor, type Monitor } from "../../../health/monitor.ts";
import type { Endpoint, ProbeResult } from "../../../src/model/health.ts";
import { ms } from "../../../src/model/units.ts";
import { createSimulatedClock, type SimulatedClock } from "../../../test/support/simulated-clock.ts";
import type { KubePorts } from "../../kube/kube-ports.ts";
import { createPeerExchange, type PeerExchange } from "../peer-exchange.ts";
import { type Hello, PROTOCOL } from "../peer-messages.ts";
import { createPeerStream, type EndReason, type PeerStream, type StreamHandlers } from "../peer-stream.ts";
import { createVantageExchange, type VantageExchange } from "../vantage-exchange.ts";

export const SECRET = "an-installation-secret-of-32-characters";

export type Behaviour = "up" | "refused" | "silent" | "forbidden";

export interface Instance {
  readonly name: string;
  readonly monitor: Monitor;
  readonly hello: Hello;
  /** What this instance meets when it probes a cluster; `up` where nothing was set. */
  readonly sees: Map<string, Behaviour>;
  /** What it may say: the wall clock of this machine is that far off, ms. */
  readonly skew: number;
  /** Ends for others as if its machine had lost power. */
  crash(): void;
  /** Leaves in order. */
  leave(): void;
  health(cluster: string): string | undefined;
}

export interface Replica extends Instance {
  /** Endpoints that it probes. */
  probes(endpoint: Endpoint): boolean;
  readonly exchange: PeerExchange;
  /** What the engine does after a table was taken over. */
  watch(endpoints: readonly Endpoint[]): void;
}

export interface Vantage extends Instance {
  readonly exchange: VantageExchange;
}

export interface PeerWorld {
  readonly clock: SimulatedClock;
  replica(name: string, site: string, options?: { readonly skew?: number }): Replica;
  /** Reports to one replica. */
  vantage(site: string, hub: Replica, options?: { readonly skew?: number; readonly instance?: string }): Vantage;
  /** Tells all replicas of each other, as they stand. */
  meet(...replicas: readonly Replica[]): void;
  /** Nothing gets through between the two any more, or again. */
  cut(a: Instance, b: Instance, isCut?: boolean): void;
  readonly ended: readonly EndReason[];
}

interface Line {
  readonly a: string;
  readonly b: string;
  readonly streams: PeerStream[];
}

export function createPeerWorld(): PeerWorld {
  const clock = createSimulatedClock();
  const lines = new Set<Line>();
  const cuts = new Set<string>();
  const dead = new Set<string>();
  const ended: EndReason[] = [];
  const pair = (a: string, b: string): string => [a, b].sort().join("|");
  const isOpen = (a: string, b: string): boolean => !cuts.has(pair(a, b)) && !dead.has(a) && !dead.has(b);

  const portsOf = (skew: number): KubePorts => ({
    now: clock.now,
    wallClock: () => clock.wallClock() + skew,
    random: () => 0.5,
    setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
  });

  const helloOf = (name: string, site: string, role: Hello["role"]): Hello => ({
    type: "hello",
    protocol: PROTOCOL,
    role,
    instance: name,
    incarnation: `${name}-1`,
    site,
    version: "1.0.0",
  });

  function monitorOf(
    hello: Hello,
    skew: number,
    sees: ReadonlyMap<string, Behaviour>,
    onVote: NonNullable<Parameters<typeof createMonitor>[0]["onVote"]>,
  ) {
    const ports = portsOf(skew);
    return createMonitor({
      vantage: hello.site,
      replica: hello.instance,
      onVote,
      ports: {
        ...ports,
        now: clock.now,
        setTimer: clock.setTimer,
        probe: async (endpoint, { timeout }): Promise<ProbeResult> => {
          const behaviour = sees.get(endpoint.cluster) ?? "up";
          if (behaviour === "forbidden") return { ok: false, reason: "forbidden-address", latency: ms(0) };
          const latency = ms(behaviour === "silent" ? timeout : 5);
          await clock.sleep(latency);
          if (behaviour === "up") return { ok: true, reason: "ok", latency };
          return { ok: false, reason: behaviour === "silent" ? "timeout" : "refused", latency };
        },
      },
    });
  }

  /** One instance dials another again and again, as clients do. */
  function keepDialling(
    from: { readonly hello: Hello; readonly skew: number },
    to: Replica,
    accept: (hello: Hello, stream: PeerStream) => StreamHandlers | EndReason,
  ): void {
    const [a, b] = [from.hello.instance, to.hello.instance];
    const again = (): void => void clock.setTimer(ms(500), dial);
    function dial(): void {
      if (dead.has(a)) return;
      if (!isOpen(a, b)) {
        again();
        return;
      }
      const [near, far] = duplexPair();
      const binding = Buffer.alloc(32, 1);
      const line: Line = { a, b, streams: [] };
      const onEnd = (reason: EndReason): void => void ended.push(reason);
      const shared = { secret: SECRET, binding };
      const dialler = createPeerStream({
        ...shared,
        socket: near,
        side: "dialler",
        hello: from.hello,
        ports: portsOf(from.skew),
        accept,
        onEnd(reason) {
          lines.delete(line);
          onEnd(reason);
          if (reason !== "closed" && reason !== "self") again();
        },
      });
      const identity = {
        kind: from.hello.role,
        name: from.hello.role === "vantage" ? from.hello.site : from.hello.instance,
      };
      const listener = createPeerStream({
        ...shared,
        socket: far,
        side: "listener",
        hello: to.hello,
        ports: portsOf(to.skew),
        accept: (hello, stream) => to.exchange.accepted(identity, hello, stream),
        onEnd,
      });
      line.streams.push(dialler, listener);
      lines.add(line);
    }
    dial();
  }

  function endLines(isMeant: (line: Line) => boolean, reason: EndReason): void {
    for (const line of [...lines]) if (isMeant(line)) for (const stream of line.streams) stream.end(reason);
  }

  function instanceOf(
    hello: Hello,
    monitor: Monitor,
    sees: Map<string, Behaviour>,
    skew: number,
    watched: () => readonly Endpoint[],
  ): Instance {
    const name = hello.instance;
    const stop = (reason: EndReason): void => {
      monitor.close();
      if (reason === "lost") dead.add(name);
      for (const line of [...lines]) {
        if (line.a !== name && line.b !== name) continue;
        const [dialler, listener] = line.streams;
        (line.a === name ? dialler : listener)?.end(reason);
        if (reason === "lost") (line.a === name ? listener : dialler)?.end(reason);
      }
      dead.add(name);
    };
    return {
      name,
      monitor,
      hello,
      sees,
      skew,
      crash: () => stop("lost"),
      leave: () => stop("closed"),
      health(cluster) {
        const endpoint = watched().find((one) => one.cluster === cluster);
        return endpoint === undefined ? undefined : monitor.health(endpoint.key)?.health;
      },
    };
  }

  return {
    clock,
    ended,
    replica(name, site, { skew = 0 } = {}) {
      const hello = helloOf(name, site, "replica");
      const sees = new Map<string, Behaviour>();
      let endpoints: readonly Endpoint[] = [];
      const exchange = createPeerExchange({ self: hello, ports: portsOf(skew), onProgrammed: () => undefined, onSources: () => undefined });
      const monitor = monitorOf(hello, skew, sees, exchange.port.voted);
      let isMine: ((key: string) => boolean) | undefined;
      exchange.port.connect({
        offer: monitor.offer,
        forget: ({ site: of, replica }) => monitor.forgetVoter(of, replica),
        share(next) {
          isMine = next;
          monitor.setEndpoints(endpoints, next);
        },
      });
      return {
        ...instanceOf(hello, monitor, sees, skew, () => endpoints),
        exchange,
        probes: ({ key }) => isMine?.(key) ?? true,
        watch(next) {
          endpoints = next;
          monitor.setEndpoints(next, isMine);
          exchange.port.setEndpoints(new Map(next.map((endpoint) => [endpoint.key, endpoint])));
        },
      };
    },
    vantage(site, hub, { skew = 0, instance = `${site}/host` } = {}) {
      const hello = helloOf(instance, site, "vantage");
      const sees = new Map<string, Behaviour>();
      let endpoints: readonly Endpoint[] = [];
      const exchange: VantageExchange = createVantageExchange({
        ports: portsOf(skew),
        onTargets(targets) {
          endpoints = targets;
          monitor.setEndpoints(targets);
        },
      });
      const monitor = monitorOf(hello, skew, sees, (key, vote) => exchange.voted(key, vote));
      keepDialling({ hello, skew }, hub, (theirs, stream) => exchange.dialled("hub", theirs, stream));
      return { ...instanceOf(hello, monitor, sees, skew, () => endpoints), exchange };
    },
    meet(...replicas) {
      for (const one of replicas) {
        const others = replicas.filter((other) => other !== one);
        one.exchange.setPeers(new Set(others.map(({ name }) => name)));
        for (const other of others) {
          if ([...lines].some(({ a, b }) => a === one.name && b === other.name)) continue;
          keepDialling(one, other, (hello, stream) => one.exchange.dialled(other.name, hello, stream));
        }
      }
    },
    cut(a, b, isCut = true) {
      if (!isCut) {
        cuts.delete(pair(a.name, b.name));
        return;
      }
      cuts.add(pair(a.name, b.name));
      endLines((line) => pair(line.a, line.b) === pair(a.name, b.name), "lost");
    },
  };
}
