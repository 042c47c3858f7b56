/** All kinds of sources on a real API server, the definitions of the Gateway API included: hosts, addresses, readiness, and what is wrong with them. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { builtCommand, requireComponent } from "../support/component.ts";
import { type Controller, startController } from "./support/controller.ts";
import { eventually } from "./support/eventually.ts";
import { kubectlOk } from "./support/kubectl.ts";
import { keepsServing, QUICK, reaches } from "./support/story.ts";
import { createIngress, ingressPath, type Member, startWorld, WEB, type World } from "./support/world.ts";

const isHere =
  requireComponent("kubernetes", "kube-apiserver") &&
  requireComponent("kubectl", "kubectl") &&
  requireComponent("foreign-crds", "gateway-api-crds") &&
  requireComponent("dns-clients", "dig");

const gatewayApi = `/apis/gateway.networking.k8s.io/v1/namespaces/${WEB}`;
const slices = `/apis/discovery.k8s.io/v1/namespaces/${WEB}/endpointslices`;
/** A CustomResourceDefinition that appears later is looked for this often at least, with some room. */
const DISCOVERED = { within: 60_000 };

describe.skipIf(!isHere)("sources", () => {
  let world: World;
  let controller: Controller;
  let eu: Member;
  let us: Member;

  beforeAll(async () => {
    world = await startWorld();
    [eu, us] = [world.member("eu-west"), world.member("us-east")];
    controller = await startController(world.hub);
    // Only now: what a cluster can hold changes while it is a member.
    const folder = builtCommand("gateway-api-crds");
    const files = readdirSync(folder).filter((file) => /_(?:gateways|httproutes)\.yaml$/.test(file));
    const named = files.flatMap((file) => ["-f", join(folder, file)]);
    await kubectlOk(eu.kube, ["apply", "--server-side", ...named]);
    await kubectlOk(eu.kube, ["wait", "--for=condition=Established", "--timeout=20s", ...named]);
  });
  afterAll(async () => {
    await controller?.stop();
    await world?.stop();
  });

  test("a Service with a load balancer, and the name that ExternalDNS is told", async () => {
    await eu.kube.api.create(`/api/v1/namespaces/${WEB}/services`, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "balanced", annotations: { ...QUICK, "external-dns.alpha.kubernetes.io/hostname": "balanced.example.org" } },
      spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
    });
    const given = { status: { loadBalancer: { ingress: [{ ip: eu.site.address }] } } };
    await eu.kube.api.patch(`/api/v1/namespaces/${WEB}/services/balanced/status`, given);
    await reaches(controller, "balanced.example.org", us, eu);
  });

  test("an HTTPRoute, once its Gateway has taken it", async () => {
    const gatewayClassName = "test";
    await eu.kube.api.create(`${gatewayApi}/gateways`, {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: { name: "edge" },
      spec: { gatewayClassName, listeners: [{ name: "http", port: 80, protocol: "HTTP", hostname: "*.example.org" }] },
    });
    await eu.kube.api.patch(`${gatewayApi}/gateways/edge/status`, {
      status: { addresses: [{ type: "IPAddress", value: eu.site.address }] },
    });
    await eu.kube.api.create(`${gatewayApi}/httproutes`, {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name: "routed", annotations: QUICK },
      spec: { parentRefs: [{ name: "edge" }], hostnames: ["routed.example.org"], rules: [{ backendRefs: [{ name: "routed", port: 80 }] }] },
    });
    const at = "2026-11-21T00:00:00Z";
    const conditions = ["Accepted", "ResolvedRefs"].map((type) => ({
      type,
      status: "True",
      reason: type,
      message: "",
      lastTransitionTime: at,
    }));
    const parents = [{ parentRef: { name: "edge" }, controllerName: "example.org/test", conditions }];
    await eu.kube.api.patch(`${gatewayApi}/httproutes/routed/status`, { status: { parents } });
    await reaches(controller, "routed.example.org", us, eu, DISCOVERED);
  });

  test("a GlobalRoute that names an Ingress in one cluster and addresses in another", async () => {
    await createIngress(eu, "named", "elsewhere.example.org", {}); // no annotation: it is named by the route
    await world.hub.api.create(`/apis/globalroute.dev/v1alpha1/namespaces/${WEB}/globalroutes`, {
      apiVersion: "globalroute.dev/v1alpha1",
      kind: "GlobalRoute",
      metadata: { name: "named" },
      spec: {
        hosts: ["named.example.org"],
        backends: [
          { name: "eu", cluster: "eu-west", sourceRef: { kind: "Ingress", name: "named" } },
          { name: "us", cluster: "us-east", addresses: [us.site.address] },
        ],
      },
    });
    await reaches(controller, "named.example.org", eu, eu);
    await reaches(controller, "named.example.org", us, us);
    await kubectlOk(world.hub, ["wait", "--for=condition=Ready", "--timeout=30s", "-n", WEB, "globalroute/named"]);
  });

  test("a cluster whose pods are not ready gets nobody, although its load balancer answers", async () => {
    for (const member of [eu, us]) await createIngress(member, "ready", "ready.example.org", QUICK);
    await reaches(controller, "ready.example.org", eu, eu);
    const slice = (ready: boolean) => ({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "ready-1", labels: { "kubernetes.io/service-name": "ready" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready } }],
      ports: [{ port: 80, protocol: "TCP" }],
    });
    await eu.kube.api.create(slices, slice(false));
    await reaches(controller, "ready.example.org", eu, us);
    await eu.kube.api.patch(`${slices}/ready-1`, slice(true));
    await reaches(controller, "ready.example.org", eu, eu);
  });

  test("an annotation that cannot be read is told by an Event, and what was served goes on", async () => {
    await createIngress(eu, "odd", "odd.example.org", QUICK);
    await reaches(controller, "odd.example.org", us, eu);
    await eu.kube.api.patch(ingressPath("odd"), { metadata: { annotations: { "globalroute.dev/weight": "lots" } } });
    const event = await eventually("the Event", async () => {
      const events = await world.hub.api.list(`/apis/events.k8s.io/v1/namespaces/${WEB}/events`);
      return events.find(({ reason }) => reason === "AnnotationInvalid");
    });
    expect(event.note).toContain("globalroute.dev/weight");
    expect(event.note).toContain("Write a number from 0 to 10000");
    await keepsServing(controller, "odd.example.org", eu, 1000);
  });
});
