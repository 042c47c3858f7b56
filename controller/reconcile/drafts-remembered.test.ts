/** Drafts of a namespace are not made anew while nothing has changed for it: here only what lies beside its sources changes. */
import { expect, test } from "vitest";
import { served, startHub, type WorldInput } from "../../test/support/kube/reconcile-world.ts";
import { annotated, dnsZone, globalRoute, ingress, memberCluster } from "../../test/support/kube/source-objects.ts";
import { GENERATED_LABEL } from "./generated-label.ts";

const source = ingress({ annotations: annotated() }, ["shop.example.org"], ["192.0.2.1"]);
const still: WorldInput = { memberClusters: [memberCluster("eu")], zones: [dnsZone("example.org", [{}])], clusters: { eu: [source] } };
const names = (input: readonly string[]): readonly string[] => input.map((line) => line.split(" ")[0] ?? "");

function world() {
  const hub = startHub();
  return (more: WorldInput): readonly string[] => names(served(hub.pass({ ...still, ...more })));
}

const backends = [{ name: "own", cluster: "eu", addresses: ["192.0.2.9"] }];

test("people's route that lists the host takes the place of the generated one, and gives it back", () => {
  const pass = world();
  expect(pass({})).toEqual(["web/shop"]);
  expect(pass({ routes: [globalRoute({ name: "mine" }, { hosts: ["shop.example.org"], backends })] })).toEqual(["web/mine"]);
  expect(pass({})).toEqual(["web/shop"]);
});

test("people's route of the same name makes the generated one go by another", () => {
  const pass = world();
  pass({});
  const [first, second] = pass({ routes: [globalRoute({ name: "shop" }, { hosts: ["other.example.org"], backends })] });
  expect([first, second]).toEqual(["web/shop", expect.stringMatching(/^web\/shop-[0-9a-f]{8}$/)]);
});

test("a route whose source cannot be looked at stays, and goes when it can and the source is gone", () => {
  const pass = world();
  pass({});
  expect(pass({ clusters: { eu: [] }, unread: { eu: "all" } })).toEqual(["web/shop"]);
  expect(pass({ clusters: { eu: [] } })).toEqual([]);
});

test("an older generated route of the source that appears on the hub is the one that stays", () => {
  const pass = world();
  expect(pass({})).toEqual(["web/shop"]);
  const elder = globalRoute(
    { name: "elder", labels: { [GENERATED_LABEL]: "true" }, status: { policySource: "eu/web/Ingress/shop" } },
    { hosts: ["shop.example.org"], discovery: "SameNamespace" },
  );
  expect(pass({ routes: [elder] })).toEqual(["web/elder"]);
});
