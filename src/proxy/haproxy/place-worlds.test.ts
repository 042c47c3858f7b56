import { expect, test } from "vitest";
import { edgeBackend, edgePlanOf } from "../../../test/support/haproxy/haproxy-routes.ts";
import { testBackend, testRoute } from "../../../test/support/world/build-route.ts";
import type { Route } from "../../model/inventory.ts";
import { HTTP_DEFAULTS } from "../../model/to-http.ts";
import type { ClientClass } from "../client-classes.ts";
import { edgeSettingsOf } from "../edge-settings.ts";
import type { FleetRoute } from "../edge-worlds.ts";
import { createPlaceWorlds } from "./place-worlds.ts";

const NEAR = edgePlanOf([edgeBackend("near", ["192.0.2.1"])]);
const FAR = edgePlanOf([edgeBackend("far", ["192.0.2.2"])]);
const PLACES = new Set(["lisbon", "oslo"]);
const cls = (name: string, ...networks: readonly string[]): ClientClass => ({ name, networks, client: {} });
const CLASSES = [cls("c1", "192.0.2.0/24"), cls("c2", "198.51.100.0/24"), cls("c3", "203.0.113.0/24")];

function told(name: string, more: Partial<FleetRoute["edge"]> = {}, spec: Partial<Route> = {}): FleetRoute {
  const route = testRoute([testBackend("near", 1)], { name, ...spec });
  const settings = edgeSettingsOf(route, "/ca.pem");
  return { route, edge: { key: `default/${name}`, hosts: route.hosts, settings, plans: new Map([["lisbon", NEAR]]), ...more } };
}

/** As rules make it of clients at Lisbon: the office's go far, and whoever is in no class goes near. */
const ruled = told("ruled", {
  groups: [
    { name: "-", classes: undefined, plans: new Map([["lisbon", NEAR]]) },
    { name: "+office", classes: ["c1", "c3"], plans: new Map([["lisbon", FAR]]) },
    { name: "elsewhere", classes: ["c2"], plans: new Map() },
  ],
});

test("a place has its plans, those of its clients' groups, and the classes that these name", () => {
  const worlds = createPlaceWorlds()(PLACES, [ruled, told("plain", {}, { sticky: "ClientSubnet" })], CLASSES.slice(1));
  expect(worlds.get("lisbon")).toEqual({
    routes: [
      expect.objectContaining({ name: "ruled", plan: NEAR, groups: [{ name: "office", classes: ["c1", "c3"], plan: FAR }] }),
      expect.not.objectContaining({ groups: expect.anything() }),
    ],
    classes: CLASSES.slice(1),
  });
  expect(worlds.get("lisbon")!.routes[1]).toMatchObject({ name: "plain", sticky: "ClientSubnet", plan: NEAR });
  expect(worlds.get("oslo")!.routes).toEqual([]);
});

test("what a route says of its requests goes with it, unless it is what every route has", () => {
  const http = { ...HTTP_DEFAULTS, limits: { bodyBytes: 100 } };
  const routes = [told("plain"), told("same", {}, { http: HTTP_DEFAULTS }), told("own", {}, { http })];
  const worlds = createPlaceWorlds()(PLACES, routes, []);
  expect(worlds.get("lisbon")!.routes.map((route) => route.http?.limits)).toEqual([undefined, undefined, { bodyBytes: 100 }]);
});

test("nobody is looked up of whom no route of the fleet speaks", () => {
  expect(createPlaceWorlds()(PLACES, [told("plain")], CLASSES).get("lisbon")!.classes).toEqual([]);
});

test("routes and classes that are as before are the very objects that were there before", () => {
  const worlds = createPlaceWorlds();
  const before = worlds(PLACES, [ruled, told("plain")], CLASSES).get("lisbon")!;
  const after = worlds(PLACES, [ruled, told("plain")], CLASSES).get("lisbon")!;
  expect(after.routes.map((route, i) => route === before.routes[i])).toEqual([true, false]);
  expect(after.classes).toBe(before.classes);
  const renewed = worlds(PLACES, [ruled], [...CLASSES]).get("lisbon")!;
  expect(renewed.classes).not.toBe(before.classes);
});
