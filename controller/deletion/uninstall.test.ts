import { expect, test } from "vitest";
import { ms } from "../../src/model/units.ts";
import { createMemoryHub } from "../../test/support/memory-hub.ts";
import { createSimulatedClock } from "../../test/support/simulated-clock.ts";
import { KubeError } from "../kube/kube-error.ts";
import { LEASES } from "../kube/resources.ts";
import { uninstall } from "./uninstall.ts";

test("the Lease is taken although its holder renews it meanwhile", async () => {
  const clock = createSimulatedClock();
  const hub = createMemoryHub({ ...clock, setTimer: (delay, callback) => clock.setTimer(ms(delay), callback) });
  hub.put(LEASES, {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "globalroute-writer", namespace: "globalroute-system" },
    spec: { holderIdentity: "pod-a_1", leaseTransitions: 4 },
  });
  for (let i = 0; i < 2; i++)
    hub.fail(new KubeError("it has changed", { status: 409, reason: "Conflict" }), ({ verb }) => verb === "replace");
  const done = uninstall({
    api: hub.api,
    namespace: "globalroute-system",
    deployment: "globalroute",
    dryRun: false,
    now: 0,
    tell: () => undefined,
  });
  await clock.advance(1000);
  await done;
  expect(hub.get(LEASES, "globalroute-system/globalroute-writer")?.spec).toMatchObject({
    holderIdentity: "globalroute-uninstall",
    leaseTransitions: 5,
  });
});
