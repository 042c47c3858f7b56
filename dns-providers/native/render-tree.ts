/** A tree of choices as the record sets that make a provider take them. Pure. */

import type { DesiredSet } from "../change.ts";
import { type HelperScope, helperName } from "../helper-sets.ts";
import type { Alias, HealthCheck, RecordSet, SetRouting } from "../record-set.ts";
import type { Node } from "./tree.ts";

/** A backend's addresses of one family. */
export interface Leaf {
  /** Unique in the route. */
  readonly name: string;
  /** Canonical, with the check that the provider makes of each; those without one are published as we judge them. */
  readonly endpoints: readonly { readonly address: string; readonly check?: HealthCheck }[];
  /** In place of addresses: something that the provider knows by itself, and whose health it knows. */
  readonly alias?: Pick<Alias, "target" | "zone">;
  /** 0: it may serve. Greater: only when nothing of less is left, as far as its parents go. */
  readonly reluctance: number;
}

export interface TreeView {
  readonly type: "A" | "AAAA";
  /** Seconds. */
  readonly ttl: number;
  /** Backend's position → what it has. */
  readonly leaves: readonly Leaf[];
  readonly scope: HelperScope;
  /** Tells the helpers of this tree from those of others; a part of a DNS label. */
  readonly id: string;
}

const HELPERS = "helpers";

/** @returns the name that clients' names alias, and all sets that stand behind it */
export function renderTree(root: Node, view: TreeView): { readonly root: string; readonly sets: readonly DesiredSet[] } {
  const { type, ttl, leaves, scope, id } = view;
  const names = new Map<string, string>();
  const sets: DesiredSet[] = [];
  const counts = new Map<string, number>();

  const reluctance = (node: Node): number => {
    if (node.kind === "Backend") return leaves[node.member]!.reluctance;
    if (node.kind === "Chain") return Math.min(reluctance(node.first), reluctance(node.next));
    return Math.min(...node.ways.map(({ to }) => reluctance(to)));
  };
  /** How people are told of a way. */
  const title = (node: Node): string => {
    if (node.kind === "Backend") return leaves[node.member]!.name;
    if (node.kind === "Chain") return title(node.first);
    return [...new Set(node.ways.map(({ to }) => title(to)))].join("+");
  };
  const put = (name: string, set: Omit<RecordSet, "name" | "type" | "ttl" | "values"> & Partial<RecordSet>): void => {
    sets.push({ name, type, ttl: 0, values: [], ...set, resource: HELPERS });
  };
  const aliasTo = (to: Node, followsHealth: boolean): { readonly alias: Alias } => ({ alias: { target: visit(to), followsHealth } });

  function visit(node: Node): string {
    const key = JSON.stringify(node);
    const known = names.get(key);
    if (known !== undefined) return known;
    const kind = node.kind.toLowerCase();
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    const name = helperName(`${kind}-${count}-${id}`, scope);
    names.set(key, name);
    write(name, node);
    return name;
  }

  function write(name: string, node: Node): void {
    const least = reluctance(node);
    const isServing = (way: Node): boolean => reluctance(way) === least;
    if (node.kind === "Backend") {
      writeLeaf(name, leaves[node.member]!);
      return;
    }
    if (node.kind === "Chain") {
      const serving = [node.first, node.next].filter(isServing);
      for (const way of [node.first, node.next]) visit(way); // names depend on the policy alone, not on who serves now
      serving.forEach((way, i) => {
        const role = i === 0 ? "Primary" : "Secondary";
        put(name, { routing: { id: role.toLowerCase(), by: { kind: "Failover", role } }, ...aliasTo(way, true) });
      });
      return;
    }
    const isRule = node.kind === "Clients";
    const titles = new Map<string, number>();
    for (const { by, to } of node.ways) {
      visit(to);
      if (!isRule && !isServing(to)) continue;
      const text =
        by.kind === "Geo"
          ? (by.subdivision ?? by.country ?? by.continent ?? "default")
          : by.kind === "Subnets"
            ? subnetsTitle(by.subnets)
            : title(to);
      const nth = titles.get(text) ?? 0;
      titles.set(text, nth + 1);
      const setId = `${text.slice(0, 120)}${nth === 0 ? "" : `#${nth}`}`;
      put(name, { routing: { id: setId, by } satisfies SetRouting, ...aliasTo(to, !isRule) });
    }
  }

  function writeLeaf(name: string, { endpoints, alias }: Leaf): void {
    if (alias !== undefined) put(name, { alias: { ...alias, followsHealth: true } });
    else if (endpoints.every(({ check }) => check === undefined)) put(name, { ttl, values: endpoints.map(({ address }) => address) });
    else
      for (const { address, check } of endpoints)
        put(name, {
          ...{ ttl, values: [address], routing: { id: address, by: { kind: "MultiValue" } } },
          ...(check === undefined ? {} : { healthCheck: check }),
        });
  }

  return { root: visit(root), sets };
}

const subnetsTitle = (subnets: readonly string[]): string => (subnets.length === 0 ? "default" : subnets.join("+"));
