/**
 * Ten thousand RRsets over forty addresses: how many writes it takes to get there, to stay there, and to leave one cluster, and how long that
 * takes beside a bare `nsupdate` of one record and one of as many.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPlainZone } from "../../../dns-providers/desired-sets.ts";
import type { Provider } from "../../../dns-providers/provider.ts";
import { createRfc2136Provider } from "../../../dns-providers/rfc2136/rfc2136-provider.ts";
import { exchangeOverTcp } from "../../../dns-providers/rfc2136/tcp-exchange.ts";
import { createZoneSync } from "../../../dns-providers/zone-sync.ts";
import type { TsigKey } from "../../../src/dns/transfer/tsig.ts";
import type { Cluster, Route } from "../../../src/model/inventory.ts";
import { Standing } from "../../../src/routing/table.ts";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { type Primary, startBindPrimary } from "../../support/providers/primaries.ts";
import { testBackend, testCluster, testRoute } from "../../support/world/build-route.ts";
import { compileTestTable, everythingUsable } from "../../support/world/compile-test-world.ts";

const run = promisify(execFile);
const KEY: TsigKey = {
  name: "globalroute.example.org",
  algorithm: "hmac-sha256",
  secret: new TextEncoder().encode("a secret of thirty-two bytes here"),
};
const SETS = 10_000;
const ADDRESSES = 40;
const NEVER = new AbortController().signal;
/** Clusters that are lost one after the other, so far apart that none of them is where the hosts of another go. */
const LOST = [3, 11, 19, 27, 35];
const MOVED = SETS / ADDRESSES;

const addressOf = (cluster: number): string => `198.18.0.${(cluster % ADDRESSES) + 1}`;
const clusters: readonly Cluster[] = Array.from({ length: ADDRESSES }, (_, i) => testCluster(`cluster-${i}`));
/** The host of route i is served by cluster i, and by the next one when that is lost. */
const routes: readonly Route[] = Array.from({ length: SETS }, (_, i) =>
  testRoute(
    [0, 1, 2].map((priority) =>
      testBackend(`cluster-${(i + priority) % ADDRESSES}`, 0, { addresses: [addressOf(i + priority)], priority }),
    ),
    { name: `service-${i}`, hosts: [`service-${i}.shop.example.org`], order: "Priority" },
  ),
);

const isHere = requireComponent("bind", "named") && requireComponent("dns-clients", "dig") && requireComponent("dns-clients", "nsupdate");

