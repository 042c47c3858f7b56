import fc from "fast-check";
import { expect, test } from "vitest";
import { type Element, element, formatDocument, parseXml } from "./xml.ts";

const shape = ({ name, children, text }: Element): unknown => [name, children.length > 0 ? children.map(shape) : text];

test("reads what clients send: prolog, namespaces, prefixes, comments, CDATA, entities", () => {
  const root = parseXml(
    `<?xml version="1.0"?>\n<r:Root xmlns:r='urn:a' note="a &lt; b"><!-- no --><Empty/><r:Text>1 &amp; &#x32;&#51;<![CDATA[<4>]]></r:Text>\n</r:Root>\n`,
  );
  expect(shape(root)).toEqual([
    "Root",
    [
      ["Empty", ""],
      ["Text", "1 & 23<4>"],
    ],
  ]);
  expect([...root.attributes]).toEqual([
    ["xmlns:r", "urn:a"],
    ["note", "a < b"],
  ]);
});

test.each([
  ["nothing", ""],
  ["no element", "text"],
  ["an element that stays open", "<a><b></a>"],
  ["two roots", "<a/><b/>"],
  ["text between elements", "<a>text<b/></a>"],
  ["an entity that nobody declared", "<a>&xxe;</a>"],
  ["a document type", '<!DOCTYPE a [<!ENTITY x "y">]><a/>'],
  ["an attribute without quotes", "<a b=c/>"],
])("%s is refused", (_, text) => {
  expect(() => parseXml(text)).toThrow();
});

const leaf = fc
  .tuple(fc.constantFrom("Name", "Value"), fc.string({ unit: "grapheme" }))
  .map(([name, text]) => element(name, text.replace(/[^\t\n\r\x20-\ud7ff]/g, "")));
const tree = fc.letrec<{ node: Element }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(tie("node"), { minLength: 1, maxLength: 4 }).map((children) => element("Parent", children)),
  ),
})).node;

test("what is written is read back", () => {
  fc.assert(
    fc.property(tree, (root) => {
      expect(shape(parseXml(formatDocument(root, "urn:example")))).toEqual(shape(root));
    }),
  );
});
