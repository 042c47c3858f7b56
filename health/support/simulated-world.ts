/** A monitor on simulated time, with endpoints whose behaviour a test sets. */
import { type Endpoint, type EndpointHealth, type EndpointKey, endpointKey, type ProbeResult } from "../../src/model/health.ts";
import type { Probe as ProbeSpec } from "../../src/model/inventory.ts";
import { ms } from "../../src/model/units.ts";
import { createSimulatedClock, type SimulatedClock } from "../../test/support/simulated-clock.ts";
import { createMonitor, type Holds, type Monitor, type MonitorOptions } from "../monitor.ts";

/**
 * `up` answers after 5 ms, `down` refuses after 1 ms, `error` answers with a bad status, `silent` never answers, `starved` cannot be
 * asked for want of descriptors.
 */
export type Behaviour = "up" | "down" | "error" | "silent" | "starved";

export const probeSpec: ProbeSpec = {
  type: "HTTP",
  scheme: "HTTP",
  port: 80,
  path: "/",
  host: "shop.example.org",
  service: "",
  expect: { status: [{ from: 200, to: 399 }] },
  verify: true,
};

const demo: Endpoint["policy"] = { interval: ms(1000), timeout: ms(800), rise: 2, fall: 2, quorum: { type: "Majority" } };

/** An endpoint of cluster `name`, at an address made from its number. */
export function endpointOf(name: string, policy: Partial<Endpoint["policy"]> = {}, probe: Partial<ProbeSpec> = {}): Endpoint {
  const number = Number(name.replace(/\D/g, "")) + 1;
  const address = `192.0.2.${number}`;
  const full = { ...demo, ...policy };
  const spec = { ...probeSpec, ...probe };
  return { key: endpointKey(address, spec, full), cluster: name.replace(/\/.*/, ""), address, probe: spec, policy: full };
}

export interface Change {
  readonly at: number;
  readonly name: string;
  readonly health: EndpointHealth;
  readonly previous: EndpointHealth;
}

export interface SimulatedWorld {
  readonly clock: SimulatedClock;
  readonly monitor: Monitor;
  readonly endpoints: readonly Endpoint[];
  readonly changes: readonly Change[];
  readonly holds: readonly (Holds & { readonly at: number })[];
  /** Probes that ended, counted or not. */
  readonly observations: readonly { readonly at: number; readonly cluster: string; readonly counted: boolean; readonly lateness: number }[];
  /** Sets what the endpoints of a cluster (or a control target) do from now on. */
  set(cluster: string, behaviour: Behaviour | ((probe: number) => Behaviour)): void;
  /** The vantage's own network is cut: everything is silent, whatever was set. */
  cut(isCut: boolean): void;
  health(endpoint: Endpoint): EndpointHealth;
}

export function createWorld(
  endpoints: readonly Endpoint[],
  options: Partial<MonitorOptions> & { readonly seed?: number } = {},
): SimulatedWorld {
  const clock = createSimulatedClock();
  const behaviours = new Map<string, Behaviour | ((probe: number) => Behaviour)>();
  const counts = new Map<EndpointKey, number>();
  const changes: Change[] = [];
  const holds: (Holds & { at: number })[] = [];
  const observations: { at: number; cluster: string; counted: boolean; lateness: number }[] = [];
  const clusters = new Map([...endpoints, ...(options.references ?? [])].map((endpoint) => [endpoint.key, endpoint.cluster]));
  let random = (options.seed ?? 1) >>> 0;
  let isCut = false;

  const behaviourOf = (endpoint: Endpoint): Behaviour => {
    const behaviour = behaviours.get(endpoint.cluster) ?? "up";
    if (typeof behaviour === "string") return behaviour;
    const count = counts.get(endpoint.key) ?? 0;
    counts.set(endpoint.key, count + 1);
    return behaviour(count);
  };
  const answer = async (ok: boolean, reason: ProbeResult["reason"], latency: number): Promise<ProbeResult> => {
    await clock.sleep(latency);
    return { ok, reason, latency: ms(latency) };
  };

  const monitor = createMonitor({
    vantage: "here",
    ports: {
      now: clock.now,
      wallClock: clock.wallClock,
      setTimer: clock.setTimer,
      random: () => {
        random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
        return random / 0x1_0000_0000;
      },
      probe: (endpoint, { timeout }) => {
        const behaviour = behaviourOf(endpoint);
        if (isCut || behaviour === "silent") return answer(false, "timeout", timeout);
        if (behaviour === "up") return answer(true, "ok", 5);
        if (behaviour === "starved") return answer(false, "descriptors", 0);
        return behaviour === "down" ? answer(false, "refused", 1) : answer(false, "status", 5);
      },
    },
    onObservation: (observation, note) =>
      observations.push({ at: clock.now(), cluster: clusters.get(observation.endpoint) ?? observation.endpoint, ...note }),
    onChange: (key, health, previous) => changes.push({ at: clock.now(), name: clusters.get(key) ?? key, health, previous }),
    onSuspect: (held) => holds.push({ ...held, at: clock.now() }),
    ...options,
  });
  monitor.setEndpoints(endpoints);

  return {
    clock,
    monitor,
    endpoints,
    changes,
    holds,
    observations,
    set: (cluster, behaviour) => behaviours.set(cluster, behaviour),
    cut: (value) => {
      isCut = value;
    },
    health: (endpoint) => {
      const health = monitor.health(endpoint.key);
      if (health === undefined) throw new Error(`${endpoint.cluster} is not watched`);
      return health;
    },
  };
}

/** Subsets of `names` that are not empty. */
export function subsetsOf<T>(names: readonly T[]): T[][] {
  return Array.from({ length: 2 ** names.length - 1 }, (_, mask) => names.filter((_name, bit) => ((mask + 1) >> bit) & 1));
}
