/** The kinds of the Gateway API, as CRDs whose specs take anything. */
import type { JsonObject } from "./json.ts";

const ANYTHING: JsonObject = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const GROUP = "gateway.networking.k8s.io";

const crd = (kind: string, plural: string, namespaced: boolean, versions: readonly string[]): JsonObject => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.${GROUP}`, annotations: { "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api" } },
  spec: {
    group: GROUP,
    scope: namespaced ? "Namespaced" : "Cluster",
    names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
    versions: versions.map((name, index) => ({
      name,
      served: true,
      storage: index === 0,
      subresources: { status: {} },
      schema: { openAPIV3Schema: { type: "object", properties: { spec: ANYTHING, status: ANYTHING } } },
    })),
  },
});

/** @param tlsRoutes versions of TLSRoute: `v1` from Gateway API 1.6 on, `v1alpha2` or `v1alpha3` before */
export const gatewayCrds = (tlsRoutes: readonly string[]): readonly JsonObject[] => [
  crd("GatewayClass", "gatewayclasses", false, ["v1"]),
  crd("Gateway", "gateways", true, ["v1"]),
  crd("HTTPRoute", "httproutes", true, ["v1"]),
  crd("GRPCRoute", "grpcroutes", true, ["v1"]),
  crd("TLSRoute", "tlsroutes", true, tlsRoutes),
];
