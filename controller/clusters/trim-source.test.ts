import { expect, test } from "vitest";
import type { KubeObject } from "../kube/kube-object.ts";
import { SOURCE_KINDS, type SourceKind } from "./cluster-objects.ts";
import { tokenOf, withToken } from "./kubeconfig-token.ts";
import { readSecretText } from "./member-access.ts";
import { readTokenFacts } from "./renew-credential.ts";
import { secretOf } from "./support/kubeconfigs.ts";
import { trimSource } from "./trim-source.ts";

const metadata = {
  namespace: "web",
  name: "shop",
  uid: "u",
  resourceVersion: "7",
  generation: 2,
  labels: { "kubernetes.io/service-name": "shop" },
  annotations: { "globalroute.dev/route": "true", "kubectl.kubernetes.io/last-applied-configuration": "{}" },
  managedFields: [{}],
};
const lean = { ...metadata, annotations: { "globalroute.dev/route": "true" }, managedFields: undefined };
const spec = {
  hostnames: ["a"],
  parentRefs: [{ name: "g" }],
  rules: [{ matches: [{}], filters: [{}], backendRefs: [{ name: "b" }] }, {}],
  type: "LoadBalancer",
};
const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
const endpoints = [
  { addresses: ["10.0.0.1"], nodeName: "n", targetRef: {}, conditions: { ready: true, serving: true, terminating: false } },
  { addresses: ["10.0.0.2"] },
];
const whole: KubeObject = { apiVersion: "v1", kind: "K", metadata, spec, status, endpoints, ports: [{}] };

const expected: Readonly<Record<SourceKind, unknown>> = {
  Ingress: { spec, status, endpoints, ports: [{}] },
  Gateway: { spec, status, endpoints, ports: [{}] },
  Service: { spec, status, endpoints, ports: [{}] },
  HTTPRoute: { spec: { ...spec, rules: [{ backendRefs: [{ name: "b" }] }, { backendRefs: [] }] }, status, endpoints, ports: [{}] },
  GRPCRoute: { spec: { ...spec, rules: [{ backendRefs: [{ name: "b" }] }, { backendRefs: [] }] }, status, endpoints, ports: [{}] },
  TLSRoute: { spec: { ...spec, rules: [{ backendRefs: [{ name: "b" }] }, { backendRefs: [] }] }, status, endpoints, ports: [{}] },
  EndpointSlice: { endpoints: [{ conditions: { ready: true, serving: true, terminating: false } }, { conditions: {} }] },
};

test.each(SOURCE_KINDS)("%s", (kind) => {
  const trimmed = trimSource(kind, whole);
  expect(trimmed).toEqual({ apiVersion: "v1", kind: "K", metadata: lean, ...(expected[kind] as object) });
  expect(trimSource(kind, trimmed)).toEqual(trimmed);
  expect(whole.metadata.managedFields).toEqual([{}]);
});

test.each(SOURCE_KINDS)("a bare %s, or one of the wrong shape, is no trouble", (kind) => {
  for (const odd of [{}, { spec: null, endpoints: null }, { spec: 7, endpoints: "x" }, { spec: { rules: {} }, endpoints: [null] }])
    expect(() => trimSource(kind, { apiVersion: "v1", kind: "K", metadata: { name: "x" }, ...odd })).not.toThrow();
});

test("a Secret's text is found under the key that is named, else under a usual one", () => {
  const secret = secretOf("s", { value: "v", other: "o" });
  expect(readSecretText(secret)).toEqual({ key: "value", text: "v" });
  expect(readSecretText(secret, "other")).toEqual({ key: "other", text: "o" });
  expect(readSecretText(secret, "kubeconfig")).toBeUndefined();
  expect(readSecretText(secretOf("s", { kubeconfig: "k", value: "v" }))?.key).toBe("kubeconfig");
});

test("what is no token of a service account says nothing", () => {
  const encode = (claims: unknown): string => `a.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c`;
  for (const token of [
    "",
    "opaque",
    "a.b.c",
    encode(7),
    encode({ iat: 1, exp: 2 }),
    encode({ iat: 1, exp: "2", sub: "system:serviceaccount:n:s" }),
    encode({ iat: 1, exp: 2, sub: "alice" }),
  ])
    expect(readTokenFacts(token)).toBeUndefined();
  expect(readTokenFacts(encode({ iat: 1, exp: 2, sub: "system:serviceaccount:n-1:s.x" }))).toEqual({
    issued: 1000,
    expires: 2000,
    namespace: "n-1",
    serviceAccount: "s.x",
  });
});

test("a kubeconfig that is none has no token, and is given none", () => {
  for (const text of ["", "- a", "a: [", "users: 7"]) {
    expect(tokenOf(text)).toBeUndefined();
    expect(tokenOf(withToken(text, "x"))).toBeUndefined();
  }
});
