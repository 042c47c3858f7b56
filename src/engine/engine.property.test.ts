/** Whatever happens, in whatever order: everybody has an answer that rules allow, and when it is over all is as it was. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ADDRESSES, ALL, type ClusterName, drainYaml, shopFiles } from "../../test/support/shop-world.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { CLIENTS, type SiteState, startWorld, WORLD_MMDB } from "../../test/support/simulated-world.ts";

const residency = `  routing:
    rules:
    - {name: gdpr, mode: Require, unknownPlace: Skip, clients: {sets: [eu-gdpr]}, to: {clusters: [eu, uk]}}
`;
const HOME = { DE: "eu", US: "us", JP: "jp", BR: "br" } as const;
const HOUR = 3_600_000;
/** `fall` or `rise` probes and what they wait for, ms. */
const SETTLED = 5000;

type Act =
  | { readonly act: "site"; readonly cluster: ClusterName; readonly state: SiteState }
  | { readonly act: "everywhere"; readonly state: SiteState }
  | { readonly act: "drain"; readonly clusters: readonly ClusterName[] }
  | { readonly act: "without"; readonly cluster: ClusterName | undefined }
  | { readonly act: "folder"; readonly isBroken: boolean }
  | { readonly act: "geo"; readonly isThere: boolean }
  | { readonly act: "restart"; readonly isKilled: boolean }
  | { readonly act: "clock"; readonly by: number };

const name = fc.constantFrom(...ALL);
const site = fc.constantFrom<SiteState>("up", "refused", "silent", "error");
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constant("site" as const), cluster: name, state: site }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("everywhere" as const), state: site }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("drain" as const), clusters: fc.uniqueArray(name, { maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("without" as const), cluster: fc.option(name, { nil: undefined }) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("folder" as const), isBroken: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("geo" as const), isThere: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant("restart" as const), isKilled: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("clock" as const), by: fc.constantFrom(-HOUR, -5000, 5000, HOUR) }) },
);
const story = fc.array(fc.tuple(act, fc.constantFrom(50, 700, 1500, 4000, 15_000)), { minLength: 5, maxLength: 25 });

