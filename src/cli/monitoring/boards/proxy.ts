/** The embedded proxy: requests, what becomes of them at clusters, time, connections, and what it answers by itself. And the proxies of ProxyFleets. */
import type { Dashboard } from "../dashboard.ts";
import { chosen } from "../promql.ts";

const OF = 'instance=~"$instance"';
const on = (name: string, more = ""): string => chosen(name, more === "" ? OF : `${OF},${more}`);
const perSecond = (name: string, by: string, more = ""): string =>
  `sum by (${by}) (rate(${on(name, more)}[$__rate_interval])) or vector(0)`;
const requestTime = (quantile: number): string =>
  `histogram_quantile(${quantile}, sum by (le) (rate(${on("globalroute_proxy_request_duration_seconds_bucket")}[$__rate_interval])))`;

export const proxy: Dashboard = {
  name: "proxy",
  title: "Proxy",
  description:
    "Requests that the embedded proxy passes on: how many, how quick, what fails at which cluster. Empty where no server has --proxy. And how the proxies of ProxyFleets follow.",
  from: "now-3h",
  variables: [{ name: "instance", label: "Instance", metric: "globalroute_build_info", of: "instance", multiple: true }],
  rows: [
    {
      title: "Requests",
      panels: [
        {
          kind: "timeseries",
          title: "Requests by status",
          description: "Requests a second by the class of their status; aborted are those whose client went away before.",
          unit: "reqps",
          width: 8,
          stacked: true,
          queries: [{ expr: perSecond("globalroute_proxy_requests_total", "code"), legend: "{{code}}" }],
        },
        {
          kind: "timeseries",
          title: "Time to answer",
          description: "From the end of a request's head to the end of its answer: half, 99 % and 99.9 %. The clusters' own time is in it.",
          unit: "s",
          width: 8,
          min: 0,
          nothing: "no requests",
          queries: [0.5, 0.99, 0.999].map((quantile) => ({ expr: requestTime(quantile), legend: `${quantile * 100} %` })),
        },
        {
          kind: "timeseries",
          title: "Answered by the proxy itself",
          description:
            "Requests a second that were not passed on or found nobody, by why: lost, no-endpoint and slow-endpoint are what users feel.",
          unit: "reqps",
          width: 8,
          queries: [{ expr: perSecond("globalroute_proxy_refused_total", "reason"), legend: "{{reason}}" }],
        },
      ],
    },
    {
      title: "Clusters",
      panels: [
        {
          kind: "timeseries",
          title: "Attempts by cluster",
          description: "Requests a second on their way to each cluster; one that is tried again counts each time.",
          unit: "reqps",
          width: 8,
          stacked: true,
          queries: [{ expr: perSecond("globalroute_proxy_attempts_total", "cluster"), legend: "{{cluster}}" }],
        },
        {
          kind: "timeseries",
          title: "Failed attempts",
          description:
            "A second, by cluster and how: no connection, broken, too slow, or a status that says nobody is behind it (502, 503, 504).",
          unit: "reqps",
          width: 8,
          queries: [
            { expr: perSecond("globalroute_proxy_attempts_total", "cluster, result", 'result!="ok"'), legend: "{{cluster}} {{result}}" },
          ],
        },
        {
          kind: "timeseries",
          title: "Retries",
          description:
            "Attempts a second after the first of a request, and those that the budget denied so that retries do not become a storm.",
          unit: "reqps",
          width: 8,
          queries: [{ expr: perSecond("globalroute_proxy_retries_total", "result"), legend: "{{result}}" }],
        },
        {
          kind: "timeseries",
          title: "Connections",
          description: "Of clients, and to endpoints: busy with a request, or kept for the next one.",
          unit: "short",
          width: 12,
          min: 0,
          queries: [{ expr: `sum by (state) (${on("globalroute_proxy_connections")})`, legend: "{{state}}" }],
        },
        {
          kind: "timeseries",
          title: "Ejected endpoints",
          description: "Endpoints that are asked last now, because requests kept failing there, and how often a minute that happens.",
          unit: "short",
          width: 12,
          min: 0,
          queries: [
            { expr: `sum(${on("globalroute_proxy_ejected")})`, legend: "ejected" },
            { expr: `60 * sum(rate(${on("globalroute_proxy_ejections_total")}[$__rate_interval]))`, legend: "a minute" },
          ],
        },
      ],
    },
    {
      title: "ProxyFleets",
      panels: [
        {
          kind: "timeseries",
          title: "Proxies of fleets",
          description: "Those that are connected, have taken all there is, and have rejected something: these serve what they had.",
          unit: "short",
          width: 12,
          min: 0,
          nothing: "no fleets",
          queries: [{ expr: `sum by (fleet, state) (${on("globalroute_proxy_fleet_proxies")})`, legend: "{{fleet}} {{state}}" }],
        },
        {
          kind: "timeseries",
          title: "Envoys of no fleet or place",
          description: "Envoys that are told nothing, since nobody knows the fleet or the place that they name.",
          unit: "short",
          width: 12,
          min: 0,
          nothing: "no --xds",
          queries: [{ expr: `sum(${on("globalroute_proxy_fleet_strangers")})`, legend: "strangers" }],
        },
      ],
    },
    {
      title: "Certificates",
      panels: [
        {
          kind: "timeseries",
          title: "Time until certificates end",
          description:
            "Of those that users of the embedded proxy are shown (proxy), and those between Envoys and us (xds). Below 0 they have ended.",
          unit: "s",
          width: 24,
          nothing: "no certificates",
          queries: [
            {
              expr: `min by (listener, certificate) (${on("globalroute_proxy_certificate_expiry_seconds")})`,
              legend: "{{listener}} {{certificate}}",
            },
          ],
        },
      ],
    },
  ],
};
