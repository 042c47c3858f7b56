import { expect, test } from "vitest";
import { TLS_ROUTES } from "./resources.ts";
import { findServed } from "./served-resource.ts";
import { createMemoryKube, unreachable } from "./support/memory-kube.ts";

const group = "gateway.networking.k8s.io";
const cases: readonly {
  readonly name: string;
  readonly versions: Readonly<Record<string, readonly string[]>>;
  readonly found: string | undefined;
}[] = [
  { name: "the stable one of Gateway API 1.6", versions: { v1alpha3: ["tlsroutes"], v1: ["tlsroutes", "gateways"] }, found: "v1" },
  {
    name: "the newest that holds the kind",
    versions: { v1: ["gateways"], v1alpha2: ["tlsroutes"], v1alpha3: ["tlsroutes"] },
    found: "v1alpha3",
  },
  { name: "beta before alpha", versions: { v2alpha1: ["tlsroutes"], v1beta1: ["tlsroutes"] }, found: "v1beta1" },
  { name: "numbers as numbers", versions: { v1alpha9: ["tlsroutes"], v1alpha10: ["tlsroutes"] }, found: "v1alpha10" },
  { name: "a later stable one", versions: { v1: ["tlsroutes"], v2: ["tlsroutes"] }, found: "v2" },
  { name: "names of another order last", versions: { latest: ["tlsroutes"], v1alpha1: ["tlsroutes"] }, found: "v1alpha1" },
  { name: "none", versions: { v1: ["gateways"] }, found: undefined },
];

test.each(cases)("$name", async ({ versions, found }) => {
  const kube = createMemoryKube();
  kube.served.set(group, new Map(Object.entries(versions)));
  expect((await findServed(kube.open(), TLS_ROUTES))?.version).toBe(found);
});

test("a group that is not installed has none; a server that is away says nothing", async () => {
  const kube = createMemoryKube();
  expect(await findServed(kube.open(), TLS_ROUTES)).toBeUndefined();
  kube.fail(unreachable());
  await expect(findServed(kube.open(), TLS_ROUTES)).rejects.toThrow("refused");
});
