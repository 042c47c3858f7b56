import { describe, expect, test } from "vitest";
import { HEAD_LIMITS } from "./fields.ts";
import { formatRequestHead, formatResponseHead } from "./format-head.ts";
import type { ForwardedSettings } from "./forwarded.ts";
import { frameResponse, newFraming } from "./framing.ts";
import { newRequestFacts, readRequest } from "./request.ts";
import { newRequestHead, parseRequestHead } from "./request-head.ts";
import { type RequestOrigin, requestOrigin } from "./request-origin.ts";
import { newResponseHead, parseResponseHead } from "./response-head.ts";

const PEER = "192.0.2.7";
const PLAIN: ForwardedSettings = { trustedHops: 0, scheme: "http", rfc7239: false };

/** The head that goes on, and whom it is routed for. */
function sendOn(lines: readonly string[], settings = PLAIN, peer = PEER): { readonly client: string; readonly lines: readonly string[] } {
  const bytes = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  const head = newRequestHead(HEAD_LIMITS);
  const facts = newRequestFacts();
  expect(parseRequestHead(head, bytes, bytes.length)).toBe("done");
  expect(readRequest(facts, head, bytes)).toBeUndefined();
  const origin = requestOrigin(bytes, head, facts, peer, settings);
  return { client: origin.client, lines: formatRequestHead(bytes, head, facts, origin).split("\r\n").slice(0, -2) };
}

const FORWARDED = ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.example.org"];
const HOST = "Host: shop.example.org";

