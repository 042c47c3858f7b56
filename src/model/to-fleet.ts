/** From a `ProxyFleet` object to the fleet that is programmed, and which fleets a route may name. */
import type { Findings } from "./findings.ts";
import type { EnvoyFleetSpec, HaproxyMemberSpec, ProxyFleet, Route } from "./inventory.ts";
import type { ObjectOf } from "./manifest-object.ts";
import { didYouMean } from "./nearest-word.ts";
import type { RegionTable } from "./region-table.ts";
import { toLocation } from "./to-location.ts";

type Spec = ObjectOf<"ProxyFleet">["spec"];
type Haproxy = NonNullable<Spec["haproxy"]>;
type Listener = NonNullable<NonNullable<Spec["envoy"]>["listener"]>;

const MEMBERS = { Envoy: "envoy", HAProxy: "haproxy" } as const;

/** @returns undefined when a place cannot be told, or nobody says what the proxies are; findings say why */
export function toFleet({ name, spec }: ObjectOf<"ProxyFleet">, regions: RegionTable, findings: Findings): ProxyFleet | undefined {
  checkType(spec, findings);
  const places = spec.places.flatMap(({ name: place, location }, i) => {
    const found = toLocation(location, ["spec", "places", i, "location"], "the place", regions, findings);
    return found === undefined ? [] : [{ name: place, location: found }];
  });
  if (spec.haproxy !== undefined) checkPlaces(spec.haproxy, places, findings);
  if (findings.failed()) return undefined;
  const { envoy, haproxy } = spec;
  if (envoy !== undefined) {
    const { listener, endpointCaFile } = envoy;
    return { type: "Envoy", name, places, endpointCaFile, ...(listener === undefined ? {} : { listener: toListener(listener) }) };
  }
  if (haproxy === undefined) return undefined;
  const { endpointCaFile, trustedHops, members } = haproxy;
  return { type: "HAProxy", name, places, endpointCaFile, trustedHops, members: members.map(toMember) };
}

/** Exactly the member that type names is there. */
function checkType(spec: Spec, findings: Findings): void {
  for (const [type, member] of Object.entries(MEMBERS)) {
    const isThere = spec[member] !== undefined;
    if (isThere === (type === spec.type)) continue;
    const message = isThere ? `${member} goes with type ${type}, and type is ${spec.type}` : `type is ${type}, and ${member} is missing`;
    const remedy = isThere ? "Remove it, or correct the type." : `Add ${member}, or correct the type.`;
    findings.error(["spec", isThere ? member : "type"], "proxy-member", message, remedy);
  }
}

function checkPlaces({ members }: Haproxy, places: ProxyFleet["places"], findings: Findings): void {
  const names = places.map(({ name }) => name);
  for (const [i, { name, place }] of members.entries()) {
    if (names.includes(place)) continue;
    const remedy = `${didYouMean(place, names)}Correct it, or add the place to places.`;
    findings.error(
      ["spec", "haproxy", "members", i, "place"],
      "proxy-place",
      `${name} stands at ${place}, which is no place of the fleet`,
      remedy,
    );
  }
}

function toListener({ address, port, tls, trustedHops }: Listener): NonNullable<EnvoyFleetSpec["listener"]> {
  return { address, port, trustedHops, ...(tls === undefined ? {} : { tls }) };
}

function toMember({ name, place, listen, admin, reload, runAs }: Haproxy["members"][number]): HaproxyMemberSpec {
  return {
    ...{ name, place, reload },
    listen: listen.map(({ address, port, certificateFile }) => ({
      ...{ address, port },
      ...(certificateFile === undefined ? {} : { certificateFile }),
    })),
    ...(admin === undefined ? {} : { admin }),
    ...(runAs === undefined ? {} : { runAs }),
  };
}

/** The fleets that routes may name. */
export interface KnownFleets {
  readonly names: ReadonlySet<string>;
  /** Names of those that have errors of their own. */
  readonly rejected: ReadonlySet<string>;
}

/** Checks the fleets that a route names. */
export function checkRouteFleets({ fleets = [] }: Pick<Route, "fleets">, { names, rejected }: KnownFleets, findings: Findings): void {
  for (const [i, name] of fleets.entries()) {
    if (names.has(name)) continue;
    const isBroken = rejected.has(name);
    const message = isBroken ? `ProxyFleet ${name} has errors of its own` : `there is no ProxyFleet ${name}`;
    const remedy = isBroken ? "Correct that object first." : `${didYouMean(name, names)}Correct the name, or add a ProxyFleet called so.`;
    findings.error(["spec", "publish", "proxies", i, "name"], "proxy-unknown", message, remedy);
  }
}
