import { describe, expect, test } from "vitest";
import type { KubeObject } from "../kube/kube-object.ts";
import { replicaAddresses, vantageCredentials } from "./replica-addresses.ts";

const slice = (more: Readonly<Record<string, unknown>>): KubeObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "globalroute-peers-x", namespace: "globalroute-system" },
  ports: [{ name: "peers", port: 8054 }],
  ...more,
});

describe("replicas", () => {
  const cases: readonly { name: string; slices: readonly KubeObject[]; found: readonly string[] }[] = [
    { name: "none without slices", slices: [], found: [] },
    {
      name: "those of all slices, of both families",
      slices: [
        slice({ endpoints: [{ addresses: ["192.0.2.1"] }, { addresses: ["192.0.2.2"], conditions: { ready: false } }] }),
        slice({ endpoints: [{ addresses: ["2001:db8::1"], conditions: { serving: true } }] }),
      ],
      found: ["192.0.2.1 8054", "192.0.2.2 8054", "2001:db8::1 8054"],
    },
    {
      name: "not one that ends and serves no more, but one that does not serve yet",
      slices: [
        slice({
          endpoints: [
            { addresses: ["192.0.2.1"], conditions: { ready: false, serving: false, terminating: true } },
            { addresses: ["192.0.2.2"], conditions: { ready: false, serving: true, terminating: true } },
            { addresses: ["192.0.2.3"], conditions: { ready: true, serving: false, terminating: false } },
          ],
        }),
      ],
      found: ["192.0.2.2 8054", "192.0.2.3 8054"],
    },
    {
      name: "the port by its name",
      slices: [
        slice({
          ports: [
            { name: "metrics", port: 9153 },
            { name: "peers", port: 9000 },
          ],
          endpoints: [{ addresses: ["192.0.2.1"] }],
        }),
      ],
      found: ["192.0.2.1 9000"],
    },
    {
      name: "no address that is none, and no slice without a port",
      slices: [slice({ endpoints: [{ addresses: ["nonsense", 7] }, 8] }), slice({ ports: null })],
      found: [],
    },
  ];
  test.each(cases)("$name", ({ slices, found }) => {
    expect(replicaAddresses(slices).map(({ address, port }) => `${address} ${port}`)).toEqual(found);
  });
});

describe("vantages", () => {
  const secret = (name: string, data: unknown): KubeObject => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: "x" },
    data,
  });
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const good = "0123456789abcdef0123456789abcdef";

  test("by name, without white space around their secrets, and without those too short to be safe", () => {
    const secrets = [
      secret("other", { no: base64(good) }),
      secret("globalroute-vantages", { tokyo: base64(`${good}\n`), short: base64("abc"), odd: 7 }),
    ];
    expect([...vantageCredentials(secrets, "globalroute-vantages")]).toEqual([["tokyo", good]]);
  });
  test("none while there is no such Secret", () => {
    expect(vantageCredentials([], "globalroute-vantages").size).toBe(0);
    expect(vantageCredentials([secret("globalroute-vantages", undefined)], "globalroute-vantages").size).toBe(0);
  });
});
