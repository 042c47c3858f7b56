/** The provider suite against real primaries that take dynamic updates, and what only they can show. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RecordSet } from "../../../dns-providers/record-set.ts";
import { createRfc2136Provider } from "../../../dns-providers/rfc2136/rfc2136-provider.ts";
import { exchangeOverTcp } from "../../../dns-providers/rfc2136/tcp-exchange.ts";
import { createZoneSync } from "../../../dns-providers/zone-sync.ts";
import type { TsigAlgorithm, TsigKey } from "../../../src/dns/transfer/tsig.ts";
import { requireComponent } from "../../support/component.ts";
import { type Primary, startBindPrimary, startKnotPrimary } from "../../support/providers/primaries.ts";
import { desired, type ProviderUnderTest, providerSuite } from "../../support/providers/provider-suite.ts";
import { twoWriters } from "../../support/providers/two-writers.ts";
import { seededRandom } from "../../support/random.ts";

const run = promisify(execFile);
const keyOf = (algorithm: TsigAlgorithm): TsigKey => ({
  name: "globalroute.example.org",
  algorithm,
  secret: new TextEncoder().encode("a secret of thirty-two bytes here"),
});
const SHA256 = keyOf("hmac-sha256");
let nextId = 1;

const providerAt = (port: number, key: TsigKey, domain = "example.org", exchange = exchangeOverTcp) =>
  createRfc2136Provider({
    ...{ server: { host: "127.0.0.1", port }, domain, key, exchange },
    wallClock: () => Date.now(),
    randomId: () => nextId++ & 0xffff,
  });

async function lookUp(port: number, name: string, type: string): Promise<RecordSet | undefined> {
  const { stdout } = await run("dig", ["@127.0.0.1", "-p", String(port), "+noall", "+answer", "+tries=1", name, type]);
  const lines = stdout.split("\n").map((line) => line.split(/\s+/));
  const found = lines.filter(([owner, , , kind]) => owner?.toLowerCase() === `${name}.` && kind === type);
  const values = found.map((fields) => fields.slice(4).join(" "));
  return found.length === 0 ? undefined : { name, type, ttl: Number(found[0]![1]), values };
}

/** By nsupdate, a tool that knows nothing of us. */
async function nsupdate(port: number, key: TsigKey, lines: readonly string[]): Promise<void> {
  const secret = `${key.algorithm}:${key.name}:${Buffer.from(key.secret).toString("base64")}`;
  const child = spawn("nsupdate", ["-y", secret], { stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.end([`server 127.0.0.1 ${port}`, "zone example.org", ...lines, "send", ""].join("\n"));
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
}

const put = ({ name, type, ttl, values }: RecordSet): readonly string[] => [
  `update delete ${name}. ${type}`,
  ...values.map((value) => `update add ${name}. ${ttl} ${type} ${value}`),
];

async function start(begin: (key: TsigKey) => Promise<Primary>, key: TsigKey): Promise<ProviderUnderTest> {
  const primary = await begin(key);
  return {
    provider: providerAt(primary.port, key),
    lookUp: (name, type) => lookUp(primary.port, name, type),
    interfere: (set) => nsupdate(primary.port, key, put(set)),
    stop: primary.stop,
  };
}

const clients = requireComponent("dns-clients", "dig") && requireComponent("dns-clients", "nsupdate");
const isBindHere = clients && requireComponent("bind", "named");
const isKnotHere = clients && requireComponent("knot", "knotd");

describe.skipIf(!isBindHere)("BIND", () => {
  providerSuite("with hmac-sha256", () => start(startBindPrimary, SHA256));
  providerSuite("with hmac-sha512", () => start(startBindPrimary, keyOf("hmac-sha512")));
});
describe.skipIf(!isKnotHere)("Knot", () => {
  providerSuite("with hmac-sha256", () => start(startKnotPrimary, SHA256));
});

for (const { name, isHere, begin } of [
  { name: "BIND", isHere: isBindHere, begin: startBindPrimary },
  { name: "Knot", isHere: isKnotHere, begin: startKnotPrimary },
]) {
  describe.skipIf(!isHere)(`what ${name} refuses is told with its remedy`, () => {
    let primary: Primary;
    beforeAll(async () => {
      primary = await begin(SHA256);
    });
    afterAll(() => primary?.stop());

    const syncWith = (key: TsigKey, domain: string, signal = new AbortController().signal) =>
      createZoneSync({
        ...{ provider: providerAt(primary.port, key, domain), domain, owner: "prod-eu", policy: "Sync", now: () => 0 },
        relistAfter: 0,
      }).sync({ desired: [desired(`shop.${domain}`, ["192.0.2.1"])], epoch: 1, signal });

    test("a key that it does not know", async () => {
      const other = { ...SHA256, name: "other.example.org" };
      await expect(syncWith(other, "example.org")).rejects.toMatchObject({
        code: "unauthorized",
        message: expect.stringContaining("Compare name, algorithm and secret of the key"),
      });
    });

    test("a key with another secret", async () => {
      const other = { ...SHA256, secret: new TextEncoder().encode("another secret of thirty-two byte") };
      await expect(syncWith(other, "example.org")).rejects.toMatchObject({ code: "unauthorized" });
    });

    test("a zone that it does not have", async () => {
      await expect(syncWith(SHA256, "example.net")).rejects.toMatchObject({
        code: expect.stringMatching(/^(zone-missing|unauthorized)$/),
        message: expect.stringContaining("example.net"),
      });
    });

    test("silence", async () => {
      await primary.pause();
      try {
        await expect(syncWith(SHA256, "example.org", AbortSignal.timeout(500))).rejects.toMatchObject({
          code: "unreachable",
          message: expect.stringContaining("no answer in time"),
        });
      } finally {
        primary.resume();
      }
      expect(await syncWith(SHA256, "example.org")).toMatchObject({ kind: "Synced", batches: 1 });
    });

    test("nobody there", async () => {
      await primary.stop();
      await expect(syncWith(SHA256, "example.org")).rejects.toMatchObject({ code: "unreachable" });
    });
  });
}

/** A story is some thirty calls. Ten thousand of each were told with GLOBALROUTE_STORIES=10000, which takes a quarter of an hour. */
const TOLD = process.env.GLOBALROUTE_STORIES;
for (const { name, isHere, begin, stories } of [
  { name: "BIND", isHere: isBindHere, begin: startBindPrimary, stories: Number(TOLD ?? 2000) },
  { name: "Knot", isHere: isKnotHere, begin: startKnotPrimary, stories: Number(TOLD ?? 400) },
]) {
  describe.skipIf(!isHere)(`two writers of one zone at ${name}, paused and resumed at every await point`, () => {
    let primary: Primary;
    beforeAll(async () => {
      primary = await begin(SHA256);
    });
    afterAll(() => primary?.stop());

    test(`${stories} stories: never empty, never older, never mixed`, { timeout: 60_000 + 200 * stories }, async () => {
      const look = providerAt(primary.port, SHA256);
      const signal = new AbortController().signal;
      let told = 0;
      for (; told < stories; told++) {
        const random = seededRandom(told);
        const broken = await twoWriters({
          provider: (scheduler) =>
            providerAt(primary.port, SHA256, "example.org", (...call) =>
              scheduler.travel(
                () => exchangeOverTcp(...call),
                () => new Error("given up"),
              ),
            ),
          look: () => look.list(signal),
          roll: (below) => Math.floor(random() * below),
          base: 10 * (told + 1),
        });
        expect(broken, `seed ${told}`).toBeUndefined();
      }
      expect(told).toBe(stories);
    });
  });
}