describe("requests", () => {
  const cases: readonly { name: string; lines: readonly string[]; sent: readonly string[] }[] = [
    {
      name: "fields go on as they came, behind one Host",
      lines: ["GET /a?b HTTP/1.1", "Accept:*/*", HOST, "X-Name:   caf\xe9 "],
      sent: ["GET /a?b HTTP/1.1", HOST, "Accept:*/*", "X-Name:   caf\xe9 ", ...FORWARDED],
    },
    {
      name: "fields of this connection stay here, those that Connection lists too",
      lines: [
        "GET / HTTP/1.1",
        HOST,
        "Connection: keep-alive, X-Secret ,TE",
        "Keep-Alive: timeout=5",
        "x-SECRET: 1",
        "TE: trailers",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic eA==",
        "Trailer: A",
        "A: b",
      ],
      sent: ["GET / HTTP/1.1", HOST, "A: b", ...FORWARDED],
    },
    {
      name: "Connection cannot take away what we write ourselves",
      lines: ["POST / HTTP/1.1", HOST, "Connection: close, host, content-length, x-forwarded-for", "Content-Length: 5"],
      sent: ["POST / HTTP/1.1", HOST, ...FORWARDED, "Content-Length: 5"],
    },
    {
      name: "a length of 0 is said, because servers ask for it",
      lines: ["POST / HTTP/1.1", HOST, "Content-Length: 000"],
      sent: ["POST / HTTP/1.1", HOST, ...FORWARDED, "Content-Length: 0"],
    },
    {
      name: "chunks go on as chunks",
      lines: ["POST / HTTP/1.1", "Transfer-Encoding: CHUNKED", HOST],
      sent: ["POST / HTTP/1.1", HOST, ...FORWARDED, "Transfer-Encoding: chunked"],
    },
    {
      name: "what the client says of itself is not believed",
      lines: [
        "GET / HTTP/1.1",
        HOST,
        "X-Forwarded-For: 203.0.113.9",
        "X_Forwarded_For: 203.0.113.9",
        "X-Forwarded-Proto: https",
        "Forwarded: for=203.0.113.9",
        "X-Forwarded-Host: admin.example.org",
      ],
      sent: ["GET / HTTP/1.1", HOST, ...FORWARDED],
    },
    {
      name: "an absolute URL becomes a path",
      lines: ["GET http://SHOP.example.org/a HTTP/1.1", HOST],
      sent: ["GET /a HTTP/1.1", HOST, ...FORWARDED],
    },
    {
      name: "an absolute URL without a path becomes /",
      lines: ["GET http://shop.example.org?b HTTP/1.1", HOST],
      sent: ["GET /?b HTTP/1.1", HOST, ...FORWARDED],
    },
    {
      name: "an absolute URL without a path of OPTIONS becomes *",
      lines: ["OPTIONS http://shop.example.org HTTP/1.1", HOST],
      sent: ["OPTIONS * HTTP/1.1", HOST, ...FORWARDED],
    },
    {
      name: "HTTP/1.0 goes on as HTTP/1.1",
      lines: ["GET http://shop.example.org/ HTTP/1.0"],
      sent: ["GET / HTTP/1.1", HOST, ...FORWARDED],
    },
    {
      name: "an upgrade to WebSocket goes on",
      lines: ["GET / HTTP/1.1", HOST, "connection: keep-alive, Upgrade", "upgrade: WebSocket", "Sec-WebSocket-Key: x"],
      sent: ["GET / HTTP/1.1", HOST, "Sec-WebSocket-Key: x", ...FORWARDED, "Connection: Upgrade", "Upgrade: websocket"],
    },
    {
      name: "an upgrade to anything else does not",
      lines: ["GET / HTTP/1.1", HOST, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"],
      sent: ["GET / HTTP/1.1", HOST, ...FORWARDED],
    },
    {
      name: "an upgrade that Connection does not list does not",
      lines: ["GET / HTTP/1.1", HOST, "Upgrade: websocket"],
      sent: ["GET / HTTP/1.1", HOST, ...FORWARDED],
    },
    {
      name: "an expectation is ours to meet",
      lines: ["POST / HTTP/1.1", HOST, "Expect: 100-Continue", "Content-Length: 5"],
      sent: ["POST / HTTP/1.1", HOST, ...FORWARDED, "Content-Length: 5"],
    },
  ];
  test.each(cases)("$name", ({ lines, sent }) => expect(sendOn(lines).lines).toEqual(sent));
});

describe("who the client is", () => {
  const forwardedFor = (list: string): readonly string[] => [
    "GET / HTTP/1.1",
    HOST,
    ...list.split("|").map((value) => `X-Forwarded-For: ${value}`),
  ];
  const cases: readonly { name: string; hops: number; list: string; client: string; sent: string }[] = [
    { name: "without a proxy in front of us, who connects", hops: 0, list: "203.0.113.9", client: PEER, sent: PEER },
    {
      name: "with one, the last that it says",
      hops: 1,
      list: "10.0.0.1, 203.0.113.9",
      client: "203.0.113.9",
      sent: "203.0.113.9, 192.0.2.7",
    },
    {
      name: "with two, the last but one",
      hops: 2,
      list: "10.0.0.1, 203.0.113.9, 198.51.100.1",
      client: "203.0.113.9",
      sent: "203.0.113.9, 198.51.100.1, 192.0.2.7",
    },
    {
      name: "with two that write fields of their own",
      hops: 2,
      list: "203.0.113.9|198.51.100.1",
      client: "203.0.113.9",
      sent: "203.0.113.9, 198.51.100.1, 192.0.2.7",
    },
    {
      name: "with more than wrote something, the first",
      hops: 3,
      list: "203.0.113.9",
      client: "203.0.113.9",
      sent: "203.0.113.9, 192.0.2.7",
    },
    { name: "with a port", hops: 1, list: "203.0.113.9:4711", client: "203.0.113.9", sent: "203.0.113.9, 192.0.2.7" },
    { name: "IPv6 with brackets and port", hops: 1, list: "[2001:db8::1]:4711", client: "2001:db8::1", sent: "2001:db8::1, 192.0.2.7" },
    { name: "IPv4 as IPv6", hops: 1, list: "::ffff:203.0.113.9", client: "203.0.113.9", sent: "203.0.113.9, 192.0.2.7" },
    { name: "IPv4 as IPv6, with a port", hops: 1, list: "[::FFFF:cb00:7109]:4711", client: "203.0.113.9", sent: "203.0.113.9, 192.0.2.7" },
    { name: "up to what is no address", hops: 2, list: "203.0.113.9, unknown", client: PEER, sent: PEER },
    { name: "nobody said anything", hops: 1, list: "", client: PEER, sent: PEER },
  ];
  test.each(cases)("$name", ({ hops, list, client, sent }) => {
    const onward = sendOn(forwardedFor(list), { ...PLAIN, trustedHops: hops });
    expect(onward.client).toBe(client);
    expect(onward.lines).toContain(`X-Forwarded-For: ${sent}`);
  });

  test("scheme and host are the trusted proxy's, if it says any", () => {
    const said = ["GET / HTTP/1.1", HOST, "X-Forwarded-Proto: https", "X-Forwarded-Host: a.example.org, www.example.org"];
    const { lines } = sendOn(said, { ...PLAIN, trustedHops: 1 });
    expect(lines.slice(-2)).toEqual(["X-Forwarded-Proto: https", "X-Forwarded-Host: www.example.org"]);
    const odd = ["GET / HTTP/1.1", HOST, "X-Forwarded-Proto: gopher", "X-Forwarded-Host: a b"];
    expect(sendOn(odd, { ...PLAIN, trustedHops: 1 }).lines.slice(-2)).toEqual([
      "X-Forwarded-Proto: http",
      "X-Forwarded-Host: shop.example.org",
    ]);
  });

  test("Forwarded (RFC 7239) is written if asked for, quoted where it must be", () => {
    const said = ["GET / HTTP/1.1", HOST, 'Forwarded: for=203.0.113.9, for="_a,b";proto=https'];
    const settings: ForwardedSettings = { trustedHops: 1, scheme: "http", rfc7239: true };
    expect(sendOn(said, settings, "2001:db8::7").lines.at(-1)).toBe(
      'Forwarded: for="_a,b";proto=https, for="[2001:db8::7]";host="shop.example.org";proto=http',
    );
    for (const open of ['for=203.0.113.9, for="_a', 'for="_a\\\\\\"', `for="${'\\"'.repeat(7000)}`]) {
      const lines = ["GET / HTTP/1.1", HOST, `Forwarded: ${open}`];
      expect(sendOn(lines, settings).lines.at(-1)).toBe('Forwarded: for=192.0.2.7;host="shop.example.org";proto=http');
    }
    const escaped = ["GET / HTTP/1.1", HOST, 'Forwarded: for=a,, for="\\",\\\\";by=b , for=c'];
    expect(sendOn(escaped, { ...settings, trustedHops: 2 }).lines.at(-1)).toMatch(/^Forwarded: for="\\",\\\\";by=b, for=c, for=192/);
  });
});

describe("responses", () => {
  function sendBack(lines: readonly string[], reader: { minor: 0 | 1; keepAlive: boolean }, toHead = false): readonly string[] {
    const bytes = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
    const head = newResponseHead(HEAD_LIMITS);
    const framing = newFraming();
    expect(parseResponseHead(head, bytes, bytes.length)).toBe("done");
    expect(frameResponse(framing, head.fields, bytes, { minor: head.minor, status: head.status, toHead })).toBeUndefined();
    return formatResponseHead(bytes, head, framing, reader).split("\r\n").slice(0, -2);
  }
  const KEPT = { minor: 1, keepAlive: true } as const;
  const cases: readonly {
    name: string;
    lines: readonly string[];
    reader?: { minor: 0 | 1; keepAlive: boolean };
    toHead?: boolean;
    sent: readonly string[];
  }[] = [
    { name: "a length", lines: ["HTTP/1.1 200 OK", "Content-Length: 5", "A: b"], sent: ["HTTP/1.1 200 OK", "A: b", "Content-Length: 5"] },
    { name: "chunks", lines: ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"], sent: ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"] },
    {
      name: "until the end becomes chunks",
      lines: ["HTTP/1.0 200 OK", "A: b"],
      sent: ["HTTP/1.1 200 OK", "A: b", "Transfer-Encoding: chunked"],
    },
    {
      name: "chunks to HTTP/1.0 become until the end",
      reader: { minor: 0, keepAlive: false },
      lines: ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"],
      sent: ["HTTP/1.1 200 OK", "Connection: close"],
    },
    {
      name: "HTTP/1.0 is told that the connection stays",
      reader: { minor: 0, keepAlive: true },
      lines: ["HTTP/1.1 200 OK", "Content-Length: 0"],
      sent: ["HTTP/1.1 200 OK", "Content-Length: 0", "Connection: keep-alive"],
    },
    {
      name: "the endpoint's connection is not the client's",
      lines: ["HTTP/1.1 200 OK", "Connection: close, A", "Keep-Alive: timeout=5", "Content-Length: 0", "A: b"],
      sent: ["HTTP/1.1 200 OK", "Content-Length: 0"],
    },
    {
      name: "the last response says so",
      reader: { minor: 1, keepAlive: false },
      lines: ["HTTP/1.1 200 OK", "Content-Length: 0"],
      sent: ["HTTP/1.1 200 OK", "Content-Length: 0", "Connection: close"],
    },
    {
      name: "HEAD keeps the length",
      toHead: true,
      lines: ["HTTP/1.1 200 OK", "Content-Length: 5"],
      sent: ["HTTP/1.1 200 OK", "Content-Length: 5"],
    },
    {
      name: "304 keeps the length",
      lines: ["HTTP/1.1 304 Not Modified", "Content-Length: 5"],
      sent: ["HTTP/1.1 304 Not Modified", "Content-Length: 5"],
    },
    { name: "204 has none", lines: ["HTTP/1.1 204 No Content", "Content-Length: 0"], sent: ["HTTP/1.1 204 No Content"] },
    { name: "an interim response", lines: ["HTTP/1.1 103 Early Hints", "Link: </a>"], sent: ["HTTP/1.1 103 Early Hints", "Link: </a>"] },
    {
      name: "a switch of protocols",
      lines: ["HTTP/1.1 101 Switching Protocols", "connection: upgrade", "upgrade: websocket", "Sec-WebSocket-Accept: x"],
      sent: ["HTTP/1.1 101 Switching Protocols", "Sec-WebSocket-Accept: x", "Connection: Upgrade", "Upgrade: websocket"],
    },
    { name: "a missing reason gets its space", lines: ["HTTP/1.1 200", "Content-Length: 0"], sent: ["HTTP/1.1 200 ", "Content-Length: 0"] },
  ];
  test.each(cases)("$name", ({ lines, reader = KEPT, toHead = false, sent }) => expect(sendBack(lines, reader, toHead)).toEqual(sent));
});

describe("the requests of one connection", () => {
  function originOf(host: string, settings: ForwardedSettings, before: RequestOrigin | undefined): RequestOrigin {
    const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-For: 198.51.100.${host.length}\r\n\r\n`, "latin1");
    const head = newRequestHead(HEAD_LIMITS);
    const facts = newRequestFacts();
    parseRequestHead(head, bytes, bytes.length);
    readRequest(facts, head, bytes);
    return requestOrigin(bytes, head, facts, PEER, settings, before);
  }
  const first = (settings: ForwardedSettings) => originOf("shop.example.org", settings, undefined);

  test("have one origin while they are for the same host", () => {
    const before = first(PLAIN);
    expect(originOf("shop.example.org", PLAIN, before)).toBe(before);
  });

  test("have another one for another host, and behind proxies each its own", () => {
    expect(originOf("Blog.example.org:80", PLAIN, first(PLAIN))).toMatchObject({
      authority: "Blog.example.org:80",
      host: "blog.example.org",
    });
    const trusting = { ...PLAIN, trustedHops: 1 };
    expect(originOf("a.example.org", trusting, { ...first(trusting), authority: "a.example.org" }).client).toBe("198.51.100.13");
  });
});

test("a Connection that lists thousands of items, on several lines, in whatever case, keeps back just those", () => {
  const lists = [`${"a,".repeat(5000)}X-One`, "b, , x-TWO ,c"].map((list) => `Connection: ${list}`);
  expect(sendOn(["GET / HTTP/1.1", HOST, "x-one: 1", "X-Two: 2", "X-Three: 3", ...lists, "X-On: 4", "A: 5"]).lines).toEqual([
    "GET / HTTP/1.1",
    HOST,
    "X-Three: 3",
    "X-On: 4",
    ...FORWARDED,
  ]);
});
