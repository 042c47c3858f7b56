/** From YAML nodes to plain values, in time and memory proportional to what was written, whatever was written. */
import { isAlias, isMap, isScalar, isSeq, type Node } from "yaml";
import { type Fault, fault } from "./fault.ts";

/** How many values the aliases of one document may stand for, all together. */
const MAX_ALIASED = 10_000;
/** No object of ours is nested a quarter as deep. */
const MAX_DEPTH = 64;

export interface NodeFault {
  /** Into the file's text. */
  readonly offset: number;
  readonly fault: Fault;
}

interface Anchored {
  readonly value: unknown;
  /** How many values it holds when all aliases in it are written out. */
  readonly size: number;
}

/**
 * The value of a document's root node. Aliases share the value of their anchor instead of copying it.
 *
 * @returns faults instead of a usable value for: a key that occurs twice or is no scalar, an alias without anchor, inside its own
 *          anchor, or past the limit, and nesting past the limit
 */
export function plainValue(root: Node | null): { readonly value: unknown; readonly faults: readonly NodeFault[] } {
  const faults: NodeFault[] = [];
  const anchors = new Map<string, Anchored>();
  let aliased = 0;

  const refuse = (node: unknown, wrong: { readonly fault: Fault }): Anchored => {
    faults.push({ offset: startOf(node), fault: wrong.fault });
    return { value: null, size: 1 };
  };

  const convert = (node: unknown, depth: number): Anchored => {
    if (isAlias(node)) return follow(node, node.source);
    if (isScalar(node)) return remember(node.anchor, { value: node.value, size: 1 });
    if (depth > MAX_DEPTH)
      return refuse(
        node,
        fault("yaml-syntax", `is nested more than ${MAX_DEPTH} deep`, "Objects are not nested so deep; look for stray brackets."),
      );
    if (isSeq(node)) {
      const items = node.items.map((item) => convert(item, depth + 1));
      return remember(node.anchor, { value: items.map((item) => item.value), size: sizeOf(items) });
    }
    if (!isMap(node)) return { value: null, size: 1 };
    const entries = new Map<string, Anchored>();
    for (const { key, value } of node.items) {
      if (!isScalar(key)) refuse(key, fault("yaml-syntax", "has a list, a mapping or an alias as a key", KEY_REMEDY));
      else {
        const name = String(key.value);
        if (entries.has(name))
          refuse(key, fault("yaml-duplicate-key", `${name} occurs twice in this mapping`, remedyForTwice(name, depth)));
        entries.set(name, convert(value, depth + 1));
      }
    }
    const value = Object.fromEntries([...entries].map(([name, entry]) => [name, entry.value]));
    return remember(node.anchor, { value, size: sizeOf([...entries.values()]) });
  };

  const remember = (anchor: string | undefined, result: Anchored): Anchored => {
    if (anchor !== undefined) anchors.set(anchor, result);
    return result;
  };

  const follow = (node: unknown, source: string): Anchored => {
    const target = anchors.get(source);
    if (target === undefined)
      return refuse(
        node,
        fault("yaml-syntax", `*${source} has no finished anchor before it`, `Put &${source} on an earlier value, or write the value out.`),
      );
    aliased += target.size;
    if (aliased <= MAX_ALIASED) return target;
    // Reported once: a bomb has many.
    if (aliased - target.size > MAX_ALIASED) return { value: null, size: 1 };
    return refuse(
      node,
      fault("alias-limit", `aliases stand for more than ${MAX_ALIASED} values`, "Write the values out, or split the file."),
    );
  };

  return { value: convert(root, 0).value, faults };
}

const KEY_REMEDY = "Write keys as plain words. If this is a template ({{ … }}), fill it in first.";

const remedyForTwice = (name: string, depth: number): string =>
  depth === 0 && name === "apiVersion" ? "Put a line --- between two objects, or remove one of them." : "Remove one of them.";

const sizeOf = (parts: readonly Anchored[]): number => parts.reduce((sum, part) => sum + part.size, 1);

/** Where a node begins in the file; 0 for a node without text. */
export function startOf(node: unknown): number {
  return isScalar(node) || isSeq(node) || isMap(node) || isAlias(node) ? (node.range?.[0] ?? 0) : 0;
}
