/** What the loaded geo databases cannot tell apart although routes ask for it. Warnings: the objects are right, the data is too coarse. Pure. */
import type { Capabilities } from "../geo/capabilities.ts";
import type { Fault } from "../model/fault.ts";
import { fault } from "../model/fault.ts";
import type { Inventory, Route } from "../model/inventory.ts";
import { type FieldPath, type ManifestObject, problemAt } from "../model/manifest-object.ts";
import type { Problem } from "../model/problem.ts";

interface GeoWarning {
  readonly field: FieldPath;
  readonly fault: Fault;
}

/** @param objects what the inventory was built from, for places in the text */
export function geoWarnings(inventory: Inventory, objects: readonly ManifestObject[], capabilities: Capabilities): readonly Problem[] {
  return inventory.routes.flatMap((route) => {
    const object = objects.find((one) => one.kind === "GlobalRoute" && one.namespace === route.namespace && one.name === route.name);
    if (object === undefined) return [];
    return [...missingFields(route, capabilities), ...singlePlaces(route, inventory, capabilities)].map((warning) =>
      problemAt(object, warning.field, warning.fault, { severity: "warning" }),
    );
  });
}

function missingFields(route: Route, capabilities: Capabilities): readonly GeoWarning[] {
  const kinds = [
    { list: "subdivisions", carried: capabilities.subdivision, file: "a city database" },
    { list: "asns", carried: capabilities.asn, file: "an ASN database" },
  ] as const;
  return route.rules.flatMap((rule, i) =>
    kinds
      .filter(({ list, carried }) => rule.clients[list].length > 0 && !carried)
      .map(({ list, file }) => ({
        field: ["spec", "routing", "rules", i, "clients", list],
        fault: fault(
          "geo-field",
          `no loaded geo database carries ${list}, so every client is of unknown place to rule ${rule.name}`,
          `Load ${file} with --mmdb, or use countries or subnets.`,
        ).fault,
      })),
  );
}

/** Two clusters of one country, told apart by distance, while all clients of a country are at one point. */
function singlePlaces(route: Route, inventory: Inventory, capabilities: Capabilities): readonly GeoWarning[] {
  if (capabilities.coordinates || (route.order !== "Nearest" && route.order !== "Latency")) return [];
  const countryOf = new Map(inventory.clusters.map((cluster) => [cluster.name, cluster.location.country]));
  const first = new Map<string, string>();
  return route.backends.flatMap((backend, i) => {
    const country = countryOf.get(backend.cluster);
    if (country === undefined || backend.weight === 0) return [];
    const other = first.get(country);
    if (other === undefined || other === backend.cluster) {
      first.set(country, backend.cluster);
      return [];
    }
    return [
      {
        field: ["spec", "backends", i, "cluster"],
        fault: fault(
          "geo-one-place",
          `${backend.cluster} and ${other} are both in ${country}, and the loaded geo database knows no places within a country, so all of its clients get the one nearer to its middle`,
          "Load a city database with --mmdb, or set routing.tolerance.distanceKm so that they share by weight.",
        ).fault,
      },
    ];
  });
}
