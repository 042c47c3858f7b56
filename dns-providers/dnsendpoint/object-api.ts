/**
 * What is asked of a Kubernetes API server here, and what its refusals mean. `KubeApi` of controller/kube does it; rooms below that one know it
 * by this interface alone.
 */
import { ProviderError, type ProviderErrorCode } from "../provider.ts";
import type { DNS_ENDPOINTS, DnsEndpointObject } from "./part.ts";

type Kind = typeof DNS_ENDPOINTS;

interface Write {
  readonly fieldManager: string;
  readonly signal: AbortSignal;
}

/** All methods reject with an error that has the HTTP `status`; 0 when no answer came. Each has a deadline of its own. */
export interface ObjectApi {
  /** @returns undefined when there is none */
  get(resource: Kind, namespace: string, name: string, options: { readonly signal: AbortSignal }): Promise<DnsEndpointObject | undefined>;
  /** All of one moment. */
  list(resource: Kind, options: { readonly namespace: string }): Promise<{ readonly items: readonly DnsEndpointObject[] }>;
  /** Refused with 409 when it is there. */
  create(resource: Kind, object: DnsEndpointObject, options: Write): Promise<DnsEndpointObject>;
  /** Refused with 409 when its resourceVersion is not today's. */
  replace(resource: Kind, object: DnsEndpointObject, options: Write): Promise<DnsEndpointObject>;
}

const MISSING = "Install ExternalDNS's CustomResourceDefinition dnsendpoints.externaldns.k8s.io, and make the namespace.";
const FORBIDDEN =
  "Allow get, list, create and update of dnsendpoints.externaldns.k8s.io in the namespace: chart value externalDns.namespaces (docs/providers.md).";

/** @param at `dnsendpoint NAMESPACE DOMAIN` @param isWrite of an object that was there */
export function toProviderError(error: unknown, at: string, isWrite: boolean, signal: AbortSignal): ProviderError {
  if (error instanceof ProviderError) return error;
  const fact = (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
  const fail = (code: ProviderErrorCode, remedy: string): ProviderError => new ProviderError(code, at, fact, remedy, error);
  const status = statusOf(error);
  if (signal.aborted || status === 0) return fail("unreachable", "Look whether the API server runs and is reachable.");
  if (status === 409) return fail("conflict", "It is read again.");
  if (status === 404) return isWrite ? fail("conflict", "It is read again.") : fail("zone-missing", MISSING);
  if (status === 401 || status === 403) return fail("unauthorized", FORBIDDEN);
  if (status === 429) return fail("rate-limited", "It is tried again.");
  if (status >= 500) return fail("unavailable", "The API server's log tells why.");
  return fail("refused", "Compare the CustomResourceDefinition with the one that ExternalDNS ships.");
}

/** Whether the write may still be made, or was: nothing said that it was not. */
export const isUnanswered = ({ code }: ProviderError): boolean => code === "unreachable" || code === "unavailable";

/** Of HTTP; 0 when no answer came. */
export const statusOf = (error: unknown): number =>
  error instanceof Error && "status" in error && typeof error.status === "number" ? error.status : 0;

/** For calls that cannot be ended: they go on, and nobody waits. @throws the signal's reason */
export function unlessAborted<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    call()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort));
  });
}
