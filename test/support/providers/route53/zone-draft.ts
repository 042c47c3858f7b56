/** The sets of one zone while a batch is tried on them: looked up by name, group and alias target. What becomes of the draft is the caller's. */
import { byText } from "./names.ts";
import { type RecordSet, type RecordType, recordSetKey } from "./record-set.ts";

export interface ZoneDraft {
  readonly size: number;
  /** The set with the same name, type and identifier. */
  find(set: RecordSet): RecordSet | undefined;
  atName(name: string): readonly RecordSet[];
  /** All of one name and type, which share a routing policy. */
  group(name: string, type: RecordType): readonly RecordSet[];
  /** Aliases of this zone that lead to a name and type. */
  aliasesTo(name: string, type: RecordType): readonly RecordSet[];
  put(set: RecordSet): void;
  remove(set: RecordSet): void;
  /** In list order. */
  all(): readonly RecordSet[];
}

export function draftOf(zoneId: string, sets: readonly RecordSet[]): ZoneDraft {
  const byKey = new Map<string, RecordSet>();
  const byName = new Map<string, Map<string, RecordSet>>();
  const aliases = new Map<string, RecordSet>();

  const draft: ZoneDraft = {
    get size() {
      return byKey.size;
    },
    find: (set) => byKey.get(recordSetKey(set)),
    atName: (name) => [...(byName.get(name)?.values() ?? [])],
    group: (name, type) => draft.atName(name).filter((set) => set.type === type),
    aliasesTo: (name, type) =>
      [...aliases.values()].filter((set) => set.type === type && set.content.kind === "Alias" && set.content.target === name),
    put(set) {
      const key = recordSetKey(set);
      byKey.set(key, set);
      if (!byName.has(set.name)) byName.set(set.name, new Map());
      byName.get(set.name)!.set(key, set);
      if (set.content.kind === "Alias" && set.content.zoneId === zoneId) aliases.set(key, set);
      else aliases.delete(key);
    },
    remove(set) {
      const key = recordSetKey(set);
      byKey.delete(key);
      byName.get(set.name)?.delete(key);
      aliases.delete(key);
    },
    all: () => [...byKey].sort(([a], [b]) => byText(a, b)).map(([, set]) => set),
  };
  for (const set of sets) draft.put(set);
  return draft;
}
