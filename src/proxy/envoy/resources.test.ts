import { describe, expect, test } from "vitest";
import { edgeBackend, edgePlanOf, edgeRoute } from "../../../test/support/envoy/edge-world.ts";
import { ms } from "../../model/units.ts";
import type { EdgePlan } from "../edge-plan.ts";
import { decode } from "./api/codec.ts";
import type { ClusterLoadAssignment } from "./api/envoy-api.ts";
import { clusterOf } from "./cluster.ts";
import { listenerOf } from "./listener.ts";
import { loadAssignment } from "./load-assignment.ts";
import { routeConfiguration } from "./route-configuration.ts";

/** `0 dublin 1000000 192.0.2.1` a locality: priority, region, weight, endpoints. */
const told = ({ endpoints = [] }: ClusterLoadAssignment): readonly string[] =>
  endpoints.map(({ priority, locality, loadBalancingWeight, lbEndpoints = [] }) =>
    [
      ...[priority, locality?.region, loadBalancingWeight?.value],
      ...lbEndpoints.map(
        ({ endpoint, healthStatus }) => `${healthStatus === "HEALTHY" ? "" : "!"}${endpoint?.address?.socketAddress?.address}`,
      ),
    ].join(" "),
  );

describe("load assignments", () => {
  const cases: readonly { name: string; plan: EdgePlan["tiers"]; lines: readonly string[]; factor: number }[] = [
    {
      name: "tiers are priorities, and whoever does not serve is told as unhealthy",
      plan: [[edgeBackend("dublin", ["!192.0.2.1"])], [edgeBackend("virginia", ["192.0.2.2", "2001:db8::2"])]],
      lines: ["0 dublin 1000000 !192.0.2.1", "1 virginia 1000000 192.0.2.2 2001:db8::2"],
      factor: 200,
    },
    {
      name: "weights are those of the plan, and one of many endpoints keeps the tier",
      plan: [[edgeBackend("dublin", ["192.0.2.1", "!192.0.2.2"], 750_000), edgeBackend("frankfurt", ["!192.0.2.3"], 250_000)]],
      lines: ["0 dublin 750000 192.0.2.1 !192.0.2.2", "0 frankfurt 250000 !192.0.2.3"],
      factor: 300,
    },
    {
      name: "host names are left out, and priorities have no gaps",
      plan: [[edgeBackend("dublin", ["lb.example.net"])], [edgeBackend("virginia", ["192.0.2.2"])]],
      lines: ["0 virginia 1000000 192.0.2.2"],
      factor: 100,
    },
    {
      name: "an address is told once, in its best tier",
      plan: [[edgeBackend("dublin", ["192.0.2.1"])], [edgeBackend("virginia", ["192.0.2.1", "192.0.2.2"])]],
      lines: ["0 dublin 1000000 192.0.2.1", "1 virginia 1000000 192.0.2.2"],
      factor: 100,
    },
    { name: "nobody is an assignment of nobody", plan: [], lines: [], factor: 100 },
  ];
  test.each(cases)("$name", ({ plan, lines, factor }) => {
    const assignment = loadAssignment("default/shop", edgePlanOf(...plan), 443);
    expect(told(assignment)).toEqual(lines);
    expect(assignment.policy?.overprovisioningFactor?.value).toBe(factor);
  });

  test("endpoints have the route's port", () => {
    const { endpoints } = loadAssignment("default/shop", edgePlanOf([edgeBackend("dublin", ["192.0.2.1"])]), 443);
    expect(endpoints?.[0]?.lbEndpoints?.[0]?.endpoint?.address?.socketAddress).toEqual({ address: "192.0.2.1", portValue: 443 });
  });
});

