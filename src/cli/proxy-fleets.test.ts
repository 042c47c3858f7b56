import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readCertificates } from "../../test/support/tls/certificates.ts";
import { testBackend, testCluster, testInventory, testRoute, testRule } from "../../test/support/world/build-route.ts";
import { COUNTRY_FILE, compileTestTable, everythingUsable } from "../../test/support/world/compile-test-world.ts";
import { newLatencyMap } from "../geo/latency-model.ts";
import type { ProxyFleet, Route, RouteKey } from "../model/inventory.ts";
import { HTTP_DEFAULTS } from "../model/to-http.ts";
import { ms } from "../model/units.ts";
import { createTimeline } from "../observe/timeline.ts";
import type { WorkOutClasses } from "../proxy/known-classes.ts";
import { Standing } from "../routing/table.ts";
import type { FleetOptions } from "./fleet-options.ts";
import { createProxyFleets } from "./proxy-fleets.ts";
import { readXdsCertificates } from "./xds-certificates.ts";

const PLACES = [{ name: "germany", location: testCluster("frankfurt").location }];
const ENVOYS: ProxyFleet = { type: "Envoy", name: "edge", endpointCaFile: "/ca.pem", places: PLACES };
const HAPROXIES: ProxyFleet = {
  ...{ type: "HAProxy", name: "office", trustedHops: 0, endpointCaFile: "/ca.pem", places: PLACES },
  members: [{ name: "one", place: "germany", reload: "Manual", listen: [{ address: "192.0.2.80", port: 80 }] }],
};

let folder: string;
const ended: (() => Promise<void>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
});
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
  rmSync(folder, { recursive: true, force: true });
});

const nobody: WorkOutClasses = () => Promise.reject(new Error("no rule speaks of clients"));

function start(
  fleets: readonly ProxyFleet[],
  options: FleetOptions = {},
  routesOf: (route: Route) => readonly Route[] = (route) => [route],
  classes: WorkOutClasses = nobody,
) {
  const due = new Set<() => void>();
  let touch: (route: RouteKey | "all") => void = () => {};
  const warned: string[] = [];
  let look = (): void => {};
  const publisher = createProxyFleets({
    ...options,
    tls: options.xds?.files && readXdsCertificates(options.xds.files),
    addresses: { allow: [], refuse: [] },
    now: () => ms(0),
    wallClock: () => 0,
    setTimer(delay, callback) {
      if (delay > 0) return () => {};
      due.add(callback);
      return () => due.delete(callback);
    },
    every(_, callback) {
      look = callback;
      return () => {};
    },
    random: () => 0.5,
    classes,
    timeline: createTimeline(10, () => 0),
    log: { info: () => {}, warn: (_: unknown, text?: unknown) => void warned.push(String(text)) } as never,
  });
  ended.push(publisher.close);
  publisher.follow({
    watch(listener) {
      touch = listener;
      return () => {};
    },
  });
  const inventory = testInventory(routesOf(testRoute(["frankfurt", "dublin"].map((name, i) => testBackend(name, i + 1)))), { fleets });
  const { table } = compileTestTable(inventory, [COUNTRY_FILE]);
  everythingUsable(table);
  const run = (): void => {
    for (const callback of [...due]) if (due.delete(callback)) callback();
  };
  return {
    publisher,
    table,
    warned,
    prepare: () => publisher.prepare!(table, inventory),
    publish: () => publisher.publish(table, inventory, newLatencyMap()),
    run,
    due,
    touch: (key: RouteKey) => touch(key),
    look: () => look(),
  };
}

test("without fleets nothing is worked out, and nothing is said", () => {
  const { publisher, publish, due, touch } = start([]);
  expect(publish()).toEqual([]);
  touch("default/shop");
  expect([due.size, publisher.status(), publisher.degraded?.(), publisher.strangers()]).toEqual([0, [], [], undefined]);
});

