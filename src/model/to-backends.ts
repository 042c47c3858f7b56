/** From the backends of a `GlobalRoute` object to those that the engine works on, with their addresses. */
import type { ApiContext, BackendSpec } from "./api-context.ts";
import { discoveryOf } from "./api-context.ts";
import type { Findings } from "./findings.ts";
import type { Backend } from "./inventory.ts";
import type { ObjectOf } from "./manifest-object.ts";
import { didYouMean } from "./nearest-word.ts";
import { isKnownCluster, type KnownClusters } from "./to-rule.ts";

/** @param api absent when the objects are files' */
export function toBackends(
  object: ObjectOf<"GlobalRoute">,
  clusters: KnownClusters,
  findings: Findings,
  api: ApiContext | undefined,
): readonly Backend[] {
  const { backends } = object.spec;
  if (api === undefined) refuseInFiles(object, findings);
  else if (backends.length === 0 && discoveryOf(object.spec) === "None") {
    findings.error(
      ["spec", "backends"],
      "backend-missing",
      "is empty with discovery None",
      "Add a backend, or write discovery: SameNamespace.",
    );
  }
  checkRollout(object.spec, findings);
  const kept = backends.flatMap((backend, i) => {
    isKnownCluster(backend.cluster, clusters, ["spec", "backends", i, "cluster"], findings);
    const addresses = addressesOf(object, backend, i, findings, api);
    const { name, cluster, weight, priority, bias, capacity } = backend;
    const known = { name, cluster, addresses, weight, priority, bias, ...(capacity !== undefined && { capacity }) };
    return addresses.length === 0 ? [] : [known];
  });
  const maySettle = backends.length === 0 && api?.isOffline === true;
  if (kept.length === 0 && !maySettle && !findings.failed()) {
    const [message, remedy] =
      backends.length === 0
        ? [
            "no annotated source has joined",
            'Annotate one in a namespace of the same name with globalroute.dev/route: "true", or list backends.',
          ]
        : ["none of them has an address yet", "See where each one's addresses come from in status.backends."];
    findings.error(["spec", "backends"], "backend-missing", message, remedy);
  }
  return kept;
}

function addressesOf(
  object: ObjectOf<"GlobalRoute">,
  backend: BackendSpec,
  index: number,
  findings: Findings,
  api: ApiContext | undefined,
): readonly string[] {
  const { addresses, sourceRef } = backend;
  const path = ["spec", "backends", index];
  if (sourceRef === undefined) {
    if (addresses === undefined) {
      const others = api === undefined ? "" : " Or add sourceRef, to take those of an Ingress, Gateway or Service.";
      findings.error(
        [...path, "addresses"],
        "field-missing",
        "is required, but missing",
        `Add addresses. What clients are answered: IPv4 and IPv6 addresses, or host names, which are resolved for them.${others}`,
      );
    }
    return addresses ?? [];
  }
  if (api === undefined) {
    const remedy = "In files, list the addresses under addresses: only a Kubernetes controller can look sources up.";
    findings.error([...path, "sourceRef"], "kubernetes-only", "works only with a Kubernetes controller", remedy);
    return [];
  }
  if (addresses !== undefined) {
    findings.error([...path, "sourceRef"], "field-unused", "does not go with addresses", "Remove one of the two.");
    return [];
  }
  return api.addressesOf(object, backend);
}

/** Members that only a controller honours: in files they would silently do nothing. */
function refuseInFiles({ spec }: ObjectOf<"GlobalRoute">, findings: Findings): void {
  if (spec.backends.length === 0) {
    findings.error(["spec", "backends"], "field-missing", "is required, but missing", "Add backends. Where the service runs.");
  }
  if (spec.discovery === "SameNamespace") {
    const remedy = "Remove it and list the backends: only a Kubernetes controller finds annotated sources.";
    findings.error(["spec", "discovery"], "kubernetes-only", "works only with a Kubernetes controller", remedy);
  }
  if (spec.rollout !== undefined) {
    const remedy = "Remove it and write the weights under backends: only a Kubernetes controller keeps the progress of a rollout.";
    findings.error(["spec", "rollout"], "kubernetes-only", "works only with a Kubernetes controller", remedy);
  }
}

function checkRollout({ rollout, backends }: ObjectOf<"GlobalRoute">["spec"], findings: Findings): void {
  const names = backends.map(({ name }) => name);
  rollout?.steps.forEach(({ backend, pause, approval }, i) => {
    const path = ["spec", "rollout", "steps", i];
    if (!names.includes(backend)) {
      const remedy = `${didYouMean(backend, names)}Correct the name, or add the backend.`;
      findings.error([...path, "backend"], "rollout-step", `the route has no backend ${backend}`, remedy);
    }
    if (pause !== undefined && approval) {
      findings.error([...path, "pause"], "rollout-step", "does not go with approval: true", "Keep one of the two.");
    } else if (pause === undefined && !approval) {
      findings.error(path, "rollout-step", "has neither pause nor approval", "Add pause, as in 10m, or approval: true.");
    }
  });
}
