import { describe, expect, test } from "vitest";
import { testRoute } from "../../test/support/world/build-route.ts";
import type { Route } from "../model/inventory.ts";
import { HTTP_DEFAULTS } from "../model/to-http.ts";
import { ms } from "../model/units.ts";
import { edgeSettingsOf } from "./edge-settings.ts";

const settingsOf = (more: Partial<Route> = {}) => edgeSettingsOf(testRoute([], more), "/ca.pem");
const { health } = testRoute([]);

describe("how endpoints of a route are spoken to", () => {
  test("one that says nothing has the defaults that are its own at every proxy", () => {
    const { timeouts, retry } = HTTP_DEFAULTS;
    expect(settingsOf()).toMatchObject({
      ...{ port: 80, sticky: "None", requestTimeout: timeouts.request },
      retry: { attempts: retry.attempts, codes: retry.codes, attemptTimeout: timeouts.backendRequest },
    });
    expect(settingsOf().tls).toBeUndefined();
  });

  const http = {
    timeouts: { request: ms(9000), backendRequest: ms(3000) },
    retry: { attempts: 5, codes: [429] },
    limits: { concurrentRequests: 7 },
  };
  const cases: readonly { name: string; route: Partial<Route>; told: object }[] = [
    { name: "clients that stay where they are", route: { sticky: "ClientSubnet" }, told: { sticky: "ClientSubnet" } },
    { name: "the probe's port", route: { health: { ...health, probe: { ...health.probe, port: 8443 } } }, told: { port: 8443 } },
    {
      name: "TLS, as it is probed",
      route: { health: { ...health, probe: { ...health.probe, scheme: "HTTPS" } } },
      told: { tls: { caFile: "/ca.pem" } },
    },
    {
      name: "its own policy",
      route: { http },
      told: { requestTimeout: 9000, retry: { attempts: 5, attemptTimeout: 3000, codes: [429] }, mostRequests: 7 },
    },
  ];
  test.each(cases)("$name", ({ route, told }) => expect(settingsOf(route)).toMatchObject(told));
});
