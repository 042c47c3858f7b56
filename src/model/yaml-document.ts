/** The YAML documents of a file as plain values that remember where each part stands. */
import { type Document, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type YAMLMap } from "yaml";
import { type Fault, fault } from "./fault.ts";
import type { FieldPath, Locate, Position } from "./manifest-object.ts";
import { type NodeFault, plainValue, startOf } from "./yaml-value.ts";

export interface YamlDocument {
  /** null for an empty document; absent for one with faults. */
  readonly value?: unknown;
  readonly faults: readonly { readonly at: Position; readonly fault: Fault }[];
  readonly locate: Locate;
}

/**
 * Reads all documents of one file; a broken one does not hide the others. YAML 1.2 core schema, in which `NO` is a text.
 *
 * What is returned holds the text, but not its parse tree, which is fifty times as large: `locate` parses again if it is ever asked.
 */
export function readYaml(file: string, text: string): readonly YamlDocument[] {
  let parsed: Parsed | undefined = parseText(text);
  const at = (offset: number): Position => {
    parsed ??= parseText(text);
    const { line, col } = parsed.lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const result = parsed.documents.map((document, i): YamlDocument => {
    const locate: Locate = (path, part = "value") => {
      parsed ??= parseText(text);
      return at(offsetOf(parsed.documents[i]?.contents, path, part));
    };
    const { value, faults } = readDocument(document);
    return { ...(faults.length === 0 ? { value } : {}), faults: faults.map(({ offset, fault }) => ({ at: at(offset), fault })), locate };
  });
  parsed = undefined;
  return result;
}

interface Parsed {
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
}

function parseText(text: string): Parsed {
  const lines = new LineCounter();
  // The library's check for equal keys compares each with each; plainValue does it in linear time.
  const documents = parseAllDocuments(text, { lineCounter: lines, version: "1.2", schema: "core", prettyErrors: false, uniqueKeys: false });
  return { documents: Array.isArray(documents) ? documents : [], lines };
}

function readDocument(document: Document.Parsed): { readonly value?: unknown; readonly faults: readonly NodeFault[] } {
  const broken = document.errors[0] ?? document.warnings[0];
  if (broken === undefined) return plainValue(document.contents);
  // One slip makes the parser stumble over much of what follows, so only the first is told.
  return { faults: [{ offset: broken.pos[0], ...syntaxFault(broken.message) }] };
}

function syntaxFault(message: string): { readonly fault: Fault } {
  if (/call stack/.test(message))
    return fault("yaml-syntax", "not valid YAML: nested too deep", "Look for stray brackets, hyphens or question marks.");
  const remedy = /tab/i.test(message)
    ? "Indent with spaces."
    : "Correct it here or just above: often it is the indentation or a missing quote.";
  return fault("yaml-syntax", `not valid YAML: ${message.replace(/\.$/, "")}`, remedy);
}

/** The nearest thing to `path` that was written: inside an alias the alias, for a missing field the mapping that lacks it. */
function offsetOf(root: unknown, path: FieldPath, part: "key" | "value"): number {
  let node = root;
  let start = startOf(root);
  for (const [i, step] of path.entries()) {
    const last = i === path.length - 1;
    if (isMap(node)) {
      const pair = pairOf(node, String(step));
      if (pair === undefined) return start;
      const empty = isScalar(pair.value) && pair.value.value === null;
      node = pair.value;
      start = startOf((last && part === "key") || empty || node === null ? pair.key : node);
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if (node === undefined) return start;
      start = startOf(node);
    } else return start;
  }
  return start;
}

const pairOf = (map: YAMLMap, name: string) => map.items.find(({ key }) => isScalar(key) && String(key.value) === name);
