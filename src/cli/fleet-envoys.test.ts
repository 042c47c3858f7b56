import { expect, test } from "vitest";
import type { EnvoyFleetSpec } from "../model/inventory.ts";
import type { EnvoyNode } from "../proxy/envoy/discovery-service.ts";
import type { FleetNode } from "../proxy/envoy/envoy-fleets.ts";
import { envoyFleetStatus, strangerTo, toldFleet } from "./fleet-envoys.ts";

const PLACE = { latitude: 0, longitude: 0, label: "" };
const SPEC: EnvoyFleetSpec = { type: "Envoy", name: "edge", endpointCaFile: "/ca.pem", places: [{ name: "paris", location: PLACE }] };
const node = (id: string, more: Partial<EnvoyNode> = {}): EnvoyNode => ({
  id,
  cluster: "edge",
  region: "paris",
  zone: "",
  subZone: "",
  software: "",
  ...more,
});
const types = { cluster: "Current", loadAssignment: "Current", listener: "Unasked", routes: "Current" } as const;
const connected = (
  id: string,
  more: Partial<FleetNode["status"]> = {},
  rejections: ReturnType<FleetNode["rejections"]> = [],
): FleetNode => ({
  status: { ...node(id), place: "paris", variant: "Delta", connectedSince: 0, types, ...more },
  rejections: () => rejections,
});

test("who follows is counted, who does not is listed, in Envoy's words", () => {
  const rejection = { node: "e3", type: "cluster", message: "no such file", routes: ["web/shop"] } as const;
  const nodes = [
    connected("e1"),
    connected("e2", { types: { ...types, routes: "Pending" } }),
    connected("e3", { types: { ...types, cluster: "Rejected" } }, [
      rejection,
      { ...rejection, type: "routes", routes: ["web/shop", "web/cart"] },
    ]),
    connected("e4", { types: { ...types, listener: "Rejected" } }, [{ ...rejection, type: "listener", routes: [] }]),
  ];
  expect(envoyFleetStatus(SPEC, nodes, [])).toEqual({
    ...{ name: "edge", type: "Envoy", problems: [] },
    proxies: { connected: 4, current: 1, rejected: 2 },
    members: [
      { name: "e3", place: "paris", state: "Rejected", problem: "no such file; no such file", routes: ["web/shop", "web/cart"] },
      { name: "e4", place: "paris", state: "Rejected", problem: "no such file" },
      { name: "e2", place: "paris", state: "Pending" },
    ],
  });
});

test("of a thousand that do not follow a page is listed, and all are counted", () => {
  const nodes = Array.from({ length: 1000 }, (_, i) => connected(`e${i}`, { types: { ...types, routes: "Pending" } }));
  const { members, proxies } = envoyFleetStatus(SPEC, nodes, []);
  expect([members.length, proxies.connected, proxies.current]).toEqual([64, 1000, 0]);
});

const strangers: readonly { readonly name: string; readonly told: string; readonly words: RegExp }[] = [
  {
    name: "a misspelt place",
    told: envoyFleetStatus(SPEC, [], [node("lost", { region: "pariss" })]).problems.join(),
    words: /^Envoy lost says that it is at pariss, which is no place of ProxyFleet edge, so it is told nothing\. Did you mean paris\?/,
  },
  {
    name: "no place",
    told: envoyFleetStatus(SPEC, [], [node("lost", { region: "" })]).problems.join(),
    words:
      /does not say where it stands, so it is told nothing\. Set node\.locality\.region in its bootstrap to a place of the fleet, such as paris\.$/,
  },
  {
    name: "a misspelt fleet",
    told: strangerTo(node("lost", { cluster: "egde" }), ["edge"]),
    words: /says that it is of egde, .*Did you mean edge\?/,
  },
  {
    name: "no fleet",
    told: strangerTo(node("lost", { cluster: "" }), ["edge"]),
    words: /does not say which ProxyFleet it is of.*Set node\.cluster/,
  },
];
test.each(strangers)("$name is told with what to do", ({ told, words }) => expect(told).toMatch(words));

test("a fleet without a listener leaves Envoys their own", () => {
  expect(toldFleet(SPEC, []).listener).toBeUndefined();
  const tls = { certificateFile: "/tls.crt", keyFile: "/tls.key" };
  expect(toldFleet({ ...SPEC, listener: { address: "192.0.2.1", port: 443, tls, trustedHops: 1 } }, [])).toEqual({
    ...{ name: "edge", places: ["paris"], routes: [] },
    listener: { listen: { address: "192.0.2.1", port: 443 }, tls, trustedHops: 1 },
  });
});
