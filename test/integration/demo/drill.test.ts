/** A drill of the demo's nearest cluster: what its report says beside what `dig` sees outside, at the server and through a real Unbound. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drillReportSchema } from "../../../src/admin/drill-schemas.ts";
import type { DrillReport } from "../../../src/observe/drill-report.ts";
import { requireComponent } from "../../support/component.ts";
import { type Demo, globalroute, startDemo } from "../../support/demo.ts";
import { dig } from "../../support/dig.ts";
import { freePort } from "../../support/free-port.ts";
import { writeMmdb } from "../../support/mmdb-writer.ts";
import { RESOLVERS, type Resolver, startResolver } from "../../support/resolvers.ts";

const HOST = "shop.demo.example";
const EU_WEST = "127.0.10.1";
const SECONDS = 12;
/** Resolvers on loopback are in Ireland, so that they are answered with eu-west. */
const PLACES = writeMmdb([
  { network: "127.0.0.0/8", record: { country_code: "IE" } },
  { network: "91.64.0.0/16", record: { country_code: "DE" } },
  { network: "8.8.8.0/24", record: { country_code: "US" } },
]);

const kind = RESOLVERS.find(({ name }) => name === "Unbound")!;

interface Sample {
  /** When dig was started, and when it had ended; ms since the epoch. */
  readonly asked: number;
  readonly ended: number;
  readonly addresses: readonly string[];
}

/** Asks by one dig after the other until it is told to stop. */
function digLoop(port: number, ...more: readonly string[]) {
  const samples: Sample[] = [];
  let isOpen = true;
  const over = (async () => {
    while (isOpen) {
      const asked = Date.now();
      const { answers } = await dig(port, HOST, "A", ...more);
      samples.push({ asked, ended: Date.now(), addresses: answers });
    }
  })();
  return {
    async stop(): Promise<readonly Sample[]> {
      isOpen = false;
      await over;
      return samples;
    },
  };
}

describe.skipIf(!requireComponent(kind.component, kind.command) || !requireComponent("dns-clients", "dig"))(
  "globalroute drill eu-west",
  () => {
    let folder: string;
    let demo: Demo;
    let resolver: Resolver;
    let report: DrillReport;
    let outside: Readonly<Record<string, readonly Sample[]>>;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
      writeFileSync(join(folder, "places.mmdb"), PLACES);
      const port = await freePort();
      demo = await startDemo("--mmdb", join(folder, "places.mmdb"), "--watch-resolver", `127.0.0.1:${port}`);
      resolver = await startResolver(kind, "demo.example", demo.dnsPort, HOST, port);
      const loops = { self: digLoop(demo.dnsPort, "+subnet=91.64.0.0/16"), [`resolver 127.0.0.1:${port}`]: digLoop(port) };
      const file = join(folder, "report.json");
      const run = await globalroute(
        "drill",
        "eu-west",
        "--for",
        `${SECONDS}s`,
        "--reason",
        "game day",
        "--report",
        file,
        "--server",
        demo.admin,
      );
      outside = Object.fromEntries(await Promise.all(Object.entries(loops).map(async ([via, loop]) => [via, await loop.stop()] as const)));
      expect(run).toMatchObject({ code: 0 });
      expect(run.stdout).toContain("completed");
      report = drillReportSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    }, 120_000);
    afterAll(async () => {
      await resolver?.stop();
      await demo?.stop();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    });

    test("reports legs that agree with what dig sees outside, on the way out and back", () => {
      const shop = report.routes.find(({ route }) => route === "default/shop");
      const began = Date.parse(report.began);
      const legs = Object.entries(outside).flatMap(([via, samples]) => {
        const isOut = ({ addresses }: Sample): boolean => !addresses.includes(EU_WEST);
        const left = samples.find((sample) => sample.asked >= began && isOut(sample));
        const back = samples.find((sample) => sample.asked >= began + 1000 * SECONDS && !isOut(sample));
        expect(samples.find(({ asked }) => asked >= began - 500)?.addresses, via).toEqual([EU_WEST]); // it was in the cache
        return [
          { via, way: "out", told: shop?.withdrawn?.seen, sample: left, from: began },
          { via, way: "back", told: shop?.restored?.seen, sample: back, from: began + 1000 * SECONDS },
        ];
      });
      for (const { via, way, told, sample, from } of legs) {
        const seconds = told?.find((sight) => sight.via === via)?.totalSeconds;
        const digSeconds = (sample!.ended - from) / 1000;
        const step = (sample!.ended - sample!.asked) / 1000;
        console.log(`${way}, ${via}: the drill says ${seconds} s, dig ${digSeconds} s (one dig takes ${step} s)`);
        // The server's own look-outs ask resolvers at most five times a second.
        const resolution = step + (via === "self" ? 0.05 : 0.2);
        expect(Math.abs(seconds! - digSeconds), `${way}, ${via}: ${seconds} s told, ${digSeconds} s seen`).toBeLessThanOrEqual(
          Math.max(0.1 * digSeconds, resolution),
        );
      }
    });

    test("nobody was answered with nothing, and clients elsewhere noticed nothing", async () => {
      expect(Object.values(outside).flatMap((samples) => samples.filter(({ addresses }) => addresses.length === 0))).toEqual([]);
      const events = JSON.parse((await globalroute("timeline", "--output", "json", "--limit", "1000", "--server", demo.admin)).stdout);
      expect(events.events.filter(({ kind }: { readonly kind: string }) => kind === "EndpointUnhealthy")).toEqual([]);
    });

    test("the server keeps the report", async () => {
      const listed = await globalroute("drill", "--list", "--server", demo.admin);
      expect(listed.stdout).toMatch(/eu-west .*Completed .*game day/);
    });
  },
);
