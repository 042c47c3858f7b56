/** All member clusters: one connection for each that has a Secret, none of which waits for another. */
import type { Network } from "../../src/model/ip.ts";
import type { KubeApi, WriteOptions } from "../kube/kube-api.ts";
import type { KubeConnection } from "../kube/kube-connection.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import { readKubeconfig } from "../kube/kubeconfig.ts";
import { type ClusterLink, createClusterLink } from "./cluster-link.ts";
import type { ClusterConnection, ClusterObjects, SourceKind } from "./cluster-objects.ts";
import type { AccessProblem } from "./describe-connection.ts";
import { type DiscoveredCluster, discover } from "./discovered.ts";
import { incumbents } from "./incumbents.ts";
import { type MemberAccess, readAccess, readSecretText, USUAL_KEYS } from "./member-access.ts";
import { renewCredential, renewDue } from "./renew-credential.ts";

export interface ClusterManagerOptions {
  readonly ports: KubePorts;
  readonly open: (connection: KubeConnection) => KubeApi;
  /** Networks of API servers that are reached although they are local (`--cluster-allow`). */
  readonly allow: readonly Network[];
  /** Kinds that are read at all (`--sources`). */
  readonly kinds: readonly SourceKind[];
  /** Anything that the functions below return may have changed. Comes late enough to stand for many changes. */
  readonly onChange: () => void;
  readonly onError?: (cluster: string, error: unknown) => void;
}

export interface ClusterManager {
  /** The MemberClusters of the hub, and the Secrets of the controller's namespace, as they are now. */
  update(memberClusters: Iterable<KubeObject>, secrets: Iterable<KubeObject>): void;
  /** Of the clusters that have an API server. What did not change is the same object as before. */
  objects(): readonly ClusterObjects[];
  connections(): readonly ClusterConnection[];
  /** Announced by Secrets, and without a MemberCluster. */
  discovered(): readonly DiscoveredCluster[];
  /** Clusters whose credential is to be renewed. @param now milliseconds since the epoch */
  credentialsDue(now: number): readonly string[];
  /** Renews one of them; the writer's task. Rejects with a KubeError. */
  renew(cluster: string, hub: KubeApi, options?: WriteOptions): Promise<void>;
  close(): void;
}

/** Milliseconds. */
export const COALESCE = 20;

interface Member {
  access: MemberAccess;
  secret: KubeObject | undefined;
  /** What the link uses: it connects anew when it is given another object. */
  means: KubeConnection | AccessProblem | undefined;
  readonly link: ClusterLink;
}

