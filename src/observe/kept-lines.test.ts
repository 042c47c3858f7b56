import fc from "fast-check";
import { expect, test } from "vitest";
import { type ExpositionFormat, formatEnd, formatHead, formatSample, type MetricFamily } from "./exposition.ts";
import { createKeptLines, type ManySeries } from "./kept-lines.ts";
import { createMetrics } from "./metrics.ts";

const many = (count: number): ManySeries & { readonly values: Uint8Array } => ({
  labels: Array.from({ length: count }, (_, i) => ({ address: String(i) })),
  values: new Uint8Array(count),
});
const textOf = (blocks: Iterable<{ readonly bytes: Uint8Array }>): string =>
  Buffer.concat(Array.from(blocks, ({ bytes }) => bytes)).toString();
const written = (blocks: Iterable<{ readonly written: number }>): number =>
  Array.from(blocks, (block) => block.written).reduce((sum, lines) => sum + lines, 0);

test("only the block in which something has changed is written again, and what was handed out stays as it was", () => {
  const linesOf = createKeptLines("x");
  const world = many(3000);
  const before = [...linesOf(world)];
  expect(written(before)).toBe(3000);
  expect(before.length).toBeGreaterThan(4);
  const text = textOf(before);
  expect(text).toBe(world.labels.map(({ address }) => `x{address="${address}"} 0\n`).join(""));
  world.values[1500] = 1;
  const after = [...linesOf(world)];
  expect(after.filter((block) => block.written > 0)).toHaveLength(1);
  expect(textOf(after)).toBe(text.replace('{address="1500"} 0', '{address="1500"} 1'));
  expect(textOf(before)).toBe(text);
  expect(written(linesOf(world))).toBe(0);
});

test("two scrapes at a time do not spoil each other, whatever changes between them", () => {
  const linesOf = createKeptLines("x");
  const [long, short] = [many(2000), many(600)];
  const one = linesOf(long)[Symbol.iterator]();
  const parts = [one.next().value, one.next().value];
  expect(textOf(linesOf(short))).toBe(textOf(createKeptLines("x")(short)));
  for (let next = one.next(); next.done !== true; next = one.next()) parts.push(next.value);
  expect(textOf(parts)).toBe(textOf(createKeptLines("x")(long)));
  expect(textOf(linesOf(long))).toBe(textOf(createKeptLines("x")(long)));
});

/** All of it written out, by the definition of each metric. */
function writtenOut(families: readonly MetricFamily[], format: ExpositionFormat): string {
  const lines = families.map((family) => [formatHead(family, format), ...Array.from(family.samples(), (one) => formatSample(one, format))]);
  return lines.flat().join("") + formatEnd(format);
}

const name = fc.string({ unit: fc.constantFrom("a", "é", '"', "\\", "\n", "}"), maxLength: 4 });
const step = fc.oneof(
  fc.record({ what: fc.constant("health" as const), at: fc.nat(), to: fc.constantFrom(0, 1) }),
  fc.record({ what: fc.constant("share" as const), at: fc.nat(), cluster: name, share: fc.double() }),
  fc.record({ what: fc.constant("endpoints" as const), count: fc.nat(1300), cluster: name }),
  fc.record({ what: fc.constant("routes" as const), count: fc.nat(1300), cluster: name }),
  fc.record({ what: fc.constant("probe" as const), cluster: name }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
const story = fc.array(fc.tuple(step, fc.constantFrom<ExpositionFormat>("Text", "OpenMetrics")), { maxLength: 12 });

test("after whatever has changed, a scrape is to the byte what writing all of it out gives, in both formats", async () => {
  const tell = async (steps: readonly (readonly [Step, ExpositionFormat])[]) => {
    let endpoints = { labels: [{ cluster: "eu", address: "192.0.2.1:80" }], healthy: new Uint8Array(1) };
    let serving = { routes: [{ route: "default/shop", cluster: "eu", share: 0.5 }], clusters: [], regret: [] };
    const metrics = createMetrics();
    metrics.attach({ endpoints: () => endpoints, serving: () => serving });
    for (const [now, format] of steps) {
      switch (now.what) {
        case "health":
          if (endpoints.labels.length > 0) endpoints.healthy[now.at % endpoints.labels.length] = now.to;
          break;
        case "endpoints": {
          const labels = Array.from({ length: now.count }, (_, i) => ({ cluster: now.cluster, address: String(i) }));
          endpoints = { labels, healthy: new Uint8Array(now.count) };
          break;
        }
        case "share": {
          const { cluster, share } = now;
          const routes = serving.routes.map((one, i) => (i === now.at % serving.routes.length ? { ...one, cluster, share } : one));
          serving = { ...serving, routes };
          break;
        }
        case "routes": {
          const { cluster } = now;
          serving = { ...serving, routes: Array.from({ length: now.count }, (_, i) => ({ route: `default/${i}`, cluster, share: 1 })) };
          break;
        }
        case "probe":
          metrics.probe(now.cluster, "ok", 0.02);
      }
      expect(await metrics.expose(format)).toBe(writtenOut(metrics.families(), format));
    }
  };
  await fc.assert(fc.asyncProperty(story, tell), { numRuns: 40 });
});