describe("clusters", () => {
  const route = edgeRoute(1);

  test("are named after the route and take endpoints and names from this stream", () => {
    expect(clusterOf(route)).toMatchObject({
      name: "default/app-1",
      type: "EDS",
      edsClusterConfig: { edsConfig: { ads: {}, resourceApiVersion: "V3" } },
      connectTimeout: { seconds: 2, nanos: 0 },
    });
    expect(clusterOf(route).transportSocket).toBeUndefined();
  });

  test("TLS proves the name that the client asked for", () => {
    const { transportSocket, typedExtensionProtocolOptions = {} } = clusterOf({
      ...route,
      settings: { ...route.settings, tls: { caFile: "/etc/ca.pem" } },
    });
    const context = decode("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", transportSocket!.typedConfig!.value!);
    expect(context.commonTlsContext?.validationContext?.trustedCa?.filename).toBe("/etc/ca.pem");
    const [options] = Object.values(typedExtensionProtocolOptions);
    const protocol = decode("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", options!.value!);
    expect(protocol.upstreamHttpProtocolOptions).toEqual({ autoSni: true, autoSanValidation: true });
  });

  test("no ejection when it is switched off", () => {
    const settings = { ...route.settings, ejection: { failures: 0, time: ms(0) } };
    expect(clusterOf({ ...route, settings }).outlierDetection).toBeUndefined();
    expect(clusterOf(route).outlierDetection).toMatchObject({ consecutiveGatewayFailure: { value: 5 }, baseEjectionTime: { seconds: 10 } });
  });
});

describe("the route configuration", () => {
  test("a method that may be repeated is tried again after any failure, another one only where no application can have seen it", () => {
    const [host] = routeConfiguration([edgeRoute(1)]).virtualHosts ?? [];
    const [repeatable, once] = host?.routes ?? [];
    const regex = new RegExp(`^(${repeatable?.match?.headers?.[0]?.stringMatch?.safeRegex?.regex})$`);
    expect(["GET", "PUT", "DELETE", "POST", "PATCH", "CONNECT"].filter((method) => regex.test(method))).toEqual(["GET", "PUT", "DELETE"]);
    expect(repeatable?.route?.retryPolicy?.retryOn?.split(",")).toContain("retriable-status-codes");
    expect(repeatable?.route?.retryPolicy?.retriableStatusCodes).toEqual([502, 503, 504]);
    expect(once?.match?.headers).toBeUndefined();
    expect(once?.route?.retryPolicy?.retryOn).toBe("connect-failure,refused-stream");
    expect(once?.route?.retryPolicy?.perTryTimeout).toBeUndefined();
  });

  test("a host of two routes is the first one's", () => {
    const routes = [
      edgeRoute(1, { hosts: ["*.example.org", "a.example.org"] }),
      edgeRoute(2, { hosts: ["a.example.org", "b.example.org"] }),
    ];
    expect(routeConfiguration(routes).virtualHosts?.map(({ name, domains }) => [name, domains])).toEqual([
      ["default/app-1", ["*.example.org", "a.example.org"]],
      ["default/app-2", ["b.example.org"]],
    ]);
    expect(routeConfiguration([routes[0]!, { ...routes[1]!, hosts: ["a.example.org"] }]).virtualHosts).toHaveLength(1);
  });

  test("no retries when they are switched off", () => {
    const route = edgeRoute(1);
    const off = {
      ...route,
      settings: { ...route.settings, retry: { ...route.settings.retry, attempts: 0, attemptTimeout: ms(0) } },
    };
    expect(routeConfiguration([off]).virtualHosts?.[0]?.routes?.map((one) => one.route?.retryPolicy)).toEqual([undefined, undefined]);
  });
});

test("a listener takes its routes from this stream, and files for TLS", () => {
  const listen = { address: "::", port: 8443 };
  const { address, filterChains } = listenerOf({ listen, tls: { certificateFile: "/tls/c.pem", keyFile: "/tls/k.pem" }, trustedHops: 1 });
  expect(address?.socketAddress).toEqual({ address: "::", portValue: 8443 });
  const manager = decode(
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    filterChains![0]!.filters![0]!.typedConfig!.value!,
  );
  expect(manager).toMatchObject({ rds: { routeConfigName: "globalroute" }, xffNumTrustedHops: 1, useRemoteAddress: { value: true } });
  const tls = decode(
    "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    filterChains![0]!.transportSocket!.typedConfig!.value!,
  );
  expect(tls.commonTlsContext?.tlsCertificates?.[0]?.privateKey?.filename).toBe("/tls/k.pem");
  expect(tls.commonTlsContext?.alpnProtocols).toEqual(["h2", "http/1.1"]);
});
