/** Tokens of ServiceAccounts, made on request. */
import { at } from "./json.ts";
import type { Answer, ResourceRequest, ResourceWorld } from "./resource-request.ts";
import { invalid, invalidValue, notFound } from "./status-error.ts";
import { timestamp } from "./write-request.ts";

/** `POST …/serviceaccounts/NAME/token`. */
export function requestToken(world: ResourceWorld, { route, body }: ResourceRequest): Answer {
  const name = route.name ?? "";
  const account = world.store.get("/serviceaccounts", `${route.namespace}/${name}`);
  if (account === undefined) throw notFound({ group: "", kind: "ServiceAccount", plural: "serviceaccounts" }, name);
  const asked = at(body, "spec", "expirationSeconds");
  const seconds = typeof asked === "number" ? asked : 3600;
  if (seconds < 600) {
    const cause = invalidValue("spec.expirationSeconds", `${seconds}`, "may not specify a duration less than 10 minutes");
    throw invalid({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", [cause]);
  }
  const given = at(body, "spec", "audiences");
  const audiences = Array.isArray(given) ? given : ["https://kubernetes.default.svc"];
  const now = world.now();
  return {
    code: 201,
    body: {
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name, namespace: route.namespace ?? "", creationTimestamp: timestamp(world.now) },
      spec: { audiences, expirationSeconds: seconds, boundObjectRef: null },
      status: { token: world.access.issue(account, seconds, audiences), expirationTimestamp: timestamp(() => now + seconds * 1000) },
    },
  };
}
