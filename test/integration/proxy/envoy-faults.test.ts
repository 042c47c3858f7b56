/** A real Envoy that has all of its configuration from us, with the settings that every route has, in front of three clusters that our own prober judges. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { requireComponent } from "../../support/component.ts";
import { startEdgeEngine } from "../../support/envoy/edge-engine.ts";
import { HOST, SITES, type Sites, shopRoute, startFleet, startSite, startSites } from "../../support/envoy/edge-scene.ts";
import { edgeSettings } from "../../support/envoy/edge-settings.ts";
import type { MixedOutcome } from "../../support/envoy/mixed-load.ts";
import { startEnvoy } from "../../support/envoy/real-envoy.ts";
import { percentile } from "../../support/envoy/scale/fleet-scale.ts";

const PER_SECOND = 500;
/** Requests at one instant. */
const CROWD = 800;

async function start() {
  const sites = await startSites();
  const fleet = await startFleet();
  await startEdgeEngine(sites.port, fleet.update);
  const envoy = await startEnvoy({ id: "edge-1", region: "eu-west", adsPort: fleet.port, variant: "DELTA_GRPC" });
  const port = await envoy.listenerPort();
  const ask = async (): Promise<string> => (await request(`http://127.0.0.1:${port}/`, { headers: { host: HOST } })).body.text();
  const untilServedBy = (address: string): Promise<void> =>
    vi.waitFor(async () => expect(await ask()).toBe(address), { timeout: 30_000, interval: 100 });
  await untilServedBy(SITES.dublin);
  return { sites, fleet, port, untilServedBy };
}

/** @returns stops it, and resolves with all outcomes when the last one is there */
async function startMixedLoad(port: number): Promise<() => Promise<readonly MixedOutcome[]>> {
  const child = fork(new URL("../../support/envoy/mixed-load.ts", import.meta.url), [String(port), HOST, String(PER_SECOND)], {
    serialization: "advanced",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "message"); // it has begun
  return async () => {
    const answered = once(child, "message");
    child.send("stop");
    return (await answered)[0] as readonly MixedOutcome[];
  };
}

const isPost = ({ method }: MixedOutcome): boolean => method === "POST";
/** A part of a good response was here. */
const hasBegun = ({ status, body }: MixedOutcome): boolean => status === 200 && body !== "";
const isGood = ({ status, isWhole }: MixedOutcome): boolean => status === 200 && isWhole;
const shareOf = (address: string, part: readonly MixedOutcome[]): number =>
  part.filter(({ body }) => body === address).length / part.length;
const tell = (url: string): Promise<string> => request(url, { method: "POST" }).then(({ body }) => body.text());

interface Fault {
  readonly name: string;
  /** How long it lasts, ms. */
  readonly lasts: number;
  readonly strike: (sites: Sites) => unknown;
  readonly heal: (sites: Sites) => unknown;
}

const faults: readonly Fault[] = [
  {
    name: "is killed",
    lasts: 5_000,
    strike: ({ processes }) => processes.dublin.kill("SIGKILL"),
    heal: (sites) => startSite(sites, "dublin"),
  },
  {
    name: "falls silent, for longer than an attempt may take",
    lasts: 12_000,
    strike: ({ processes }) => processes.dublin.kill("SIGSTOP"),
    heal: ({ processes }) => processes.dublin.kill("SIGCONT"),
  },
  {
    name: "answers 503",
    lasts: 5_000,
    strike: ({ port }) => tell(`http://${SITES.dublin}:${port}/break`),
    heal: ({ port }) => tell(`http://${SITES.dublin}:${port}/mend`),
  },
];

/** What became of requests, in a line: those that were cut had begun to be answered, and are nobody's to repeat; a POST may be lost, but not doubled. */
function summary(outcomes: readonly MixedOutcome[]): string {
  const [posts, idempotent] = [outcomes.filter(isPost), outcomes.filter((one) => !isPost(one))];
  const took = idempotent.map((one) => one.took).sort((a, b) => a - b);
  return [
    `${idempotent.length} idempotent, ${idempotent.filter((one) => !isGood(one)).length} of them cut`,
    `${posts.length} POSTs, ${posts.filter((one) => !isGood(one)).length} of them failed`,
    `idempotent took p50 ${percentile(took, 0.5).toFixed(0)} ms, p99 ${percentile(took, 0.99).toFixed(0)} ms, max ${percentile(took, 1).toFixed(0)} ms`,
  ].join("; ");
}

describe.skipIf(!requireComponent("envoy", "envoy"))("Envoy, while the nearest cluster", () => {
  test("answers 503 to a crowd that came at one instant: all of it goes on to the next", async () => {
    const sites = await startSites();
    const fleet = await startFleet();
    const settings = edgeSettings(sites.port);
    fleet.update([{ ...shopRoute(sites.port), settings: { ...settings, ejection: { ...settings.ejection, failures: 0 } } }]);
    const envoy = await startEnvoy({ id: "edge-1", region: "eu-west", adsPort: fleet.port, variant: "DELTA_GRPC" });
    const port = await envoy.listenerPort();
    const dispatcher = new Agent({ connections: CROWD });
    onTestFinished(() => dispatcher.close());
    const ask = async (): Promise<string> => {
      const { statusCode, body } = await request(`http://127.0.0.1:${port}/`, { dispatcher, headers: { host: HOST } });
      return `${statusCode} ${await body.text()}`;
    };
    await expect.poll(() => ask()).toBe(`200 ${SITES.dublin}`);
    await tell(`http://${SITES.dublin}:${sites.port}/break`);
    const answers = await Promise.all(Array.from({ length: CROWD }, ask));
    expect(answers.filter((answer) => answer !== `200 ${SITES.frankfurt}`)).toEqual([]);
  });

  test.for(faults)(
    "$name: nothing idempotent fails before its response begins, and no POST arrives twice",
    async ({ lasts, strike, heal }, { annotate }) => {
      const { sites, fleet, port, untilServedBy } = await start();
      const stop = await startMixedLoad(port);
      await sleep(2_000);
      await strike(sites);
      await sleep(lasts);
      await untilServedBy(SITES.frankfurt);
      await heal(sites);
      await untilServedBy(SITES.dublin);
      const outcomes = await stop();
      await annotate(summary(outcomes));

      const idempotent = outcomes.filter((one) => !isPost(one));
      const failed = idempotent.filter((one) => !isGood(one) && !hasBegun(one));
      expect(failed).toEqual([]);
      expect(sites.received.length).toBeGreaterThan(outcomes.length / 10);
      expect(sites.received.length - new Set(sites.received).size).toBe(0);

      expect(outcomes.length).toBeGreaterThan(((lasts + 2_000) / 1_000) * PER_SECOND * 0.9);
      // On a busy machine an answer may come too late by itself.
      expect(
        shareOf(
          SITES.dublin,
          outcomes.filter(({ at }) => at < 1_500),
        ),
      ).toBeGreaterThan(0.5);
      expect(fleet.rejections()).toEqual([]);
    },
  );
});
