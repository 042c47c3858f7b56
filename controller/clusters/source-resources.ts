import type { KubeObject, Resource } from "../kube/kube-object.ts";
import type { ResourceWatchOptions } from "../kube/resource-watch.ts";
import { ENDPOINT_SLICES, GATEWAYS, GRPC_ROUTES, HTTP_ROUTES, INGRESSES, SERVICES, TLS_ROUTES } from "../kube/resources.ts";
import type { SourceKind } from "./cluster-objects.ts";
import { trimSource } from "./trim-source.ts";

/** What to watch for each kind of source. */
export const sourceResources: Readonly<Record<SourceKind, Resource>> = {
  Ingress: INGRESSES,
  Gateway: GATEWAYS,
  HTTPRoute: HTTP_ROUTES,
  GRPCRoute: GRPC_ROUTES,
  TLSRoute: TLS_ROUTES,
  Service: SERVICES,
  EndpointSlice: ENDPOINT_SLICES,
};

/** Kinds of the Gateway API are CustomResourceDefinitions, of versions that differ from cluster to cluster. */
export const sourceWatchOptions = (kind: SourceKind): ResourceWatchOptions => ({
  discover: sourceResources[kind].group === "gateway.networking.k8s.io",
  keep: (object: KubeObject) => trimSource(kind, object),
});
