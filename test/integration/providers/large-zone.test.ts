/** Ten thousand RRsets over forty addresses: how many writes it takes to get there, to stay there, and to leave one cluster. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DesiredSet } from "../../../dns-providers/change.ts";
import { createRfc2136Provider } from "../../../dns-providers/rfc2136/rfc2136-provider.ts";
import { exchangeOverTcp } from "../../../dns-providers/rfc2136/tcp-exchange.ts";
import { createZoneSync } from "../../../dns-providers/zone-sync.ts";
import type { TsigKey } from "../../../src/dns/transfer/tsig.ts";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { type Primary, startBindPrimary } from "../../support/providers/primaries.ts";
import { desired } from "../../support/providers/provider-suite.ts";

const run = promisify(execFile);
const KEY: TsigKey = {
  name: "globalroute.example.org",
  algorithm: "hmac-sha256",
  secret: new TextEncoder().encode("a secret of thirty-two bytes here"),
};
const SETS = 10_000;
const ADDRESSES = 40;
const NEVER = new AbortController().signal;
const LOST = 7;

/** @param lost cluster whose hosts the next one serves */
const world = (lost = -1): readonly DesiredSet[] =>
  Array.from({ length: SETS }, (_, i) => {
    const cluster = i % ADDRESSES === lost ? (lost + 1) % ADDRESSES : i % ADDRESSES;
    return desired(`service-${i}.shop.example.org`, [`198.18.0.${cluster + 1}`]);
  });

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

  const syncOf = () => {
    let id = 0;
    const provider = createRfc2136Provider({
      ...{ server: { host: "127.0.0.1", port: primary.port }, domain: "example.org", key: KEY, exchange: exchangeOverTcp },
      wallClock: () => Date.now(),
      randomId: () => id++,
    });
    return createZoneSync({
      ...{ provider, domain: "example.org", owner: "prod-eu", policy: "Sync" },
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

  test("get there, stay there without a write, and leave a cluster in one batch", async () => {
    const sync = syncOf();
    const first = await timed(() => sync.sync({ desired: world(), epoch: 1, signal: NEVER }));
    expect(first.value).toMatchObject({ kind: "Synced", plan: { conflicts: [] } });
    const steady = await timed(() => sync.sync({ desired: world(), epoch: 1, signal: NEVER }));
    expect(steady.value).toMatchObject({ batches: 0 });
    const relisted = await timed(() => syncOf().sync({ desired: world(), epoch: 1, signal: NEVER }));
    expect(relisted.value).toMatchObject({ batches: 0 });

    const lost = world(LOST);
    const last = lost.findLastIndex((_, i) => i % ADDRESSES === LOST);
    const loss = await timed(async () => {
      const outcome = await sync.sync({ desired: lost, epoch: 1, signal: NEVER });
      await until(lost[last]!.name, lost[last]!.values[0]!);
      return outcome;
    });
    expect(loss.value).toMatchObject({ batches: 1, plan: { groups: { length: SETS / ADDRESSES } } });

    const script = join(folder, "script");
    writeFileSync(
      script,
      [`server 127.0.0.1 ${primary.port}`, "zone example.org", "update add bare.example.org. 30 A 192.0.2.1", "send", ""].join("\n"),
    );
    const secret = `${KEY.algorithm}:${KEY.name}:${Buffer.from(KEY.secret).toString("base64")}`;
    const bare = await timed(async () => {
      await run("nsupdate", ["-y", secret, script]);
      await until("bare.example.org", "192.0.2.1");
    });
    process.stderr.write(
      `${SETS} RRsets, ${ADDRESSES} addresses: first sync ${(first.value as { batches: number }).batches} batches, ${first.ms} ms; ` +
        `steady 0, ${steady.ms} ms (${relisted.ms} ms with a new listing); ` +
        `one cluster lost: 1 batch, ${loss.ms} ms to BIND's new answer; one bare nsupdate of one record: ${bare.ms} ms\n`,
    );
  });
});
