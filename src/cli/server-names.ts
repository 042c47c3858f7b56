/** Names that a running server knows, for completion: quickly, and none rather than trouble. */
import { statusSchema } from "../admin/api-schemas.ts";
import type { Status } from "../engine/view.ts";
import { createApiClient } from "./api-client.ts";
import type { Choice, Names } from "./complete.ts";
import type { Io } from "./io.ts";

/** Nobody waits longer for a Tab, ms. */
const PATIENCE = 700;
/** What a shell takes as it stands; wildcards and whatever else a server may say is left out. */
const SAFE = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;

/** @param server the option's value, if it stands on the line */
export async function serverNames(names: Names, server: string | undefined, io: Io): Promise<readonly Choice[]> {
  try {
    const status = await createApiClient(io, server).get("/v1/status", statusSchema, [], PATIENCE);
    return namesIn(status, names).filter(({ value }) => SAFE.test(value));
  } catch {
    return []; // no server, or none of ours: there is nobody here who could be told
  }
}

function namesIn({ clusters, routes, zones = [] }: Status, names: Names): readonly Choice[] {
  const ofClusters = (): readonly Choice[] =>
    clusters.map(({ name, health, location }) => ({ value: name, summary: `${health}, ${location.label}` }));
  const ofRoutes = (): readonly Choice[] =>
    routes.map(({ namespace, name, hosts }) => ({ value: `${namespace}/${name}`, summary: hosts[0] ?? "" }));
  const ofHosts = (): readonly Choice[] =>
    routes.flatMap(({ namespace, name, hosts }) => hosts.map((host) => ({ value: host, summary: `${namespace}/${name}` })));
  switch (names) {
    case "clusters":
      return ofClusters();
    case "routes":
      return [...ofRoutes(), ...ofHosts()];
    case "hosts":
      return ofHosts();
    case "zones":
      return zones.map(({ domain, name }) => ({ value: domain, summary: name }));
    case "targets":
      return [
        ...ofClusters(),
        ...ofRoutes(),
        ...routes.flatMap(({ namespace, name, backends }) =>
          backends.map((backend) => ({ value: `${namespace}/${name}/${backend.name}`, summary: `backend in ${backend.cluster}` })),
        ),
      ];
  }
}
