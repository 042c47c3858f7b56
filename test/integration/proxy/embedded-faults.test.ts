/** The embedded proxy in front of three clusters, which are processes of their own, that are killed, stopped and broken under load. */
import { setTimeout } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { HttpPolicy } from "../../../src/model/inventory.ts";
import { ms } from "../../../src/model/units.ts";
import type { ProxyEndpoint } from "../../../src/proxy/embedded/forward/endpoints.ts";
import { openProxyServer, type ProxyServer } from "../../../src/proxy/embedded/forward/proxy-server.ts";
import { PROXY_SETTINGS } from "../../../src/proxy/embedded/forward/settings.ts";
import { freePort } from "../../support/free-port.ts";
import { startUpstream, type Upstream } from "../../support/haproxy/haproxy-world.ts";
import { type Outcome, send, startLoad } from "../../support/haproxy/http-load.ts";
import { routed } from "../../support/http1/proxy-world.ts";
import { realPorts } from "../../support/real-ports.ts";

const NAMES = ["near", "middle", "far"];

interface Scene {
  readonly near: Upstream;
  readonly upstreams: readonly Upstream[];
  readonly proxy: ProxyServer;
  /** A table that does not offer the nearest any more. */
  readonly withdraw: () => void;
}

async function scene(policy: Partial<HttpPolicy>): Promise<Scene> {
  const port = await freePort();
  const upstreams = await Promise.all(NAMES.map((name, i) => startUpstream(name, `127.0.0.${21 + i}`, port)));
  let tiers = upstreams.map(({ name, address }): ProxyEndpoint[] => [{ id: name, address, port }]);
  let version = 0;
  const proxy = await openProxyServer(
    { address: "127.0.0.1", port: 0 },
    routed(() => tiers, policy),
    { ...realPorts, now: () => ms(performance.now()), tableVersion: () => version, onError: (error) => expect.fail(String(error)) },
    PROXY_SETTINGS,
  );
  onTestFinished(() => proxy.close(ms(0)));
  return {
    near: upstreams[0]!,
    upstreams,
    proxy,
    withdraw: () => {
      tiers = tiers.slice(1);
      version++;
    },
  };
}

const failed = (outcomes: readonly Outcome[]): readonly Outcome[] => outcomes.filter(({ status }) => status !== 200);
/** It is not idempotent, what the others do is (RFC 9110 §9.2.2). */
const isPost = ({ method }: Outcome): boolean => method === "POST";

/** Ids of POSTs that arrived more than once, anywhere. */
function repeated(upstreams: readonly Upstream[]): readonly string[] {
  const ids = upstreams.flatMap(({ seen }) => seen.filter((line) => line.startsWith("POST ")).map((line) => line.split(" ")[2]!));
  return ids.filter((id, i) => ids.indexOf(id) !== i);
}

interface Fault {
  readonly name: string;
  readonly strike: (near: Upstream) => unknown;
  readonly heal: (near: Upstream) => unknown;
  readonly policy?: Partial<HttpPolicy>;
  /** The table learns of it while requests are waiting. */
  readonly isWithdrawn?: boolean;
}

const stopped = { strike: (near: Upstream) => near.signal("SIGSTOP"), heal: (near: Upstream) => near.signal("SIGCONT") };

describe("under 500 requests/s the nearest of three clusters is", () => {
  const faults: readonly Fault[] = [
    { name: "killed", strike: (near) => near.signal("SIGKILL"), heal: (near) => near.start() },
    { name: "answering 503", strike: (near) => near.become(503), heal: (near) => near.become(200) },
    { name: "stopped, and requests find out", ...stopped, policy: { timeouts: { request: ms(0), backendRequest: ms(1500) } } },
    { name: "stopped, and taken from the table while a thousand requests wait", ...stopped, isWithdrawn: true },
  ];
  test.each(faults)(
    "$name: nothing idempotent fails, no POST arrives twice",
    async ({ strike, heal, policy = {}, isWithdrawn = false }) => {
      const { near, upstreams, proxy, withdraw } = await scene(policy);
      const served = ({ seen }: Upstream): Promise<void> => expect.poll(() => seen.length).toBeGreaterThan(400);
      const stop = startLoad(proxy.port);
      await served(near);
      await strike(near);
      await setTimeout(2500); // of load, as all that is slept here
      if (isWithdrawn) {
        await expect.poll(() => proxy.connections().clients).toBeGreaterThan(1000);
        withdraw();
      }
      await setTimeout(1500);
      await served(upstreams[1]!);
      await heal(near);
      await setTimeout(1000);
      const outcomes = await stop();
      expect(failed(outcomes.filter((one) => !isPost(one)))).toEqual([]);
      expect(repeated(upstreams)).toEqual([]);
      expect(failed(outcomes.filter(isPost)).every(({ status }) => [502, 503, 504].includes(status))).toBe(true);
      expect(outcomes.slice(0, 200).filter(({ body }) => body === "near")).toHaveLength(200);
      expect(outcomes.filter(({ body }) => body === "middle").length).toBeGreaterThan(300);
      if (!isWithdrawn)
        await expect.poll(async () => (await send(proxy.port, { method: "GET" })).body, { timeout: 20_000, interval: 500 }).toBe("near");
    },
  );
});
