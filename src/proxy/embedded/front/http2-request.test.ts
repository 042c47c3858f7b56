import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nameEndOf, nameStartOf, valueEndOf, valueStartOf } from "../http1/fields.ts";
import { newRequestFacts, readRequest } from "../http1/request.ts";
import { newRequestHead, parseRequestHead } from "../http1/request-head.ts";
import { formatHttp2Request } from "./http2-request.ts";

const BASE = [":method", "POST", ":scheme", "https", ":path", "/cart", ":authority", "shop.example.org"];
const withPseudo = (name: string, value: string | undefined): readonly string[] =>
  Array.from({ length: BASE.length / 2 }, (_, i) => [BASE[2 * i]!, BASE[2 * i + 1]!])
    .filter(([own]) => own !== name || value !== undefined)
    .flatMap(([own, before]) => [own!, own === name ? value! : before!]);

const passed: readonly { readonly name: string; readonly fields: readonly string[]; readonly ends?: boolean; readonly head: string }[] = [
  { name: "without a body", fields: BASE, ends: true, head: "POST /cart HTTP/1.1\r\nHost: shop.example.org\r\n\r\n" },
  {
    name: "a body of a length that nobody says becomes chunks",
    fields: BASE,
    head: "POST /cart HTTP/1.1\r\nHost: shop.example.org\r\nTransfer-Encoding: chunked\r\n\r\n",
  },
  {
    name: "a body of a known length",
    fields: [...BASE, "content-length", "5"],
    head: "POST /cart HTTP/1.1\r\nHost: shop.example.org\r\nContent-Length: 5\r\n\r\n",
  },
  {
    name: "a body without a byte, though it is said later that it ends",
    fields: [...BASE, "content-length", "0"],
    head: "POST /cart HTTP/1.1\r\nHost: shop.example.org\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "crumbs of cookies become one again",
    fields: [...BASE, "cookie", "a=1", "x", "y", "cookie", "b=2"],
    ends: true,
    head: "POST /cart HTTP/1.1\r\nHost: shop.example.org\r\nx: y\r\ncookie: a=1; b=2\r\n\r\n",
  },
  {
    name: "host instead of an authority",
    fields: [...withPseudo(":authority", undefined), "host", "shop.example.org"],
    ends: true,
    head: "POST /cart HTTP/1.1\r\nHost: shop.example.org\r\n\r\n",
  },
  {
    name: "host and authority that agree",
    fields: [...BASE, "host", "SHOP.example.org"],
    ends: true,
    head: "POST /cart HTTP/1.1\r\nHost: shop.example.org\r\n\r\n",
  },
];

test.each(passed)("$name", ({ fields, ends = false, head }) => {
  expect(formatHttp2Request(fields, ends)).toMatchObject({ kind: "request", head });
});

