/** What a record set says, for people. Pure. */
import type { Alias, HealthCheck, RecordSet, SetPolicy } from "./record-set.ts";

/** `192.0.2.1 192.0.2.2, TTL 30 s, weight 10, health check HTTPS 192.0.2.1:443/healthz every 10 s`. */
export function setInWords({ ttl, values, routing, alias, healthCheck }: Omit<RecordSet, "name" | "type">): string {
  return [
    ...(alias === undefined ? [[...values].sort().join(" "), `TTL ${ttl} s`] : [aliasInWords(alias)]),
    ...(routing === undefined ? [] : [policyInWords(routing.by)]),
    ...(healthCheck === undefined ? [] : [checkInWords(healthCheck)]),
  ].join(", ");
}

/** Who is answered with a set. */
export function policyInWords(policy: SetPolicy): string {
  switch (policy.kind) {
    case "Weighted":
      return `weight ${policy.weight}`;
    case "Latency":
      return `for clients near ${policy.region} by latency`;
    case "Geo": {
      const { continent, country, subdivision } = policy;
      const places = [
        ...(continent === undefined ? [] : [`continent ${continent}`]),
        ...(country === undefined ? [] : [`country ${country}`]),
        ...(subdivision === undefined ? [] : [`subdivision ${subdivision}`]),
      ];
      return places.length === 0 ? "for everybody else" : `for clients in ${places.join(", ")}`;
    }
    case "GeoProximity":
      return `for clients nearest to ${policy.latitude}, ${policy.longitude}${policy.bias === 0 ? "" : ` with bias ${policy.bias}`}`;
    case "Failover":
      return policy.role === "Primary" ? "first choice" : "second choice";
    case "MultiValue":
      return "one of several";
    case "Subnets":
      return policy.subnets.length === 0 ? "for everybody else" : `for clients in ${policy.subnets.join(" ")}`;
  }
}

const aliasInWords = ({ target, zone, followsHealth }: Alias): string =>
  `alias of ${target}${zone === undefined ? "" : ` in zone ${zone}`}${followsHealth ? " and its health" : ""}`;

function checkInWords({ type, address, port, host, path, body, interval, threshold }: HealthCheck): string {
  const where = `${address.includes(":") ? `[${address}]` : address}:${port}${path ?? ""}`;
  const more = [...(host === undefined ? [] : [`host ${host}`]), ...(body === undefined ? [] : [`body with ${JSON.stringify(body)}`])];
  return `health check ${type} ${where}${more.length === 0 ? "" : ` (${more.join("; ")})`} every ${interval} s, ${threshold} in a row`;
}
