/** A real Envoy that knows nothing but where our control plane is. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { request } from "undici";
import { describe, expect, test, vi } from "vitest";
import { requireComponent } from "../../support/component.ts";
import { HOST, SITES, shopRoute, startFleet, startLoad, startSites } from "../../support/envoy/edge-scene.ts";
import { startEnvoy } from "../../support/envoy/real-envoy.ts";
import { readCertificates } from "../../support/tls/certificates.ts";

const EVERYTHING = { cluster: "Current", loadAssignment: "Current", listener: "Current", routes: "Current" };

describe.skipIf(!requireComponent("envoy", "envoy"))("a real Envoy", () => {
  const start = async (variant: "GRPC" | "DELTA_GRPC" = "DELTA_GRPC") => {
    const sites = await startSites();
    const fleet = await startFleet();
    fleet.update([shopRoute(sites.port)]);
    const envoy = await startEnvoy({ id: "edge-1", region: "eu-west", adsPort: fleet.port, variant });
    const port = await envoy.listenerPort();
    await vi.waitFor(() => expect(fleet.nodes()[0]?.types).toEqual(EVERYTHING), { timeout: 10_000 });
    return { sites, fleet, envoy, port };
  };
  const ask = async (port: number, host = HOST) => {
    const { statusCode, body } = await request(`http://127.0.0.1:${port}/`, { headers: { host } });
    return `${statusCode} ${await body.text()}`;
  };

  test.each(["GRPC", "DELTA_GRPC"] as const)("takes its whole configuration over %s, and one flip is one response", async (variant) => {
    const { sites, fleet, envoy, port } = await start(variant);
    expect(fleet.rejections()).toEqual([]);
    expect(fleet.nodes()).toMatchObject([{ id: "edge-1", place: "ireland", software: "envoy 1.40.0", region: "eu-west" }]);
    await expect.poll(() => ask(port)).toBe(`200 ${SITES.dublin}`);
    expect(await ask(port, `${HOST}:8443`)).toBe(`200 ${SITES.dublin}`);
    expect((await ask(port, "other.example.org")).slice(0, 3)).toBe("404");

    const before = fleet.totals();
    fleet.update([shopRoute(sites.port, ["dublin"])]);
    await expect.poll(() => ask(port)).toBe(`200 ${SITES.frankfurt}`);
    await expect.poll(() => fleet.totals()).toEqual({ ...before, responses: before.responses + 1, accepted: before.accepted + 1 });
    expect(await envoy.admin("/clusters")).toMatch(new RegExp(`default/shop::${SITES.dublin}:\\d+::health_flags::/failed_eds_health`));
    fleet.update([shopRoute(sites.port)]);
    await expect.poll(() => ask(port)).toBe(`200 ${SITES.dublin}`);
    expect(fleet.totals().responses).toBe(before.responses + 2); // and there was none between
    expect(
      envoy
        .log()
        .split("\n")
        .filter((line) => line !== "" && !line.includes("downstream connections")),
    ).toEqual([]);
  });

  test.each(["GRPC", "DELTA_GRPC"] as const)(
    "goes by settings that change at once over %s: it need not wait for endpoints",
    async (variant) => {
      const { sites, fleet, envoy, port } = await start(variant);
      await expect.poll(() => ask(port)).toBe(`200 ${SITES.dublin}`);
      const { settings, ...rest } = shopRoute(sites.port);
      fleet.update([{ ...rest, settings: { ...settings, mostRequests: 77 } }]);
      const isTaken = async () => (await envoy.admin("/clusters")).includes("default/shop::default_priority::max_requests::77");
      await vi.waitFor(async () => expect(await isTaken()).toBe(true), { timeout: 8_000, interval: 100 }); // alone it waits for 15 s
      expect(await ask(port)).toBe(`200 ${SITES.dublin}`);
      await vi.waitFor(() => expect(fleet.nodes()[0]?.types).toEqual(EVERYTHING), { timeout: 5_000 });
      expect(fleet.rejections()).toEqual([]);
    },
  );

  const losses = [
    { name: "is killed", lose: (pid: number) => process.kill(pid, "SIGKILL") },
    { name: "hangs", lose: (pid: number) => process.kill(pid, "SIGSTOP") },
    { name: "answers 503", lose: (_: number, url: string) => request(`${url}/break`, { method: "POST" }).then(({ body }) => body.text()) },
  ];
  test.each(losses)("no GET fails when the nearest cluster $name, before and after we say so", async ({ lose }) => {
    const { sites, fleet, port } = await start();
    const load = startLoad(port, 500);
    await sleep(1000); // of load, as all that is slept here
    const lost = load.elapsed();
    await lose(sites.processes.dublin.pid!, `http://${SITES.dublin}:${sites.port}`);
    await sleep(1500);
    fleet.update([shopRoute(sites.port, ["dublin"])]);
    await expect.poll(() => ask(port)).toBe(`200 ${SITES.frankfurt}`);
    const left = load.elapsed();
    await sleep(1000);
    const outcomes = await load.stop();
    expect(outcomes.filter(({ status }) => status !== 200)).toEqual([]);
    const shareOf = (address: string, part: typeof outcomes) => part.filter(({ text }) => text === address).length / part.length;
    const [before, after] = [outcomes.filter(({ at }) => at < lost - 100), outcomes.filter(({ at }) => at > left + 500)];
    // On a busy machine an answer may come too late by itself.
    expect(shareOf(SITES.dublin, before)).toBeGreaterThan(0.8);
    expect(shareOf(SITES.frankfurt, after)).toBeGreaterThan(0.8);
  });

  test.each(["GRPC", "DELTA_GRPC"] as const)(
    "over %s a route comes and goes without a request to a cluster that is not there",
    async (variant) => {
      const { sites, fleet, port } = await start(variant);
      const wild = { ...shopRoute(sites.port), key: "default/wild", hosts: ["*.wild.example.org"] };
      const seen: string[] = [];
      const until = async (status: string) => {
        do seen.push((await ask(port, "a.wild.example.org")).slice(0, 3));
        while (seen.at(-1) !== status);
      };
      for (let i = 0; i < 5; i++) {
        fleet.update([shopRoute(sites.port), wild]);
        await until("200");
        fleet.update([shopRoute(sites.port)]);
        await until("404");
      }
      expect(new Set(seen)).toEqual(new Set(["404", "200"]));
      await expect.poll(() => fleet.nodes()[0]?.types).toEqual(EVERYTHING);
      expect(fleet.rejections()).toEqual([]);
    },
  );

  test("a POST is not repeated once an application may have seen it", async () => {
    const { sites, port } = await start();
    await request(`http://${SITES.dublin}:${sites.port}/break`, { method: "POST" });
    const post = await request(`http://127.0.0.1:${port}/`, { method: "POST", headers: { host: HOST } });
    expect(`${post.statusCode} ${await post.body.text()}`).toBe(`503 ${SITES.dublin}`);
    expect(await ask(port)).toBe(`200 ${SITES.frankfurt}`);
  });

  test("a POST goes to the next cluster when it cannot be connected to the nearest", async () => {
    const { sites, port } = await start();
    sites.processes.dublin.kill("SIGKILL");
    await once(sites.processes.dublin, "exit");
    const { statusCode, body } = await request(`http://127.0.0.1:${port}/`, { method: "POST", headers: { host: HOST } });
    expect(`${statusCode} ${await body.text()}`).toBe(`200 ${SITES.frankfurt}`);
  });

  test("when the last one that we think well of fails, others are tried rather than nobody", async () => {
    const { sites, fleet, port } = await start();
    fleet.update([shopRoute(sites.port, ["dublin", "frankfurt"])]);
    await expect.poll(() => ask(port)).toBe(`200 ${SITES.virginia}`);
    await request(`http://${SITES.virginia}:${sites.port}/break`, { method: "POST" });
    await vi.waitFor(async () => expect(await ask(port)).toMatch(/^200/), { timeout: 10_000 });
    const texts = await Promise.all(Array.from({ length: 50 }, () => ask(port)));
    expect(texts.filter((text) => !text.startsWith("200"))).toEqual([]);
  });

  test("our control plane may go and come back: nothing changes for clients", async () => {
    const { sites, fleet, port } = await start();
    const load = startLoad(port, 200);
    await sleep(300);
    await fleet.close();
    await sleep(700);
    const again = await startFleet({ listen: { address: "127.0.0.1", port: fleet.port } });
    again.update([shopRoute(sites.port)]);
    await vi.waitFor(() => expect(again.nodes()[0]?.types).toEqual(EVERYTHING), { timeout: 30_000 });
    expect(again.totals().responses).toBe(0); // it said what it had, and versions are those of any replica
    const outcomes = await load.stop();
    expect(outcomes.filter(({ status, text }) => status !== 200 || text !== SITES.dublin)).toEqual([]);
  });

  test("what it rejects is told of its route, and the others go on", async () => {
    const { sites, fleet, port } = await start();
    const bad = shopRoute(sites.port);
    const noFile = {
      ...bad,
      key: "default/bad",
      hosts: ["bad.example.org"],
      settings: { ...bad.settings, tls: { caFile: "/nowhere/ca.pem" } },
    };
    fleet.update([shopRoute(sites.port, ["dublin"]), noFile]);
    await expect.poll(() => fleet.rejections()).toMatchObject([{ node: "edge-1", type: "cluster", routes: ["default/bad"] }]);
    await expect.poll(() => ask(port)).toBe(`200 ${SITES.frankfurt}`);
    fleet.update([shopRoute(sites.port)]);
    await expect.poll(() => ask(port)).toBe(`200 ${SITES.dublin}`);
    await expect.poll(() => fleet.nodes()[0]?.types).toEqual(EVERYTHING);
  });

  test("TLS on both sides: to us with certificates of both, and to the clusters", async () => {
    const file = (name: string): string => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url));
    const { ca, cert, key } = readCertificates();
    const sites = await startSites([file("server.pem"), file("server.key")]);
    const fleet = await startFleet({ tls: { certificate: Buffer.from(cert), key: Buffer.from(key), clientCa: Buffer.from(ca) } });
    const route = shopRoute(sites.port);
    fleet.update([{ ...route, settings: { ...route.settings, tls: { caFile: file("ca.pem") } } }]);
    const tls = { certificate: file("server.pem"), key: file("server.key"), ca: file("ca.pem") };
    const envoy = await startEnvoy({ id: "edge-1", region: "eu-west", adsPort: fleet.port, variant: "DELTA_GRPC", tls });
    const port = await envoy.listenerPort();
    await vi.waitFor(async () => expect(await ask(port)).toBe(`200 ${SITES.dublin}`), { timeout: 10_000 });
  });
});
