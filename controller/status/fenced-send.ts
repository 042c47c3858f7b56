/** Requests of one term: none is sent when the term could be over, and none is waited for beyond it. What the server says of it becomes a value. */

import type { WriteOptions } from "../kube/kube-api.ts";
import { KubeError } from "../kube/kube-error.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { FIELD_MANAGER, type WriterTerm } from "../kube/writer-fence.ts";

export type Sent<T> =
  | { readonly kind: "Done"; readonly value: T }
  /** The object changed, or exists already: read it again. */
  | { readonly kind: "Conflict" }
  /** The object (or its namespace, or its kind) is not there. */
  | { readonly kind: "Missing" }
  /** Worth trying again, after so many milliseconds if the server or the fence said so. */
  | { readonly kind: "Later"; readonly after?: number; readonly error?: KubeError }
  /** Trying again does not help before somebody changes something. */
  | { readonly kind: "Refused"; readonly error: KubeError };

/** Sends a request of the term. Rejects on bugs only. */
export type Send = <T>(request: (options: WriteOptions & { readonly fieldManager: string }) => Promise<T>) => Promise<Sent<T>>;

/** No request may take longer, ms. */
const LONGEST_REQUEST = 8000;
/** With less left of the term than this, nothing is begun: it waits for the renewal, ms. */
const SHORTEST_REQUEST = 500;
/** The policy sees a new Lease a moment after it was written, ms. */
const FENCE_RETRY = 250;

export function createSend(term: WriterTerm, { now, setTimer }: Pick<KubePorts, "now" | "setTimer">): Send {
  return async (request) => {
    const left = term.deadline() - now();
    if (term.signal.aborted || left < SHORTEST_REQUEST) return { kind: "Later", after: SHORTEST_REQUEST };
    const abort = new AbortController();
    const cancel = setTimer(Math.min(left, LONGEST_REQUEST), () => abort.abort());
    try {
      const signal = AbortSignal.any([abort.signal, term.signal]);
      return { kind: "Done", value: await request({ signal, fieldManager: FIELD_MANAGER }) };
    } catch (error) {
      if (error instanceof KubeError) return outcomeOf(error);
      throw error;
    } finally {
      cancel();
    }
  };
}

function outcomeOf(error: KubeError): Exclude<Sent<never>, { readonly kind: "Done" }> {
  if (error.isConflict || isOfAnother(error)) return { kind: "Conflict" };
  if (isUndeclared(error)) return { kind: "Refused", error };
  if (error.isNotFound) return { kind: "Missing" };
  if (isFence(error)) return { kind: "Later", after: FENCE_RETRY, error };
  if (error.isTransient || error.isUnauthorized)
    return { kind: "Later", error, ...(error.retryAfter === undefined ? {} : { after: error.retryAfter }) };
  return { kind: "Refused", error };
}

/** Another object has the name by now: kube-apiserver answers so to a patch or an apply with the uid of the one before. */
const isOfAnother = ({ status, message }: KubeError): boolean => status === 422 && /\bmetadata\.uid: .*immutable/.test(message);

/** The schema of an older CustomResourceDefinition lacks a field that was applied: a 500 that no time mends. */
export const isUndeclared = ({ status, message }: KubeError): boolean =>
  status >= 400 && message.includes(": field not declared in schema");

/**
 * True when the admission policy refused a write: its epoch is not that of the Lease as the API server sees it, or it has not seen one yet.
 * While the term lasts, the server is behind; when it is over, nothing more is sent.
 */
export const isFence = ({ status, message }: KubeError): boolean =>
  (status === 403 || status === 422) && message.includes("ValidatingAdmissionPolicy") && /writer.fence/.test(message);
