/** Replicas that find each other as in a cluster: by EndpointSlices of their headless Service. There are no pods here, so the test writes the slice. */
import { type Controller, type ControllerOptions, startController } from "./controller.ts";
import { NAMESPACE } from "./install.ts";
import type { KubeCluster } from "./kube-cluster.ts";

const SERVICE = "globalroute-peers";
const PORT = 8054;
const addressOf = (index: number): string => `198.18.0.${100 + index}`;

/** Starts so many replicas, `globalroute-0` and on, which meet each other. @param options of each */
export async function startReplicas(hub: KubeCluster, count: number, options: ControllerOptions = {}): Promise<readonly Controller[]> {
  const indices = Array.from({ length: count }, (_, index) => index);
  await hub.api.create(`/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${SERVICE}-of-test`, labels: { "kubernetes.io/service-name": SERVICE } },
    addressType: "IPv4",
    ports: [{ name: "peers", port: PORT, protocol: "TCP" }],
    endpoints: indices.map((index) => ({ addresses: [addressOf(index)], conditions: { ready: true, serving: true, terminating: false } })),
  });
  return Promise.all(
    indices.map((index) =>
      startController(hub, {
        ...options,
        name: `globalroute-${index}`,
        args: ["--peer-listen", `${addressOf(index)}:${PORT}`, "--peer-service", SERVICE, ...(options.args ?? [])],
      }),
    ),
  );
}
