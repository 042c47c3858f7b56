/** All dashboards, and the files that they become. */
import { dns } from "./boards/dns.ts";
import { health } from "./boards/health.ts";
import { overview } from "./boards/overview.ts";
import { providers } from "./boards/providers.ts";
import { proxy } from "./boards/proxy.ts";
import { route } from "./boards/route.ts";
import { slo } from "./boards/slo.ts";
import { type Dashboard, dashboardJson } from "./dashboard.ts";

export const dashboards: readonly Dashboard[] = [overview, route, dns, health, providers, proxy, slo];

/** File name without folder → text. */
export const dashboardFiles = (): ReadonlyMap<string, string> => new Map(dashboards.map((one) => [`${one.name}.json`, dashboardJson(one)]));
