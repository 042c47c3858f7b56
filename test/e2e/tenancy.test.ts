/** What tenants try, against the real controller on real API servers: each is refused where its owner looks, and nothing that is served changes. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../support/component.ts";
import { tenancyAttacks } from "../support/kube/tenancy-attacks.ts";
import { type Controller, startController } from "./support/controller.ts";
import { eventually, throughout } from "./support/eventually.ts";
import { conditionOf, type SeenStatus, statusOf } from "./support/story.ts";
import { type Attacked, startTenants, type Tenants } from "./support/tenants.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") && requireComponent("kubectl", "kubectl") && requireComponent("dns-clients", "dig");

/** Whatever an attack might bring into the world, and what it might take away. */
const NAMES: readonly string[] = [
  ...["shop", "pay", "evil", "x.shop", "dev.pay", "x.pay", "evilshop", "anything"].map((name) => `${name}.example.org`),
  ...["example.org", "shop.example.net", "shop.example.org.evil.example.org"],
];
const NETWORKS: readonly string[] = ["91.64.0.0/24", "73.0.0.0/24", "126.0.0.0/24"];
const run = promisify(execFile);

interface SeenEvent {
  readonly metadata: { readonly uid?: string };
  readonly reason?: string;
  readonly note?: string;
}

describe.skipIf(!isHere)("tenants of a hub and three members", () => {
  let tenants: Tenants;
  let controller: Controller;
  /** What was served in peace. */
  let calm: string;
  let attacked: Attacked | undefined;

  beforeAll(async () => {
    tenants = await startTenants();
    controller = await startController(tenants.world.hub, { hubUrl: tenants.world.hubProxy.url });
    await eventually(
      "all sites to be served",
      async () => {
        calm = await served(controller);
        return ["192.0.2.1", "192.0.2.2", "198.51.100.1"].every((address) => calm.includes(address));
      },
      { within: 60_000, detail: () => `${calm}\n${controller.log().slice(-6000)}` },
    );
    await eventually(
      "the routes to be ready",
      async () => {
        const ready = await Promise.all(["web/shop", "pay/pay"].map((route) => conditionsOf(route)));
        return ready.every((condition) => condition?.status === "True");
      },
      { within: 60_000 },
    );
    calm = await served(controller);
  });
  afterEach(async () => {
    await attacked?.undo();
    attacked = undefined;
  });
  afterAll(async () => {
    await controller?.stop();
    await tenants?.stop();
  });

  const routePath = (route: string): string => {
    const [namespace, name] = route.split("/");
    return `/apis/globalroute.dev/v1alpha1/namespaces/${namespace}/globalroutes/${name}`;
  };
  const conditionsOf = async (route: string) => conditionOf(await statusOf(tenants.world.hub.api, routePath(route)), "Ready");
  const events = async (): Promise<readonly SeenEvent[]> => tenants.world.hub.api.list("/apis/events.k8s.io/v1/events");

  /** Every name for every client: statuses and answers, as dig prints them. TTLs of names whose owner has not set them change with time. */
  async function served({ dnsPort }: Controller): Promise<string> {
    const options = ["+noall", "+comments", "+answer", "+nocookie", "+tries=1", "+time=3"];
    const queries = NAMES.flatMap((name) => NETWORKS.flatMap((network) => [name, "A", `+subnet=${network}`, ...options]));
    const { stdout } = await run("dig", ["@127.0.0.1", "-p", String(dnsPort), ...options, ...queries]);
    return stdout.replaceAll(/id: \d+/g, "").replaceAll(/^(pay\S*\s+)\d+/gm, "$1");
  }

  test("the peace is what it should be", () => {
    expect(calm.match(/status: NOERROR, /g)?.length).toBeGreaterThanOrEqual(2 * NETWORKS.length);
    expect(calm).not.toContain("203.0.113.66");
  });

  test.each(tenancyAttacks.map((attack, i) => ({ ...attack, suffix: `alone-${i}` })))(
    "$name is refused, and changes nothing",
    async ({ suffix, ...attack }) => {
      const { refusal } = attack;
      const before = new Set((await events()).map(({ metadata }) => metadata.uid));
      attacked = await tenants.attack(attack, suffix);
      const { hub, refused } = attacked;
      if (refused.length === 0) {
        const isRefused = async (): Promise<boolean> => {
          if ("warning" in refusal)
            return (await events()).some(({ metadata, reason }) => reason === refusal.warning && !before.has(metadata.uid));
          const statuses = await Promise.all(hub.map((path) => statusOf(tenants.world.hub.api, path)));
          if (statuses.every((status) => status === undefined)) return refusal.report === "NotGenerated"; // what says that we made it is taken away
          const conditions = statuses.map((status) => conditionOf(status, "Accepted"));
          return conditions.some((condition) => condition?.status === "False" && condition.reason === refusal.report);
        };
        await eventually("the refusal", isRefused, { within: 15_000, detail: () => controller.log().slice(-3000) });
      }
      expect(await served(controller)).toBe(calm);
    },
  );

  test("each refusal says once which source of which cluster it is about", async () => {
    const notes = (await events()).flatMap(({ note }) => (note?.includes(" in cluster ") === true ? [note] : []));
    expect(notes.length).toBeGreaterThan(10);
    for (const note of notes) expect(note.split(" in cluster ")).toHaveLength(2);
  });

  test("all of them at once change nothing, not even for a controller that starts after them", async () => {
    const all: Attacked[] = [];
    for (const [i, attack] of tenancyAttacks.entries()) all.push(await tenants.attack(attack, `together-${i}`));
    const late = await startController(tenants.world.hub, { name: "globalroute-1", hubUrl: tenants.world.hubProxy.url });
    try {
      await eventually("all sites to be served", async () => (await served(late)) === calm, { detail: () => late.log().slice(-6000) });
      await throughout(2000, async () => {
        expect(await served(late)).toBe(calm);
        expect(await served(controller)).toBe(calm);
      });
    } finally {
      await late.stop();
      for (const { undo } of all) await undo();
    }
  });

  test.each([
    ["the metadata service", "169.254.169.254", 80],
    ["this machine", "::ffff:127.0.0.1", 80],
    ["an API server", "198.18.0.20", 6443],
  ])("what %s says cannot be read out of a probe that looks for a text in it", async (_name, address, port) => {
    const { hub } = tenants.world;
    const routes = "/apis/globalroute.dev/v1alpha1/namespaces/evil/globalroutes";
    await hub.api.create(routes, {
      apiVersion: "globalroute.dev/v1alpha1",
      kind: "GlobalRoute",
      metadata: { name: "oracle" },
      spec: {
        hosts: ["evil.example.org"],
        backends: [{ name: "a", cluster: "us", addresses: [address] }],
        health: { probe: { type: "HTTP", port, path: "/", expect: { status: ["100-599"], body: "a" } } },
      },
    });
    try {
      let status: SeenStatus | undefined;
      const isRefused = async (): Promise<boolean> => {
        status = await statusOf(hub.api, `${routes}/oracle`);
        return status?.backends?.[0]?.reason === "forbidden-address";
      };
      await eventually("its probe to be refused", isRefused, { within: 15_000, detail: () => JSON.stringify(status) });
    } finally {
      await hub.api.delete(`${routes}/oracle`);
    }
  });

  test("what is inside was never asked", () => {
    for (const inside of tenants.insides) expect([inside.address, inside.requests()]).toEqual([inside.address, 0]);
  });
});