export function createClusterManager(options: ClusterManagerOptions): ClusterManager {
  const { ports, kinds, allow } = options;
  const members = new Map<string, Member>();
  let found: readonly DiscoveredCluster[] = [];
  let cancelTell: (() => void) | undefined;
  let isClosed = false;
  let lists: { objects: readonly ClusterObjects[]; connections: readonly ClusterConnection[] } = { objects: [], connections: [] };

  const tell = (): void => {
    if (isClosed) return;
    cancelTell ??= ports.setTimer(COALESCE, () => {
      cancelTell = undefined;
      options.onChange();
    });
  };

  /** Sees to it that each physical cluster is read by one MemberCluster only. */
  const settle = (): void => {
    const claims = [...members.values()].flatMap(({ access, link }) => {
      const uid = link.uid() ?? access.recordedUid;
      return uid === undefined ? [] : [{ name: access.name, uid, isRecorded: access.recordedUid === uid, created: access.created }];
    });
    const first = incumbents(claims);
    for (const { access, link } of members.values()) {
      const uid = link.uid();
      const owner = uid === undefined ? undefined : first.get(uid);
      link.yieldTo(owner === access.name ? undefined : owner);
    }
  };

  const createMember = (access: MemberAccess): Member => ({
    access,
    secret: undefined,
    means: undefined,
    link: createClusterLink({
      cluster: access.name,
      ports,
      open: options.open,
      onChange: () => {
        if (isClosed) return;
        settle();
        tell();
      },
      ...(options.onError === undefined ? {} : { onError: options.onError }),
    }),
  });

  function setAccess(member: Member, access: MemberAccess, secret: KubeObject | undefined): void {
    const before = member.access;
    const isSame = before.secret === access.secret && before.key === access.key && sameSecret(member.secret, secret, access.key);
    member.access = access;
    member.secret = secret;
    if (!isSame || member.means === undefined) member.means = accessOf(access, secret, allow);
    const wanted = access.sources.filter((kind) => kinds.includes(kind));
    member.link.use(member.means, wanted);
  }

  return {
    update: (memberClusters, secrets) => {
      if (isClosed) return;
      const all = [...secrets];
      const byName = new Map(all.map((secret) => [secret.metadata.name, secret]));
      const names = new Set<string>();
      const referred = new Set<string>();
      const wanted = new Map<string, MemberAccess>();
      for (const cluster of memberClusters) {
        names.add(cluster.metadata.name);
        const access = readAccess(cluster);
        if (access === undefined) continue;
        wanted.set(access.name, access);
        referred.add(access.secret);
      }
      for (const [name, { link }] of members) {
        if (wanted.has(name)) continue;
        members.delete(name);
        link.close();
        tell();
      }
      for (const access of wanted.values()) {
        const member = members.get(access.name) ?? createMember(access);
        members.set(access.name, member);
        setAccess(member, access, byName.get(access.secret));
      }
      const before = found;
      found = discover(all, names, referred);
      if (JSON.stringify(before) !== JSON.stringify(found)) tell();
      settle();
    },

    objects: () => {
      const next = [...members.values()].map(({ link }) => link.objects());
      if (!sameMembers(lists.objects, next)) lists = { ...lists, objects: next };
      return lists.objects;
    },

    connections: () => {
      const next = [...members.values()].map(({ link }) => link.connection());
      if (!sameMembers(lists.connections, next)) lists = { ...lists, connections: next };
      return lists.connections;
    },

    discovered: () => found,

    credentialsDue: (now) =>
      [...members.values()]
        .filter(({ secret, access, link }) => secret !== undefined && link.api() !== undefined && renewDue(secret, access.key, now))
        .map(({ access }) => access.name),

    renew: async (cluster, hub, writeOptions) => {
      const member = members.get(cluster);
      const api = member?.link.api();
      if (member?.secret === undefined || api === undefined) return;
      await renewCredential(api, hub, member.secret, member.access.key, writeOptions);
    },

    close: () => {
      isClosed = true;
      cancelTell?.();
      for (const { link } of members.values()) link.close();
      members.clear();
    },
  };
}

function accessOf(access: MemberAccess, secret: KubeObject | undefined, allow: readonly Network[]): KubeConnection | AccessProblem {
  if (secret === undefined) {
    return {
      reason: "SecretMissing",
      message: `there is no Secret ${access.secret} in the controller's namespace`,
      remedy: "Create it, or run `globalroute join` for this cluster.",
      withdraws: true,
    };
  }
  const found = readSecretText(secret, access.key);
  if (found === undefined) {
    const keys = access.key === undefined ? `none of ${USUAL_KEYS.join(", ")}` : `no key ${access.key}`;
    return {
      reason: "SecretMissing",
      message: `Secret ${access.secret} has ${keys}`,
      remedy: "Put a kubeconfig there, or name its key in spec.access.secretRef.key.",
      withdraws: true,
    };
  }
  const read = readKubeconfig(found.text, { allow });
  if ("ok" in read) return read.ok;
  const { reason, message, remedy } = read.problem;
  return { reason, message: `Secret ${access.secret}: ${message}`, remedy, withdraws: false };
}

/** Labels and annotations may change without a new connection. */
function sameSecret(a: KubeObject | undefined, b: KubeObject | undefined, key: string | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return readSecretText(a, key)?.text === readSecretText(b, key)?.text;
}

const sameMembers = <T>(a: readonly T[], b: readonly T[]): boolean => a.length === b.length && a.every((one, i) => one === b[i]);
