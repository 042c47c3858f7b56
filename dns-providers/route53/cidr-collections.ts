/**
 * CIDR collections: subnets that sets with a policy of subnets refer to by collection and location. A collection of ours is never changed; its
 * name says what is in it, so that whoever needs the same shares it.
 */
import {
  ChangeCidrCollectionCommand,
  CreateCidrCollectionCommand,
  DeleteCidrCollectionCommand,
  ListCidrBlocksCommand,
  ListCidrCollectionsCommand,
} from "@aws-sdk/client-route-53";
import { ProviderError } from "../provider.ts";
import type { PolicyOf, RecordSet } from "../record-set.ts";
import type { Send } from "./send.ts";

export interface CidrCollections {
  list(signal: AbortSignal): Promise<void>;
  /** Of a location of a collection of ours. */
  subnetsOf(collection: string, location: string): readonly string[] | undefined;
  /** Where a set's subnets are; undefined before {@link make}. */
  idOf(set: RecordSet, by: PolicyOf<"Subnets">): { readonly collection: string; readonly location: string } | undefined;
  /** A listed set is of this collection. */
  remember(set: Pick<RecordSet, "name" | "type">, collection: string): void;
  make(sets: readonly RecordSet[], signal: AbortSignal): Promise<void>;
  /** Removes ours that no set needs. @param isLast looks for them first: a process before this one may have made them */
  sweep(sets: readonly RecordSet[], signal: AbortSignal, isLast?: boolean): Promise<void>;
}

export interface CidrCollectionsOptions {
  readonly send: Send;
  /** Of zone and owner; 1..20 of the characters that a name may have. */
  readonly scope: string;
  /** Hash of a text: hexadecimal. */
  readonly digest: (text: string) => string;
  readonly nonce: () => string;
}

/** Blocks that one request may add (Route 53 API reference, ChangeCidrCollection). */
const MOST_BLOCKS = 1000;
const EVERYBODY_ELSE = "*";

const keyOf = ({ name, type }: Pick<RecordSet, "name" | "type">): string => `${name} ${type}`;

export function createCidrCollections({ send, scope, digest, nonce }: CidrCollectionsOptions): CidrCollections {
  const prefix = `globalroute-${scope}-`;
  /** Name of a collection → its id; ours alone. */
  const ids = new Map<string, string>();
  /** Id → location → subnets. */
  const contents = new Map<string, ReadonlyMap<string, readonly string[]>>();
  /** Nobody looks before the first set with such a policy: most zones have none. */
  let isListed = false;
  /** Name and type → id of the collection of its sets. */
  const ofSets = new Map<string, string>();

  const locationOf = (subnets: readonly string[]): string =>
    subnets.length === 0 ? EVERYBODY_ELSE : digest(subnets.toSorted().join(" ")).slice(0, 16);
  const contentOf = (sets: readonly RecordSet[]): ReadonlyMap<string, readonly string[]> =>
    new Map(
      sets.flatMap(({ routing }) =>
        routing?.by.kind === "Subnets" && routing.by.subnets.length > 0
          ? [[locationOf(routing.by.subnets), routing.by.subnets.toSorted()]]
          : [],
      ),
    );
  const nameOf = (content: ReadonlyMap<string, readonly string[]>): string =>
    `${prefix}${digest([...content.keys()].sort().join(" ")).slice(0, 20)}`;
  const groups = (sets: readonly RecordSet[]): ReadonlyMap<string, readonly RecordSet[]> =>
    Map.groupBy(
      sets.filter(({ routing }) => routing?.by.kind === "Subnets"),
      keyOf,
    );

  async function read(id: string, signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = new Map<string, string[]>();
    let NextToken: string | undefined;
    do {
      const page = await send(
        new ListCidrBlocksCommand({ CollectionId: id, ...(NextToken === undefined ? {} : { NextToken }) }),
        false,
        signal,
      );
      for (const { CidrBlock = "", LocationName = "" } of page.CidrBlocks ?? []) {
        const blocks = found.get(LocationName) ?? [];
        blocks.push(CidrBlock);
        found.set(LocationName, blocks);
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    for (const blocks of found.values()) blocks.sort();
    return found;
  }

  async function create(name: string, content: ReadonlyMap<string, readonly string[]>, signal: AbortSignal): Promise<void> {
    const answer = await send(new CreateCidrCollectionCommand({ Name: name, CallerReference: `${name}-${nonce()}` }), false, signal);
    const id = answer.Collection?.Id ?? "";
    const blocks = [...content].flatMap(([location, subnets]) => subnets.map((subnet) => ({ location, subnet })));
    for (let from = 0; from < blocks.length; from += MOST_BLOCKS) {
      const byLocation = Map.groupBy(blocks.slice(from, from + MOST_BLOCKS), ({ location }) => location);
      const Changes = Array.from(byLocation, ([LocationName, some]) => ({
        ...{ LocationName, Action: "PUT" as const },
        CidrList: some.map(({ subnet }) => subnet),
      }));
      await send(new ChangeCidrCollectionCommand({ Id: id, Changes }), false, signal);
    }
    ids.set(name, id);
    contents.set(id, content);
  }

  async function list(signal: AbortSignal): Promise<void> {
    isListed = true;
    ids.clear();
    const there = new Set<string>();
    let NextToken: string | undefined;
    do {
      const page = await send(new ListCidrCollectionsCommand(NextToken === undefined ? {} : { NextToken }), false, signal);
      for (const { Id = "", Name = "" } of page.CidrCollections ?? []) {
        if (!Name.startsWith(prefix)) continue;
        there.add(Id);
        const content = contents.get(Id) ?? (await read(Id, signal));
        contents.set(Id, content);
        if (nameOf(content) === Name) ids.set(Name, Id); // else it was broken off while it was made, or somebody changed it
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    for (const id of contents.keys()) if (!there.has(id)) contents.delete(id);
  }

  return {
    list,
    subnetsOf: (collection, location) => contents.get(collection)?.get(location),
    idOf(set, { subnets }) {
      const collection = ofSets.get(keyOf(set));
      return collection === undefined ? undefined : { collection, location: locationOf(subnets) };
    },
    remember: (set, collection) => void ofSets.set(keyOf(set), collection),
    async make(sets, signal) {
      const needed = groups(sets);
      if (needed.size > 0 && !isListed) await list(signal);
      for (const [key, group] of needed) {
        const content = contentOf(group);
        const name = nameOf(content);
        if (!ids.has(name)) await create(name, content, signal);
        ofSets.set(key, ids.get(name)!);
      }
    },
    async sweep(sets, signal, isLast = false) {
      if (isLast)
        await list(signal).catch((error: unknown) => {
          if (!(error instanceof ProviderError) || error.code !== "unauthorized") throw error; // who may not look made none
        });
      const used = new Set(Array.from(groups(sets).values(), (group) => nameOf(contentOf(group))));
      for (const [name, Id] of ids) {
        if (used.has(name)) continue;
        try {
          const blocks = [...(contents.get(Id) ?? [])];
          const Changes = blocks.map(([LocationName, CidrList]) => ({
            LocationName,
            Action: "DELETE_IF_EXISTS" as const,
            CidrList: [...CidrList],
          }));
          if (Changes.length > 0) await send(new ChangeCidrCollectionCommand({ Id, Changes }), false, signal);
          await send(new DeleteCidrCollectionCommand({ Id }), false, signal);
        } catch (error) {
          if (!(error instanceof ProviderError) || error.code !== "refused") throw error; // another zone needs it
        }
        ids.delete(name);
        contents.delete(Id);
      }
    },
  };
}
