/** What EndpointSlices (`discovery.k8s.io/v1`) tell of the Services behind a source. */
import type { KubeObject } from "../kube/kube-object.ts";
import { fieldOf, listOf } from "./fields.ts";
import type { Readiness } from "./source-reading.ts";

interface Counts extends Readiness {
  /** Not ready any more, but still serving while they end. */
  readonly ending: number;
}

/** `namespace/name` of a Service → its slices. */
export type SliceIndex = ReadonlyMap<string, readonly KubeObject[]>;

/** Slices belong to a Service by label, whatever their names. */
export function indexSlices(slices: readonly KubeObject[]): SliceIndex {
  const index = new Map<string, KubeObject[]>();
  for (const slice of slices) {
    const service = slice.metadata.labels?.["kubernetes.io/service-name"];
    if (service === undefined) continue;
    const key = `${slice.metadata.namespace ?? ""}/${service}`;
    const known = index.get(key);
    if (known === undefined) index.set(key, [slice]);
    else known.push(slice);
  }
  return index;
}

/**
 * Ready endpoints of all Services together. As long as none is ready, those count that still serve while they end: kube-proxy sends
 * clients to them too.
 *
 * @returns undefined when no slice of any of them is known, so that nothing can be said
 */
export function readinessOf(services: readonly string[], index: SliceIndex): Readiness | undefined {
  const slices = services.flatMap((service) => index.get(service) ?? []);
  if (slices.length === 0) return undefined;
  let [ready, ending, total] = [0, 0, 0];
  for (const slice of slices) {
    const counts = countsOf(slice);
    ready += counts.ready;
    ending += counts.ending;
    total += counts.total;
  }
  return { ready: ready > 0 ? ready : ending, total };
}

/** A condition that is not given: `ready` and `serving` mean true, `terminating` false. */
function countsOf(slice: KubeObject): Counts {
  let [ready, ending] = [0, 0];
  const endpoints = listOf(slice, "endpoints");
  for (const endpoint of endpoints) {
    const isReady = fieldOf(endpoint, "conditions", "ready") !== false;
    const isServing = fieldOf(endpoint, "conditions", "serving") !== false;
    if (isReady) ready++;
    else if (isServing && fieldOf(endpoint, "conditions", "terminating") === true) ending++;
  }
  return { ready, ending, total: endpoints.length };
}