test("a fleet that nobody is started for is told once, with the option that is missing, and nothing else stops", async () => {
  const { publisher, publish, run, look, warned } = start([ENVOYS, HAPROXIES]);
  expect(publish()).toEqual([
    "ProxyFleet office: This server writes no HAProxy's configuration. Start it with --haproxy-dir DIR.",
    "ProxyFleet edge: This server tells Envoys nothing. Start it with --xds ADDR:PORT.",
  ]);
  run();
  expect(publisher.status().map(({ name, problems }) => [name, problems.length])).toEqual([
    ["edge", 1],
    ["office", 1],
  ]);
  expect(publisher.degraded?.()).toEqual(["proxy-failing"]);
  await publisher.start();
  look();
  expect(warned).toEqual([]); // whoever publishes logs what it was answered
});

test("routes that ask for what their proxies do not follow are told, a few by name", () => {
  const http = { ...HTTP_DEFAULTS, hedge: { after: ms(100) } };
  const routesOf = (route: Route) => ["a", "b", "c", "d", "e"].map((name) => ({ ...route, name, hosts: [`${name}.example.org`], http }));
  const { publish } = start([HAPROXIES], { haproxyFolder: folder }, routesOf);
  const told = publish();
  expect(told[0]).toMatch(
    /^ProxyFleet office: GlobalRoute default\/a: its proxies do not follow these parts of spec.http: hedge\. Leave them out/,
  );
  expect(told.slice(3)).toEqual(["ProxyFleet office: 2 more routes are alike."]);
});

test("how long certificates towards Envoys last is told, and nothing where there are none", () => {
  expect(start([]).publisher.certificates()).toEqual([]);
  const { ca, cert, key } = readCertificates();
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const files = { certificate: write("tls.crt", cert), key: write("tls.key", key), clientCa: write("ca.crt", ca) };
  const { publisher } = start([], { xds: { listen: { address: "127.0.0.1", port: 0 }, flag: "--xds", files } });
  const day = 86_400;
  expect(publisher.certificates().map(({ listener, certificate }) => [listener, certificate])).toEqual([
    ["xds", files.clientCa],
    ["xds", files.certificate],
  ]);
  for (const { seconds } of publisher.certificates()) expect(seconds / day).toBeGreaterThan(40_000); // this clock shows 1970
});

describe("whom rules tell apart", () => {
  const german = testRule("german", "Require", { countries: ["DE"] }, ["dublin"]);
  const clients = (): string => readFileSync(join(folder, "office", "one", "clients.map"), "utf8");
  /** Until HAProxy's files are there. */
  async function tell(classes: WorkOutClasses): Promise<readonly string[]> {
    const { publisher, prepare, publish, run, warned } = start(
      [HAPROXIES],
      { haproxyFolder: folder },
      (route) => [{ ...route, rules: [german] }],
      classes,
    );
    await prepare();
    expect(publisher.status()).toEqual([]); // nothing has been told of yet
    const told = new Promise((resolve) => publisher.watch(resolve));
    expect(publish()).toEqual([]);
    run();
    await told;
    return warned;
  }

  test("is what the other thread says", async () => {
    const cls = { name: "0123456789abcdef", networks: ["203.0.113.0/24"], client: { country: "DE" } };
    expect(await tell(async () => ({ by: "Address", classes: [cls] }))).toEqual([]);
    expect(clients()).toContain("203.0.113.0/24 ");
  });

  test("is worked out here when the other thread fails: nobody's table waits for it", async () => {
    const warned = await tell(() => Promise.reject(new Error("out of memory")));
    expect(warned).toEqual([expect.stringContaining("is worked out on the main thread")]);
    expect(clients()).toContain("198.51.100.0/27 ");
  });
});

test("what is touched together is planned in one turn, and a HAProxy's files follow", async () => {
  const { publisher, table, publish, run, due, touch } = start([HAPROXIES], { haproxyFolder: folder });
  const config = (): string => readFileSync(join(folder, "office", "one", "haproxy.cfg"), "utf8");
  const told = new Promise((resolve) => publisher.watch(resolve));
  expect(publish()).toEqual([]);
  expect(due.size).toBe(1);
  run();
  await told; // nobody answers on its socket, and its files are there
  expect(config()).toContain("backend default:shop_serving");
  expect(publisher.status()).toMatchObject([{ name: "office", members: [{ name: "one", place: "germany", state: "Unreachable" }] }]);

  table.state.standing.fill(Standing.Unhealthy, 0, 2);
  touch("default/shop");
  touch("default/shop");
  expect(due.size).toBe(1);
  run();
  expect(due.size).toBe(0);
});