describe.skipIf(!isHere)(`${SETS} RRsets over ${ADDRESSES} addresses in a zone of BIND`, () => {
  let primary: Primary;
  let folder: string;
  beforeAll(async () => {
    primary = await startBindPrimary(KEY);
    folder = mkdtempSync(join(tmpdir(), "nsupdate-"));
  });
  afterAll(async () => {
    await primary?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** @param onWritten told when the server has accepted a batch */
  const syncOf = (onWritten: () => Promise<void> = async () => {}) => {
    let id = 0;
    const provider = createRfc2136Provider({
      ...{ server: { host: "127.0.0.1", port: primary.port }, domain: "example.org", key: KEY, exchange: exchangeOverTcp },
      wallClock: () => Date.now(),
      randomId: () => id++,
    });
    const told: Provider = {
      ...provider,
      async apply(batch, signal) {
        await provider.apply(batch, signal);
        await onWritten();
      },
    };
    return createZoneSync({
      ...{ provider: told, domain: "example.org", owner: "prod-eu", policy: "Sync" },
      ...{ relistAfter: Number.POSITIVE_INFINITY, now: () => 0 },
    });
  };
  const timed = async <T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly ms: number }> => {
    const start = performance.now();
    const value = await work();
    return { value, ms: Math.round(performance.now() - start) };
  };
  const until = async (name: string, address: string): Promise<void> => {
    for (let tries = 0; (await dig(primary.port, name, "A")).answers.join() !== address; tries++)
      if (tries > 200) throw new Error(`${name} is not ${address}`);
  };

  test("get there, stay there without a write, and leave a cluster in one batch", { timeout: 120_000 }, async () => {
    const { table } = compileTestTable({ routes, clusters, zones: [], overrides: [] }, []);
    everythingUsable(table);
    const draw = createPlainZone();
    const isInZone = (): boolean => true;
    const desired = () => draw({ table, routes, isInZone, before: () => undefined });
    const lose = (lost: number): void =>
      table.names.backends.forEach(({ cluster }, backend) => {
        if (cluster === lost) table.state.standing[2 * backend] = Standing.Unhealthy;
      });

    let onWritten = async (): Promise<void> => {};
    const sync = syncOf(() => onWritten());
    const first = await timed(() => sync.sync({ desired: desired(), epoch: 1, signal: NEVER }));
    expect(first.value).toMatchObject({ kind: "Synced", plan: { conflicts: [] } });
    const steady = await timed(() => sync.sync({ desired: desired(), epoch: 1, signal: NEVER }));
    expect(steady.value).toMatchObject({ batches: 0 });
    const relisted = await timed(() => syncOf().sync({ desired: desired(), epoch: 1, signal: NEVER }));
    expect(relisted.value).toMatchObject({ batches: 0 });

    const script = join(folder, "script");
    const secret = `${KEY.algorithm}:${KEY.name}:${Buffer.from(KEY.secret).toString("base64")}`;
    /** Puts so many names to an address by a bare nsupdate. @returns milliseconds to BIND's new answer */
    const bare = async (label: string, count: number, address: string): Promise<number> => {
      const names = Array.from({ length: count }, (_, i) => `${label}-${i}.example.org`);
      const updates = names.flatMap((name) => [`update delete ${name}. A`, `update add ${name}. 30 A ${address}`]);
      writeFileSync(script, [`server 127.0.0.1 ${primary.port}`, "zone example.org", ...updates, "send", ""].join("\n"));
      const { ms } = await timed(async () => {
        await run("nsupdate", ["-v", "-y", secret, script]);
        await until(names.at(-1)!, address);
      });
      return ms;
    };
    const ours = async (lost: number): Promise<number> => {
      const moved = routes.findLastIndex((_, i) => i % ADDRESSES === lost);
      lose(lost);
      let answered = Number.NaN;
      const start = performance.now();
      onWritten = async () => {
        await until(routes[moved]!.hosts[0]!, addressOf(lost + 1));
        answered = performance.now();
      };
      const outcome = await sync.sync({ desired: desired(), epoch: 1, signal: NEVER });
      expect(outcome).toMatchObject({ batches: 1, plan: { groups: { length: MOVED } } });
      return Math.round(answered - start);
    };
    const figures = { ours: [] as number[], many: [] as number[], one: [] as number[] };
    await bare("many", MOVED, "192.0.2.1"); // they are there already when they are measured
    for (const [round, lost] of LOST.entries()) {
      const steps = [
        async () => void figures.ours.push(await ours(lost)),
        async () => void figures.many.push(await bare("many", MOVED, `192.0.2.${round + 2}`)),
        async () => void figures.one.push(await bare("one", 1, `192.0.2.${round + 2}`)),
      ];
      for (const step of round % 2 === 0 ? steps : steps.toReversed()) await step();
    }
    const told = (times: readonly number[]): string => {
      const sorted = times.toSorted((a, b) => a - b);
      return `${sorted[(sorted.length - 1) / 2]} ms (${sorted[0]} to ${sorted.at(-1)})`;
    };
    process.stderr.write(
      `${SETS} RRsets, ${ADDRESSES} addresses: first sync ${(first.value as { batches: number }).batches} batches, ${first.ms} ms; ` +
        `steady 0, ${steady.ms} ms (${relisted.ms} ms with a new listing); one cluster lost: 1 batch of ${MOVED} changes, ${told(figures.ours)} ` +
        `from the decision to BIND's new answer; a bare nsupdate of ${MOVED} changes: ${told(figures.many)}, of one: ${told(figures.one)}\n`,
    );
  });
});
