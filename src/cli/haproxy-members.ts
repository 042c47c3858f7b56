/** The HAProxies of all fleets: each has a folder of its own below the one that the operator gave, and is told what is so at its place. */
import { type AddressPolicy, forbiddenAddress } from "../../health/probes/address-check.ts";
import type { ProxyStatus } from "../engine/view.ts";
import type { HaproxyFleetSpec, HaproxyMemberSpec, ProxyFleet } from "../model/inventory.ts";
import { formatListenAddress } from "../model/listen-address.ts";
import type { ClientClass } from "../proxy/client-classes.ts";
import type { FleetRoute } from "../proxy/edge-worlds.ts";
import { createHaproxyFleet, type HaproxyFleet, type HaproxyFleetOptions, type HaproxyMember } from "../proxy/haproxy/haproxy-fleet.ts";
import type { HaproxyStatus } from "../proxy/haproxy/keeper.ts";
import { createPlaceWorlds, type PlaceWorlds } from "../proxy/haproxy/place-worlds.ts";
import { makeFolderSync } from "./make-folder.ts";

export interface HaproxyMembersOptions {
  /** Absolute. Undefined: nothing may be written anywhere, and no HAProxy is told anything. */
  readonly folder: string | undefined;
  /** Whoever writes a ProxyFleet must not have us connect where we would not probe. */
  readonly addresses: AddressPolicy;
  readonly ports: HaproxyFleetOptions["ports"];
  /** A member's status differs from before. */
  readonly onStatus: (fleet: string, member: string, status: HaproxyStatus) => void;
}

export interface HaproxyMembers {
  /** Starts keeping members that came, and leaves those that went as they are. @returns what keeps a fleet from being told, in sentences */
  use(fleets: readonly ProxyFleet[]): ReadonlyMap<string, readonly string[]>;
  /** @param classes of clients, of which groups of the routes speak */
  update(fleet: string, routes: readonly FleetRoute[], classes: readonly ClientClass[]): void;
  status(fleet: string): readonly ProxyStatus[];
  close(): Promise<void>;
}

/** Milliseconds; the first for one try. */
const TIMES = { connectTimeout: 2_000, clientTimeout: 60_000 } as const;

interface Kept {
  /** What it was made of. */
  readonly from: string;
  readonly spec: HaproxyFleetSpec;
  readonly fleet: HaproxyFleet;
  readonly worlds: PlaceWorlds;
}

export function createHaproxyMembers({ folder, addresses, ports, onStatus }: HaproxyMembersOptions): HaproxyMembers {
  const kept = new Map<string, Kept>();
  const closing = new Set<Promise<void>>();

  function end(name: string): void {
    const done: Promise<void> | undefined = kept
      .get(name)
      ?.fleet.close()
      .finally(() => closing.delete(done!));
    kept.delete(name);
    if (done !== undefined) closing.add(done);
  }

  function problemsOf(spec: HaproxyFleetSpec): readonly string[] {
    if (folder === undefined) return ["This server writes no HAProxy's configuration. Start it with --haproxy-dir DIR."];
    return spec.members.flatMap(({ name, admin }) => {
      const why = admin === undefined ? undefined : forbiddenAddress(admin.address, admin.port, addresses);
      if (admin === undefined || why === undefined) return [];
      return [
        `HAProxy ${name}: ${formatListenAddress(admin)} is not connected to (${why}). Correct admin, or allow its network with --probe-allow.`,
      ];
    });
  }

  function keep(spec: HaproxyFleetSpec, root: string): HaproxyFleet {
    const members = spec.members.map((member) => memberOf(member, spec.trustedHops, `${root}/${spec.name}/${member.name}`));
    for (const { config } of members) makeFolderSync(config.folder, 0o750);
    return createHaproxyFleet({ members, ports, onStatus: (member, status) => onStatus(spec.name, member, status) });
  }

  return {
    use(fleets) {
      const wanted = fleets.flatMap((spec) => (spec.type === "HAProxy" ? [spec] : []));
      const problems = new Map<string, readonly string[]>();
      for (const [name, { from }] of kept) {
        const spec = wanted.find((one) => one.name === name);
        if (spec === undefined || settingsOf(spec) !== from) end(name);
      }
      for (const spec of wanted) {
        const found = problemsOf(spec);
        problems.set(spec.name, found);
        if (found.length > 0 || folder === undefined) {
          end(spec.name);
          continue;
        }
        if (kept.has(spec.name)) continue;
        try {
          kept.set(spec.name, { from: settingsOf(spec), spec, fleet: keep(spec, folder), worlds: createPlaceWorlds() });
        } catch (error) {
          problems.set(spec.name, [
            `Its folder below ${folder} cannot be made: ${error instanceof Error ? error.message : error}. Let us write there, or name another with --haproxy-dir.`,
          ]);
        }
      }
      return problems;
    },
    update(name, routes, classes) {
      const known = kept.get(name);
      if (known === undefined) return;
      const worlds = known.worlds(new Set(known.spec.members.map(({ place }) => place)), routes, classes);
      known.fleet.update(new Map(known.spec.members.map((member) => [member.name, worlds.get(member.place)!])));
    },
    status(name) {
      const known = kept.get(name);
      const statuses = known?.fleet.status();
      return (known?.spec.members ?? []).map(({ name: member, place }) => proxyStatus(member, place, statuses?.get(member)));
    },
    async close() {
      for (const name of [...kept.keys()]) end(name);
      await Promise.all(closing);
    },
  };
}

/** Where its places are changes what it is told, and nothing about how. */
const settingsOf = ({ members, trustedHops }: HaproxyFleetSpec): string => JSON.stringify([members, trustedHops]);

function memberOf({ name, listen, admin, reload, runAs }: HaproxyMemberSpec, trustedHops: number, folder: string): HaproxyMember {
  const listeners = listen.map(({ address, port, certificateFile }) => ({
    ...{ address, port },
    ...(certificateFile === undefined ? {} : { certificate: certificateFile }),
  }));
  return {
    name,
    config: {
      folder,
      adminSocket: `${folder}/admin.sock`,
      listen: listeners,
      trustedHops,
      ...TIMES,
      ...(runAs === undefined ? {} : { runAs }),
    },
    ...(admin === undefined ? {} : { socket: { host: admin.address, port: admin.port } }),
    ...(reload === "Master" ? { reload: { master: { path: `${folder}/master.sock` } } } : {}),
  };
}

function proxyStatus(name: string, place: string, status: HaproxyStatus | undefined): ProxyStatus {
  const { isReachable = false, isCurrent = false, reloadFor, problem } = status ?? {};
  const state = !isReachable
    ? "Unreachable"
    : isCurrent
      ? "Current"
      : reloadFor !== undefined
        ? "ReloadNeeded"
        : problem !== undefined
          ? "Failed"
          : "Pending";
  const why =
    problem ??
    (reloadFor === undefined ? undefined : `it has to read its configuration again, for ${reloadFor}. Reload it, or set reload: Master`);
  return { name, place, state, ...(why === undefined ? {} : { problem: why }) };
}