const smuggled = "x\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop.example.org\r\n\r\n";
const refused: readonly {
  readonly name: string;
  readonly fields: readonly string[];
  readonly status?: 400 | 501;
  readonly ends?: boolean;
}[] = [
  { name: "a line's end in a value", fields: [...BASE, "x", smuggled] },
  { name: "a line feed in a value", fields: [...BASE, "x", "a\nb: c"] },
  { name: "a zero byte in a value", fields: [...BASE, "x", "a\0b"] },
  { name: "a space before a value", fields: [...BASE, "x", " a"] },
  { name: "a line's end in a name", fields: [...BASE, "x: y\r\nz", "a"] },
  { name: "a colon in a name", fields: [...BASE, "x:y", "a"] },
  { name: "a capital letter in a name", fields: [...BASE, "X", "a"] },
  { name: "a name without a letter", fields: [...BASE, "", "a"] },
  { name: "a line's end in the path", fields: withPseudo(":path", `/ HTTP/1.1\r\n\r\n${smuggled}`) },
  { name: "a space in the path", fields: withPseudo(":path", "/ HTTP/1.1") },
  { name: "a URL for a path", fields: withPseudo(":path", "http://other.example.org/") },
  { name: "a star for a path", fields: withPseudo(":path", "*") },
  { name: "no path", fields: withPseudo(":path", undefined) },
  { name: "an empty path", fields: withPseudo(":path", "") },
  { name: "a space in the method", fields: withPseudo(":method", "GET /x") },
  { name: "no method", fields: withPseudo(":method", undefined) },
  { name: "CONNECT", fields: [":method", "CONNECT", ":authority", "shop.example.org"], status: 501 },
  { name: "WebSocket by CONNECT", fields: [...withPseudo(":method", "CONNECT"), ":protocol", "websocket"] },
  { name: "another scheme", fields: withPseudo(":scheme", "ftp") },
  { name: "no scheme", fields: withPseudo(":scheme", undefined) },
  { name: "a line's end in the authority", fields: withPseudo(":authority", "shop.example.org\r\nX: y") },
  { name: "no host at all", fields: withPseudo(":authority", undefined) },
  { name: "another host than the authority's", fields: [...BASE, "host", "other.example.org"] },
  { name: "two hosts", fields: [...BASE, "host", "shop.example.org", "host", "shop.example.org"] },
  { name: "a pseudo-field twice", fields: [...BASE, ":path", "/other"] },
  { name: "a pseudo-field behind a field", fields: [":method", "GET", ":scheme", "https", "x", "y", ":path", "/"] },
  { name: "a pseudo-field of responses", fields: [":status", "200", ...BASE] },
  { name: "two lengths", fields: [...BASE, "content-length", "5", "content-length", "5"] },
  { name: "a length with a sign", fields: [...BASE, "content-length", "+5"] },
  { name: "a list of lengths", fields: [...BASE, "content-length", "5, 5"] },
  { name: "a length and no body", fields: [...BASE, "content-length", "5"], ends: true },
  { name: "a te that is not trailers", fields: [...BASE, "te", "gzip"] },
  ...["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"].map((name) => ({
    name: `the field ${name}`,
    fields: [...BASE, name, name === "transfer-encoding" ? "chunked" : "close"],
  })),
];

test.each(refused)("$name: refused", ({ fields, status = 400, ends = false }) => {
  expect(formatHttp2Request(fields, ends)).toMatchObject({ kind: "refused", status });
});

describe("whatever HTTP/2 carries", () => {
  const odd = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 12 });
  const word = fc.constantFrom("x", "cookie", "te", "expect", "accept", "x_forwarded_for", "trailer");
  const value = fc.oneof(fc.constantFrom("a", "a=1", "trailers", "100-continue", "caf\u00e9", "\u00ff"), odd);
  const fields = fc.array(fc.tuple(fc.oneof({ weight: 4, arbitrary: word }, odd), value), { maxLength: 6 });
  const path = fc.oneof(
    fc.constant("/"),
    odd.map((text) => `/${text}`),
  );

  test("is refused, or is one request of HTTP/1.1 with exactly these fields and nothing behind it", () => {
    let whole = 0;
    fc.assert(
      fc.property(fields, path, fc.boolean(), (list, target, endsHere) => {
        const pseudo = [":method", "POST", ":scheme", "https", ":path", target, ":authority", "shop.example.org"];
        const made = formatHttp2Request([...pseudo, ...list.flat()], endsHere);
        if (made.kind === "refused") return;
        const bytes = Buffer.from(made.head, "latin1");
        const head = newRequestHead({ bytes: 1 << 16, target: 1 << 16, fields: 100 });
        expect(parseRequestHead(head, bytes, bytes.length)).toBe("done");
        expect(head.fields.at).toBe(bytes.length);
        expect(bytes.toString("latin1", head.targetStart, head.targetEnd)).toBe(target);
        const read = Array.from({ length: head.fields.count }, (_, i) => [
          bytes.toString("latin1", nameStartOf(head.fields, i), nameEndOf(head.fields, i)),
          bytes.toString("latin1", valueStartOf(head.fields, i), valueEndOf(head.fields, i)),
        ]);
        const cookies = list.flatMap(([name, text]) => (name === "cookie" && text !== "" ? [text] : []));
        expect(read).toEqual([
          ["Host", "shop.example.org"],
          ...list.filter(([name]) => name !== "cookie" && name !== "content-length" && name !== "host"),
          ...(made.body.kind === "chunked" ? [["Transfer-Encoding", "chunked"]] : []),
          ...(cookies.length > 0 ? [["cookie", cookies.join("; ")]] : []),
        ]);
        const facts = newRequestFacts();
        const fault = readRequest(facts, head, bytes);
        if (fault === undefined) expect(facts.framing.body).toBe(made.body.kind);
        else expect(fault).toBe("unsupported-expectation");
        whole++;
      }),
      { numRuns: 2000 },
    );
    expect(whole).toBeGreaterThan(200);
  });
});
