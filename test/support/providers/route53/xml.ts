/** The small part of XML 1.0 that REST-XML APIs use: elements, attributes, text, entities. No DTD: what it could smuggle in is refused. */

export interface Element {
  /** Without its namespace prefix. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  /** Of an element without children; else empty. */
  readonly text: string;
}

const TOKEN =
  /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[(?<raw>[\s\S]*?)\]\]>|<\/(?<end>[\w:.-]+)\s*>|<(?<start>[\w:.-]+)(?<attributes>(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(?<empty>\/?)>|(?<text>[^<]+)/y;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

interface Open {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
  text: string;
}

/** @throws Error that names the first thing wrong */
export function parseXml(document: string): Element {
  const stack: Open[] = [];
  let root: Element | undefined;
  const close = (): void => {
    const { name, attributes, children, text } = stack.pop()!;
    if (children.length > 0 && text.trim() !== "") throw new Error(`text between the elements of ${name}`);
    const made: Element = { name, attributes, children, text: children.length > 0 ? "" : text };
    const parent = stack.at(-1);
    if (parent !== undefined) parent.children.push(made);
    else if (root === undefined) root = made;
    else throw new Error("more than one root element");
  };
  const scan = new RegExp(TOKEN);
  while (scan.lastIndex < document.length) {
    const at = scan.lastIndex;
    const groups = scan.exec(document)?.groups;
    if (scan.lastIndex === 0) throw new Error(`no XML at character ${at}`);
    const { raw, end, start, attributes = "", empty, text } = groups ?? {};
    if (start !== undefined) {
      stack.push({ name: localName(start), attributes: readAttributes(attributes), children: [], text: "" });
      if (empty === "/") close();
    } else if (end !== undefined) {
      if (stack.at(-1)?.name !== localName(end)) throw new Error(`${end} is closed but was not open`);
      close();
    } else if (text !== undefined || raw !== undefined) {
      const top = stack.at(-1);
      if (top !== undefined) top.text += raw ?? unescapeText(text!);
      else if ((text ?? raw)!.trim() !== "") throw new Error("text outside of the root element");
    }
  }
  if (stack.length > 0) throw new Error(`${stack.at(-1)!.name} is not closed`);
  if (root === undefined) throw new Error("no root element");
  return root;
}

/** An element with text, or with children of which the undefined are left out. */
export function element(name: string, content: string | number | boolean | readonly (Element | undefined)[] = ""): Element {
  const isParent = typeof content === "object";
  const children = isParent ? content.filter((child) => child !== undefined) : [];
  return { name, attributes: new Map(), children, text: isParent ? "" : String(content) };
}

/** @param namespace of the document's default */
export function formatDocument(root: Element, namespace: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${format({ ...root, attributes: new Map([["xmlns", namespace]]) })}`;
}

function format({ name, attributes, children, text }: Element): string {
  const head = [name, ...[...attributes].map(([key, value]) => `${key}="${escapeText(value)}"`)].join(" ");
  const content = children.length > 0 ? children.map(format).join("") : escapeText(text);
  return content === "" ? `<${head}/>` : `<${head}>${content}</${name}>`;
}

const localName = (name: string): string => name.slice(name.indexOf(":") + 1);

const readAttributes = (text: string): ReadonlyMap<string, string> =>
  new Map([...text.matchAll(ATTRIBUTE)].map(([, name = "", double, single]) => [name, unescapeText(double ?? single ?? "")]));

const escapeText = (text: string): string =>
  text.replace(/[&<>"\r]/g, (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;" })[char]!);

const unescapeText = (text: string): string =>
  text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (name !== undefined) {
      const char = ENTITIES[name];
      if (char === undefined) throw new Error(`unknown entity ${whole}`);
      return char;
    }
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (point > 0x10_ffff) throw new Error(`no such character: ${whole}`);
    return String.fromCodePoint(point);
  });