function world() {
  const clock = createSimulatedClock();
  const states = new Map<ClusterName, SiteState>();
  let drained: readonly ClusterName[] = [];
  let without: ClusterName | undefined;
  let isBroken = false;
  let isThere = true;
  let skew = 0;
  /** Since when nothing has changed that a cluster's probes or the process could still be finding out. */
  const since = new Map<ClusterName | "all", number>();
  let current: Awaited<ReturnType<typeof startWorld>> | undefined;
  let kill = () => {};

  const files = (): Record<string, string> => ({
    ...shopFiles(
      ALL.filter((one) => one !== without),
      residency.replace("[eu, uk]", `[${["eu", "uk"].filter((one) => one !== without).join(", ")}]`),
    ),
    ...Object.fromEntries(drained.map((one) => [`drain-${one}.yaml`, drainYaml(one, "2037-01-01T00:00:00Z")])),
    ...(isBroken ? { "broken.yaml": "kind: [" } : {}),
  });

  async function start(state?: string): Promise<void> {
    let isAlive = true;
    kill = () => {
      isAlive = false;
    };
    current = await startWorld({
      files: files(),
      clock,
      skew,
      states: Object.fromEntries([...states].map(([one, value]) => [ADDRESSES[one], value])),
      geo: () => (isThere ? WORLD_MMDB : undefined),
      ...(state === undefined ? {} : { state }),
      lastGood: (real) => ({ ...real, save: (lastGood) => (isAlive ? real.save(lastGood) : Promise.resolve()) }),
    });
  }

  async function apply(step: Act): Promise<void> {
    const running = current!;
    if (step.act !== "site" && step.act !== "everywhere") since.set("all", clock.now());
    switch (step.act) {
      case "site":
        if ((states.get(step.cluster) ?? "up") !== step.state) since.set(step.cluster, clock.now());
        states.set(step.cluster, step.state);
        return running.set(ADDRESSES[step.cluster], step.state);
      case "everywhere":
        for (const one of ALL) await apply({ act: "site", cluster: one, state: step.state });
        return;
      case "drain":
        drained = step.clusters;
        return running.write(files());
      case "without":
        if (isBroken) return; // nobody would know whether it has been applied
        without = step.cluster;
        return running.write(files());
      case "folder":
        isBroken = step.isBroken;
        return running.write(files());
      case "geo":
        isThere = step.isThere;
        return;
      case "clock":
        skew += step.by;
        return running.setWallClock(step.by);
      case "restart":
        if (!step.isKilled) await clock.advance(1500); // time for a first save
        if (step.isKilled) kill();
        await running.stop();
        return start(running.state);
    }
  }

  const isSettled = (one: ClusterName) => clock.now() - Math.max(since.get(one) ?? 0, since.get("all") ?? 0) >= SETTLED;
  const isDown = (one: ClusterName) => states.get(one) === "refused" || states.get(one) === "error";
  /** A cluster that is drained or known to be down is not named while one that is known to be well could be. */
  function isBest(client: keyof typeof CLIENTS): boolean {
    if (without !== undefined) return true;
    const allowed = client === "DE" ? (["eu", "uk"] as const) : ALL;
    const well = allowed.filter((one) => (states.get(one) ?? "up") === "up" && isSettled(one) && !drained.includes(one));
    const [named] = ask(client).clusters as ClusterName[];
    return well.length === 0 || !(drained.includes(named!) || (isDown(named!) && isSettled(named!)));
  }

  const ask = (client: keyof typeof CLIENTS) => current!.ask("shop.example.org", CLIENTS[client]);
  /** Healthy endpoints of each cluster, as the status and as the metrics tell them. */
  function healthyEndpoints() {
    const { view, readings } = current!.engine;
    const { labels, healthy } = readings.endpoints!();
    return view.status().clusters.map(({ name: one, endpoints }) => ({
      status: endpoints,
      metrics: {
        healthy: labels.filter(({ cluster }, i) => cluster === one && healthy[i] === 1).length,
        total: labels.filter(({ cluster }) => cluster === one).length,
      },
    }));
  }
  const degraded = () => current!.engine.view.readiness().degraded;
  return { clock, start, apply, ask, isBest, healthyEndpoints, degraded, stop: () => current!.stop() };
}

async function tell(steps: readonly (readonly [Act, number])[]): Promise<void> {
  const { clock, start, apply, ask, isBest, healthyEndpoints, degraded, stop } = world();
  await start();
  await clock.advance(3000);
  // Something must be on disk before everything may break.
  await apply({ act: "restart", isKilled: false });
  for (const [step, wait] of steps) {
    await apply(step);
    for (let passed = 0; passed < wait; passed += 500) {
      await clock.advance(Math.min(500, wait - passed));
      for (const client of ["DE", "US", "JP", "BR", "nowhere"] as const) expect(ask(client).clusters, client).toHaveLength(1);
      expect(["eu", "uk"]).toContain(ask("DE").clusters[0]);
      for (const client of ["DE", "US", "JP", "BR"] as const) expect(isBest(client), client).toBe(true);
    }
    for (const { status, metrics } of healthyEndpoints()) expect(metrics).toEqual(status);
  }
  for (const step of [
    { act: "folder", isBroken: false },
    { act: "everywhere", state: "up" },
    { act: "drain", clusters: [] },
    { act: "without", cluster: undefined },
    { act: "geo", isThere: true },
  ] as const)
    await apply(step);
  await clock.advance(800_000); // the longest damped failback
  for (const client of ["DE", "US", "JP", "BR"] as const) expect(ask(client)).toMatchObject({ clusters: [HOME[client]], mode: "Usable" });
  expect(degraded().filter((reason) => !["geo-stale", "geo-rejected"].includes(reason))).toEqual([]);
  await stop();
  await clock.advance(5000);
  expect(clock.pending()).toBe(0);
}

test("everybody always has an answer, and everything heals", async () => {
  await fc.assert(fc.asyncProperty(story, tell), { numRuns: 12 });
}, 60_000);
