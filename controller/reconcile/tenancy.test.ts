import { expect, test } from "vitest";
import { startHub, type WorldInput } from "../../test/support/kube/reconcile-world.ts";
import { memberClusters, namespaces, peace, type TenancyAttack, tenancyAttacks, zones } from "../../test/support/kube/tenancy-attacks.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import type { Reconciled } from "./reconciled.ts";

const world = (routes: readonly KubeObject[] = [], attack?: TenancyAttack): WorldInput => {
  const hub = attack?.hub ?? [];
  const names = new Set([...Object.keys(peace), ...Object.keys(attack?.clusters ?? {})]);
  return {
    namespaces,
    zones,
    memberClusters,
    routes: [...routes, ...hub.filter(({ kind }) => kind === "GlobalRoute")],
    overrides: hub.filter(({ kind }) => kind === "TrafficOverride"),
    // An object of the same name is the attacker's own in another cluster, never the victim's.
    clusters: Object.fromEntries([...names].map((name) => [name, [...(peace[name] ?? []), ...(attack?.clusters?.[name] ?? [])]])),
  };
};

/** The generated routes as the writer has written them to the hub. */
const written = ({ generated, reports }: Reconciled): readonly KubeObject[] =>
  generated.map((object) => ({
    ...object,
    metadata: {
      ...object.metadata,
      uid: object.metadata.name,
      resourceVersion: "7",
      generation: 1,
      creationTimestamp: "2026-04-01T00:00:00Z",
    },
    status: {
      policySource: reports.find(({ namespace, name }) => namespace === object.metadata.namespace && name === object.metadata.name)
        ?.policySource,
      conditions: [{ type: "Accepted", status: "True", reason: "Accepted", observedGeneration: 1 }],
    },
  }));

const isRefused = ({ warnings, reports }: Reconciled, { refusal }: TenancyAttack): boolean =>
  "warning" in refusal
    ? warnings.some(({ reason }) => reason === refusal.warning)
    : reports.some(({ accepted }) => accepted.status === "False" && accepted.reason === refusal.report);

const calm = startHub().pass(world());

test("the peaceful world is served, and nobody is warned", () => {
  expect(calm.inventory.routes.map(({ namespace, name, backends }) => [namespace, name, backends.length])).toEqual([
    ["pay", "pay", 1],
    ["web", "shop", 2],
  ]);
  expect(calm.warnings).toEqual([]);
});

test.each(tenancyAttacks)("$name is refused, and changes nothing", (attack) => {
  const hub = startHub(calm);
  const result = hub.pass(world([], attack));
  expect(result.inventory).toEqual(calm.inventory);
  expect(isRefused(result, attack)).toBe(true);
});

test.each(tenancyAttacks)("$name is refused by a controller that starts after it, too", (attack) => {
  const result = startHub().pass(world(written(calm), attack));
  expect(result.inventory).toEqual(calm.inventory);
  expect(isRefused(result, attack)).toBe(true);
});
