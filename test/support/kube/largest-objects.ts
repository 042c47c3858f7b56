/** Objects as large as the schemas let them be: what their rules cost the API server must stay within its budget. */
import type { PostedObject } from "./invalid-objects.ts";

const many = <T>(count: number, make: (i: number) => T): readonly T[] => Array.from({ length: count }, (_, i) => make(i));
const hex = (value: number): string => value.toString(16);
const letter = (i: number): string => String.fromCharCode(65 + (i % 26));
const label = "a".repeat(63);
const cluster = (i: number): string => `c${i}-${"x".repeat(34)}`;

const backends = many(128, (b) => ({
  name: `b${b}`,
  cluster: cluster(b),
  addresses: many(64, (i) => `2001:db8:1234:5678:9abc:def0:${hex(b + 1)}:${hex(i + 1)}`),
}));
const rules = many(64, (r) => ({
  name: `r${r}`,
  mode: "Prefer",
  clients: {
    countries: many(250, (i) => `${letter(Math.floor(i / 26))}${letter(i)}`),
    subnets: many(256, (i) => `2001:db8:${hex(r + 1)}:${hex(i + 1)}::/64`),
  },
  to: { clusters: many(128, cluster) },
}));

/** Each about as large as etcd takes (1.5 MiB) or as its lists allow. */
export const largestObjects: readonly PostedObject[] = [
  {
    apiVersion: "globalroute.dev/v1alpha1",
    kind: "GlobalRoute",
    metadata: { name: "largest", namespace: "default" },
    spec: {
      hosts: many(64, (i) => `h${i}.${label}.${label}.${label}.example.org`),
      backends,
      routing: { rules },
      rollout: { steps: many(16, (i) => ({ name: `s${i}`, backend: `b${127 - i}`, weight: 1, pause: "1m" })) },
    },
  },
  {
    apiVersion: "globalroute.dev/v1alpha1",
    kind: "DNSZone",
    metadata: { name: "largest" },
    spec: {
      domain: "example.org",
      provider: {
        type: "Embedded",
        embedded: {
          nameservers: ["ns.example.net"],
          records: many(1000, (i) => ({ name: `r${i}.${label}.${label}`, type: "TXT", values: ["x".repeat(200)] })),
        },
      },
      allowedRoutes: many(16, (i) => ({ suffixes: many(64, (j) => `s${i}-${j}.${label}.${label}.example.org`) })),
    },
  },
];
