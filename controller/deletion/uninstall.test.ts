import { expect, test } from "vitest";
import { ms } from "../../src/model/units.ts";
import { createMemoryHub } from "../../test/support/memory-hub.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { KubeError } from "../kube/kube-error.ts";
import { startElection } from "../kube/lease.ts";
import { GLOBAL_ROUTES, LEASES } from "../kube/resources.ts";
import { uninstall } from "./uninstall.ts";

const namespace = "globalroute-system";
const DEPLOYMENTS = { group: "apps", version: "v1", kind: "Deployment", plural: "deployments", namespaced: true };
const LEASE = `${namespace}/globalroute-writer`;

function start() {
  const clock = createSimulatedClock();
  const ports = { ...clock, setTimer: (delay: number, callback: () => void) => clock.setTimer(ms(delay), callback), random: () => 0.5 };
  const hub = createMemoryHub(ports);
  hub.put(DEPLOYMENTS, { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "globalroute", namespace } });
  /** Each deletion of a route takes so long, milliseconds. */
  const run = (slow = 0, deployment = "globalroute") =>
    uninstall({
      api: {
        ...hub.api,
        server: "https://hub.example.org",
        delete: async (...args) => {
          await clock.sleep(slow);
          return hub.api.delete(...args);
        },
      },
      namespace,
      deployment,
      dryRun: false,
      ports,
      tell: () => undefined,
    });
  const generated = (count: number): void => {
    for (let i = 0; i < count; i++)
      hub.put(GLOBAL_ROUTES, {
        apiVersion: "globalroute.dev/v1alpha1",
        kind: "GlobalRoute",
        metadata: { name: `made-${i}`, namespace: "web", labels: { "globalroute.dev/generated": "true" } },
      });
  };
  return { clock, ports, hub, run, generated };
}

const lease = (spec: object) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "globalroute-writer", namespace },
  spec,
});

test("the Lease is taken although its holder renews it meanwhile", async () => {
  const { clock, hub, run } = start();
  hub.put(LEASES, lease({ holderIdentity: "pod-a_1", leaseTransitions: 4 }));
  for (let i = 0; i < 2; i++)
    hub.fail(new KubeError("it has changed", { status: 409, reason: "Conflict" }), ({ verb }) => verb === "replace");
  const done = run();
  await clock.advance(1000);
  await done;
  expect(hub.get(LEASES, LEASE)?.spec).toMatchObject({ holderIdentity: "globalroute-uninstall", leaseTransitions: 5 });
});

test("a controller that still runs does not become writer again, however long it takes and although renewals fail", async () => {
  const { clock, ports, hub, run, generated } = start();
  const began: number[] = [];
  const pod = startElection(
    { api: hub.api, namespace, identity: "pod-a_1", onTerm: () => void began.push(Math.round(clock.now() / 1000)) },
    ports,
  );
  await clock.advance(5_000);
  generated(10);
  const done = run(60_000);
  await clock.advance(100_000);
  for (let i = 0; i < 3; i++)
    hub.fail(
      new KubeError("no answer", { status: 0, reason: "" }),
      ({ verb, body }) => verb === "replace" && JSON.stringify(body).includes("-uninstall"),
    );
  await clock.advance(510_000);
  await done;
  expect(hub.all(GLOBAL_ROUTES)).toEqual([]);
  expect(began).toEqual([0]);
  // Nobody renews it any more: it is free again as when an uninstalling process died.
  await clock.advance(50_000);
  expect(began).toEqual([0]);
  await clock.advance(20_000);
  expect(began).toHaveLength(2);
  void pod.close();
});

test("a Lease that another had meanwhile is told, after all that could be deleted was", async () => {
  const { clock, hub, run, generated } = start();
  generated(1);
  const done = run(30_000);
  const refused = expect(done).rejects.toThrow("another had it meanwhile, who may have made again what was deleted. Uninstall again.");
  await clock.advance(12_000);
  hub.put(LEASES, lease({ holderIdentity: "pod-a_1", leaseTransitions: 7 }));
  await clock.advance(30_000);
  await refused;
  expect(hub.all(GLOBAL_ROUTES)).toEqual([]);
});

test("when deleting fails, renewing ends", async () => {
  const { clock, hub, run, generated } = start();
  generated(1);
  hub.fail(new KubeError("it has changed", { status: 403, reason: "Forbidden" }), ({ verb }) => verb === "delete");
  const refused = expect(run()).rejects.toMatchObject({ status: 403 });
  await clock.advance(1_000);
  await refused;
  expect(clock.pending()).toBe(0);
});

test("a Deployment that is not there is refused before anything is written", async () => {
  const { hub, run } = start();
  expect(await run(0, "globalrout")).toEqual({
    refusal: expect.stringContaining("there is no Deployment globalrout in namespace globalroute-system of https://hub.example.org."),
  });
  expect(hub.writes).toEqual([]);
});
