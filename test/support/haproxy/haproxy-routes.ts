/** Routes as a HAProxy is told of them, everything that a test does not speak of filled in. */
import { ms } from "../../../src/model/units.ts";
import type { EdgeBackend, EdgePlan } from "../../../src/proxy/edge-plan.ts";
import { DEFAULT_HTTP, type HaproxyHttp } from "../../../src/proxy/haproxy/http-rules.ts";
import type { HaproxyRoute } from "../../../src/proxy/haproxy/layout.ts";
import type { ConfigOptions } from "../../../src/proxy/haproxy/render-config.ts";
import { Standing } from "../../../src/routing/table.ts";

/** @param addresses those with a `-` in front do not serve */
export const edgeBackend = (cluster: string, addresses: readonly string[], weight = 1_000_000): EdgeBackend => ({
  ...{ name: cluster, cluster, weight },
  endpoints: addresses.map((address) => ({ address: address.replace(/^-/, ""), serves: !address.startsWith("-") })),
});

export const edgePlanOf = (...tiers: readonly (readonly EdgeBackend[])[]): EdgePlan => ({ tiers, standing: Standing.Usable });

export const haproxyRoute = (plan: EdgePlan, more: Partial<HaproxyRoute> = {}): HaproxyRoute => ({
  ...{ namespace: "shop", name: "web", hosts: ["shop.example.org"], sticky: "None", port: 80, plan },
  ...more,
});

/** @param attemptTimeout milliseconds */
export const haproxyHttp = (
  attemptTimeout: number,
  retry: Partial<HaproxyHttp["retry"]> = {},
  more: Partial<HaproxyHttp> = {},
): HaproxyHttp => ({ ...DEFAULT_HTTP, retry: { ...DEFAULT_HTTP.retry, attemptTimeout: ms(attemptTimeout), ...retry }, ...more });

export const haproxyOptions: ConfigOptions = {
  folder: "/run/globalroute",
  adminSocket: "/run/globalroute/admin.sock",
  listen: [{ address: "192.0.2.80", port: 80 }],
  ...{ connectTimeout: 500, clientTimeout: 60_000 },
};
