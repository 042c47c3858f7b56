/** What the hub's objects say of peers: where the other replicas listen, and which vantages may report. Pure. */
import { parseIp } from "../../src/model/ip.ts";
import type { ListenAddress } from "../../src/model/listen-address.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import { field, textField } from "../kube/kube-status.ts";
import { SECRETS } from "../kube/resources.ts";
import { readSecret } from "./read-secret.ts";

/** Name of the port in the headless Service. */
export const PEER_PORT_NAME = "peers";

/**
 * @param slices EndpointSlices of the headless Service of the replicas
 * @returns those that are to be reached: a replica that is stopping answers until it has gone, and counts as long
 */
export function replicaAddresses(slices: readonly KubeObject[]): readonly ListenAddress[] {
  return slices.flatMap((slice) => {
    const ports = listOf(field(slice, "ports"));
    const port = field(ports.find((one) => textField(one, "name") === PEER_PORT_NAME) ?? ports[0], "port");
    if (typeof port !== "number") return [];
    const endpoints = listOf(field(slice, "endpoints")).filter((endpoint) => !hasEnded(field(endpoint, "conditions")));
    return endpoints.flatMap((endpoint) =>
      listOf(field(endpoint, "addresses")).flatMap((address) =>
        typeof address === "string" && parseIp(address) !== undefined ? [{ address, port }] : [],
      ),
    );
  });
}

/** @returns name of each vantage → its secret; those too short to be safe are left out */
export function vantageCredentials(secrets: readonly KubeObject[], name: string): ReadonlyMap<string, string> {
  const data = field(
    secrets.find((secret) => secret.kind === SECRETS.kind && secret.metadata.name === name),
    "data",
  );
  if (typeof data !== "object" || data === null) return new Map();
  return new Map(
    Object.entries(data).flatMap(([vantage, value]) => {
      const secret = typeof value === "string" ? readSecret(Buffer.from(value, "base64").toString("utf8")) : undefined;
      return secret === undefined ? [] : [[vantage, secret] as const];
    }),
  );
}

/** A replica that is not ready yet does not serve either, but is to be met. */
const hasEnded = (conditions: unknown): boolean => field(conditions, "terminating") === true && field(conditions, "serving") === false;

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
