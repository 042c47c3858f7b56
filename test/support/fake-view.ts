/** An engine's view that keeps state like the real one, for tests of what reads it: two clusters, one route, held inputs. */
import type { EngineView, Status } from "../../src/engine/view.ts";
import { createTimeline, type Timeline } from "../../src/observe/timeline.ts";
import type { Explanation } from "../../src/routing/explanation.ts";

export interface FakeView extends EngineView {
  readonly timeline: Timeline;
  /** Inputs that `confirm` will accept. */
  readonly held: string[];
  ready: boolean;
  degraded: readonly string[];
  /** Changes the health of a cluster; its route fails over or back, and the timeline says so. */
  readonly setHealth: (cluster: string, health: "Healthy" | "Unhealthy") => void;
  /** As if another frame of the map had been drawn. */
  readonly tellMap: (frame: { readonly id: number; readonly at: number }) => void;
  /** Replaces parts of what `status` returns. */
  readonly patchStatus: (patch: Partial<Status>) => void;
}

/** 2026-11-21T12:00:00Z: the fake's clock stands still. */
export const FAKE_NOW = Date.UTC(2026, 10, 21, 12);

const LOCATIONS = {
  "eu-west": { label: "aws eu-west-1", latitude: 53.35, longitude: -6.26, country: "IE" },
  "us-east": { label: "38.95,-77.45", latitude: 38.95, longitude: -77.45 },
} as const;
const ADDRESSES = { "eu-west": ["192.0.2.1"], "us-east": ["198.51.100.1", "2001:db8::1"] } as const;
const NAMES = ["eu-west", "us-east"] as const;

/** @param capacity events that its timeline keeps */
export function createFakeView(capacity = 100): FakeView {
  const health: Record<string, "Healthy" | "Unhealthy"> = { "eu-west": "Healthy", "us-east": "Healthy" };
  const timeline = createTimeline(capacity, () => FAKE_NOW);
  const held: string[] = [];
  let patch: Partial<Status> = {};
  let lastFailover: { from: string; to: string; at: string; reason: string } | null = null;

  const since = new Date(FAKE_NOW - 90_000).toISOString();
  const serving = () => NAMES.find((name) => health[name] === "Healthy") ?? "eu-west";

  const mapListeners = new Set<Parameters<EngineView["map"]["subscribe"]>[0]>();

  const view: FakeView = {
    tellMap: (frame) => {
      for (const listener of mapListeners) listener(frame);
    },
    timeline,
    held,
    ready: true,
    degraded: [],
    setHealth(cluster, to) {
      const from = serving();
      health[cluster] = to;
      const kind = to === "Healthy" ? "EndpointHealthy" : "EndpointUnhealthy";
      timeline.add({ kind, object: `MemberCluster ${cluster}`, message: `${cluster} is ${to}.`, details: { cluster } });
      const now = serving();
      if (now === from) return;
      lastFailover = { from, to: now, at: new Date(FAKE_NOW).toISOString(), reason: `${cluster} is ${to}` };
      timeline.add({
        kind: "Failover",
        object: "GlobalRoute default/shop",
        message: `${from} → ${now}.`,
        details: { from, to: now, seconds: 1.5 },
      });
    },
    patchStatus(next) {
      patch = { ...patch, ...next };
    },
    status: () => ({
      clusters: NAMES.map((name) => ({
        name,
        state: "Active",
        health: health[name]!,
        location: LOCATIONS[name],
        addresses: ADDRESSES[name],
        endpoints: { healthy: health[name] === "Healthy" ? ADDRESSES[name].length : 0, total: ADDRESSES[name].length },
        latencyMs: health[name] === "Healthy" ? 12.34 : null,
        since,
        reason: health[name] === "Healthy" ? "ok" : "timeout",
      })),
      routes: [
        {
          namespace: "default",
          name: "shop",
          hosts: ["shop.example.org"],
          order: "Nearest",
          sticky: false,
          backends: NAMES.map((name) => ({
            name,
            cluster: name,
            addresses: ADDRESSES[name],
            health: health[name]!,
            standing: health[name] === "Healthy" ? "Usable" : "Unhealthy",
            since,
            reason: health[name] === "Healthy" ? "ok" : "timeout",
            weight: 100,
            failbackAt: null,
          })),
          servedBy: [{ cluster: serving(), population: 1, countries: ["CN", "IN", "US", "ID", "PK", "NG", "BR", "BD"] }],
          lastFailover,
        },
      ],
      table: { version: 7, age: 34.2 },
      config: { path: "/etc/globalroute", problems: [] },
      overrides: [],
      degraded: view.degraded,
      ...patch,
    }),
    readiness: () => ({ ready: view.ready, degraded: view.degraded }),
    explain: (host, client, family) =>
      host === "shop.example.org"
        ? { ok: true, explanation: explanation(host, client, family, serving()) }
        : { ok: false, error: `No route has the host ${host}. Routes have: shop.example.org.` },
    map: {
      frames: () => [{ id: 1, at: FAKE_NOW - 90_000, version: 7 }],
      frame(route, id) {
        if ((route !== undefined && route !== "default/shop") || (id !== undefined && id !== 1)) return undefined;
        const clusters = NAMES.map((name) => ({ name, state: "Active" as const, health: health[name]!, location: LOCATIONS[name] }));
        return {
          id: 1,
          at: FAKE_NOW - 90_000,
          version: 7,
          clusters,
          countries: [{ country: "IE", served: [{ cluster: serving(), share: 1 }] }],
        };
      },
      sample: (country) => (country === "IE" ? "192.0.2.0/24" : undefined),
      shares: (route) => (route === "default/shop" ? [{ cluster: serving(), population: 1 }] : []),
      ifDrained: async (cluster) =>
        NAMES.some((name) => name === cluster)
          ? { routes: 1, stuckRoutes: 0, moves: [{ to: NAMES.find((name) => name !== cluster)!, population: 0.5 }] }
          : undefined,
      subscribe(listener) {
        mapListeners.add(listener);
        return () => mapListeners.delete(listener);
      },
    },
    health: { route: () => undefined, clusters: () => new Map(), drillAbort: () => undefined, watch: () => () => undefined },
    confirm: () => held.splice(0),
  };
  return view;
}

function explanation(host: string, client: string, family: "A" | "AAAA", cluster: (typeof NAMES)[number]): Explanation {
  return {
    client,
    host,
    route: "default/shop",
    family,
    place: { known: true, continent: "EU", country: "GB", latitude: 51.5, longitude: -0.1 },
    rules: [{ name: "gdpr", mode: "Require", why: "country GB is one of clients.countries" }],
    rule: "gdpr",
    tier: 1,
    mode: "Usable",
    shares: { [cluster]: 1 },
    scopePrefixLength: 14,
    ttl: 30,
    clusters: [cluster],
    addresses: [ADDRESSES[cluster][0]],
    candidates: NAMES.map((name, i) => ({
      cluster: name,
      backend: name,
      address: ADDRESSES[name][0],
      health: "Healthy",
      distanceKm: i === 0 ? 463.7 : 5918.2,
      latencyMs: i === 0 ? 14.4 : 118.9,
      latencySource: "model",
      weight: 100,
      tier: i === 0 ? 1 : null,
      taken: name === cluster,
      reason: i === 0 ? "nearest of the first tier" : "rule gdpr excludes it",
    })),
    notes: ["no loaded database carries subdivisions"],
  };
}
