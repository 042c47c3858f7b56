import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { Status } from "../../engine/view.ts";
import type { TimelineEvent } from "../../observe/timeline.ts";
import { type Paint, paintFor } from "../text.ts";
import { type FrameInput, renderFrame } from "./frame.ts";
import { SITES } from "./world.ts";

const now = Date.parse("2026-11-21T12:00:30Z");
const cluster = (name: string, change: Partial<Status["clusters"][number]> = {}): Status["clusters"][number] => ({
  name,
  state: "Active",
  health: "Healthy",
  location: { label: "aws", latitude: 0, longitude: 0 },
  addresses: [],
  endpoints: { healthy: 1, total: 1 },
  latencyMs: 0.84,
  since: "2026-11-21T12:00:00.000Z",
  reason: "ok",
  ...change,
});
const status: Status = {
  clusters: [
    cluster("eu-west", { health: "Unhealthy", reason: "refused", latencyMs: null, since: "2026-11-21T11:55:30.000Z" }),
    cluster("us-east"),
    cluster("ap-northeast", { state: "Draining" }),
    cluster("sa-east", { health: "Unknown", since: null }),
  ],
  routes: [
    {
      namespace: "default",
      name: "shop",
      hosts: ["shop.demo.example"],
      order: "Nearest",
      sticky: false,
      backends: [],
      servedBy: [
        { cluster: "ap-northeast", population: 0.571, countries: ["IN", "CN", "ID"] },
        { cluster: "us-east", population: 0.0049, countries: ["US"] },
      ],
      lastFailover: null,
    },
    {
      namespace: "default",
      name: "app",
      hosts: ["app.demo.example"],
      order: "Weighted",
      sticky: true,
      backends: [],
      servedBy: [],
      lastFailover: null,
    },
  ],
  table: { version: 7, age: 3 },
  config: { path: "/x", problems: [] },
  overrides: [],
  degraded: [],
};
const failover = (id: number, message: string): TimelineEvent => ({
  id,
  at: now,
  kind: "Failover",
  object: "GlobalRoute default/shop",
  message,
  details: {},
});
const input: FrameInput = {
  sites: SITES.map((site, i) => ({ ...site, port: 8080, pid: i === 0 ? undefined : 4710 + i })),
  status,
  events: [],
  now,
  dns: "127.0.0.1:5300",
  proxy: "127.0.0.1:8088",
  admin: "http://127.0.0.1:8053",
  hint: "q quits",
};
const plain: Paint = (_style, text) => text;
const colours = paintFor({ write: () => true, isTTY: true }, {});

test("a frame tells clusters, who serves whom, and that nothing failed yet", () => {
  expect(`${renderFrame(input, 120, 40, plain).join("\n")}\n`).toBe(`\
GlobalRoute demo   DNS 127.0.0.1:5300   HTTP 127.0.0.1:8088   admin http://127.0.0.1:8053   table 7

CLUSTER       PLACE        ADDRESS          PID   HEALTH               LATENCY  SINCE
eu-west       Dublin       127.0.10.1:8080  down  Unhealthy (refused)           5 min ago
us-east       N. Virginia  127.0.10.2:8080  4711  Healthy              0.8 ms   30 s ago
ap-northeast  Tokyo        127.0.10.3:8080  4712  Draining             0.8 ms   30 s ago
sa-east       São Paulo    127.0.10.4:8080  4713  Unknown              0.8 ms
eu-central    Frankfurt    127.0.10.5:8080  4714  not loaded

ROUTE              ORDER             SERVED BY     PEOPLE  WHERE
shop.demo.example  Nearest           ap-northeast   57 %   IN CN ID
                                     us-east       0.5 %   US
app.demo.example   Weighted, sticky  nobody

LAST FAILOVERS
none yet

q quits
`);
});

const events = [
  failover(1, "first"),
  failover(2, "second"),
  { ...failover(3, "a probe"), kind: "EndpointHealthy" as const },
  failover(4, "third"),
];

test.each([
  { height: 19, shown: ["shop: third", "shop: second", "shop: first"] },
  { height: 18, shown: ["shop: third", "shop: second"] },
])("the newest failovers come first, as many as $height rows hold", ({ height, shown }) => {
  const lines = renderFrame({ ...input, events }, 120, height, plain);
  expect(lines).toHaveLength(height);
  const start = lines.indexOf("LAST FAILOVERS") + 1;
  expect(lines.slice(start, -2).map((line) => line.slice(10))).toEqual(shown);
});

test("a low terminal gets one line for each route, so that failovers are seen", () => {
  const lines = renderFrame({ ...input, events }, 120, 19, plain);
  expect(lines.filter((line) => line.includes(".demo.example"))).toEqual([
    "shop.demo.example  ap-northeast 57 %, us-east 0.5 %",
    "app.demo.example   nobody",
  ]);
});

test("what is degraded stands at the top", () => {
  expect(renderFrame({ ...input, status: { ...status, degraded: ["fail-open", "geo-stale"] } }, 80, 24, plain)[1]).toBe(
    "degraded: fail-open, geo-stale",
  );
});

test.each([
  { width: 40, height: 6 },
  { width: 1, height: 1 },
  { width: 200, height: 100 },
])("a frame fits a terminal of $width × $height, and every colour is ended", ({ width, height }) => {
  const lines = renderFrame(input, width, height, colours);
  expect(lines.length).toBeLessThanOrEqual(height);
  for (const line of lines) {
    expect([...stripVTControlCharacters(line)].length).toBeLessThanOrEqual(width);
    expect(line.split("\u001b[").length % 2).toBe(1);
  }
});

test("colours only decorate", () => {
  const bare = renderFrame(input, 60, 40, colours).map(stripVTControlCharacters);
  expect(bare).toEqual(renderFrame(input, 60, 40, plain));
  expect(renderFrame(input, 60, 40, colours)).not.toEqual(bare);
});
