/** How long it takes until a real Envoy knows that a cluster serves no more, or serves again. */
import { setImmediate } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { AtEnd } from "../temp-folder.ts";
import { SITES, shopRoute, startFleet } from "./edge-scene.ts";
import { startEnvoy } from "./real-envoy.ts";

/** Milliseconds since the control plane was told. */
export interface FlipTimes {
  /** The snapshot is made, and the response is handed to the socket. */
  readonly written: number;
  /** Envoy's answer, that it has taken it, was read. */
  readonly acknowledged: number;
  /** Envoy's own `/clusters` says so; its time includes that of asking, which is a millisecond or two. */
  readonly shown: number;
}

/** No one need listen there: Envoy is told, and asked, of endpoints. */
const PORT = 9;

/** Inside a test, or with an end of its own. Of three clusters the nearest goes out and comes back, in turn. */
export async function measureFlips(runs: number, atEnd: AtEnd = onTestFinished): Promise<readonly FlipTimes[]> {
  const fleet = await startFleet({}, atEnd);
  fleet.update([shopRoute(PORT)]);
  const envoy = await startEnvoy({ id: "edge-1", region: "eu-west", adsPort: fleet.port, variant: "DELTA_GRPC" }, atEnd);
  const shows = async (flags: string): Promise<boolean> =>
    (await envoy.admin("/clusters")).includes(`default/shop::${SITES.dublin}:${PORT}::health_flags::${flags}\n`);
  const until = async (isSo: () => boolean | Promise<boolean>): Promise<number> => {
    while (!(await isSo())) await setImmediate();
    return performance.now();
  };
  await until(() => shows("healthy"));
  await until(() => fleet.nodes()[0]?.types.routes === "Current");
  const times: FlipTimes[] = [];
  for (let run = 0; run < runs; run++) {
    const isOut = run % 2 === 0;
    const route = shopRoute(PORT, isOut ? ["dublin"] : []);
    const { accepted } = fleet.totals();
    const began = performance.now();
    fleet.update([route]);
    const written = performance.now() - began;
    const [acknowledged, shown] = await Promise.all([
      until(() => fleet.totals().accepted > accepted),
      until(() => shows(isOut ? "/failed_eds_health" : "healthy")),
    ]);
    times.push({ written, acknowledged: acknowledged - began, shown: shown - began });
  }
  return times;
}
