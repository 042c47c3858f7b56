/**
 * The fake API server as a program of its own, for kubectl and for loads.
 *
 * `node test/support/kube/fake-api-process.ts [--port N] [--tls] [--seed-ingresses N] [--kubeconfig FILE]` prints one line of JSON with its
 * URL, token and kubeconfig, and runs until it is told to end.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startFakeApiServer } from "./fake-api-server.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    tls: { type: "boolean", default: false },
    "seed-ingresses": { type: "string", default: "0" },
    kubeconfig: { type: "string" },
  },
});

const ingress = (index: number) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: `shop-${index}`, namespace: `team-${index % 100}`, labels: { app: "shop" } },
  spec: {
    ingressClassName: "public",
    rules: [
      {
        host: `shop-${index}.example.org`,
        http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "shop", port: { number: 80 } } } }] },
      },
    ],
  },
  status: { loadBalancer: { ingress: [{ ip: `192.0.2.${index % 255}` }] } },
});

const server = await startFakeApiServer({ port: Number(values.port), tls: values.tls });
server.seed(Array.from({ length: Number(values["seed-ingresses"]) }, (_, index) => ingress(index)));
if (values.kubeconfig !== undefined) writeFileSync(values.kubeconfig, server.kubeconfig(), { mode: 0o600 });
process.stdout.write(`${JSON.stringify({ url: server.url, token: server.adminToken, kubeconfig: server.kubeconfig() })}\n`);
const end = (): void => void server.close().then(() => process.exit(0));
process.on("SIGTERM", end);
process.on("SIGINT", end);
