/** Responses as broken or hostile endpoints send them, each with what we say and what the parser of `node:http` says. */
import type { Fault } from "../../../src/proxy/embedded/http1/faults.ts";

export interface ResponseCase {
  readonly name: string;
  readonly bytes: string;
  /** Status and body of the responses that are taken, or why the last one is not. */
  readonly ours: readonly (readonly [status: number, body: string])[] | Fault;
  readonly node: "takes" | "refuses";
}

const row = (name: string, bytes: string, ours: ResponseCase["ours"], node: ResponseCase["node"]): ResponseCase => ({
  name,
  bytes,
  ours,
  node,
});
const ok = (fields: string, body = "", start = "HTTP/1.1 200 OK"): string => `${start}\r\n${fields}\r\n${body}`;

export const RESPONSE_CASES: readonly ResponseCase[] = [
  row("a body of a length", ok("Content-Length: 5\r\n", "hello"), [[200, "hello"]], "takes"),
  row("a body in chunks", ok("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), [[200, "hello"]], "takes"),
  row("a body until the connection closes", ok("", "hello"), [[200, "hello"]], "takes"),
  row("no body", ok("Content-Length: 0\r\n"), [[200, ""]], "takes"),
  row(
    "two responses",
    ok("Content-Length: 5\r\n", "hello") + ok("Content-Length: 0\r\n"),
    [
      [200, "hello"],
      [200, ""],
    ],
    "takes",
  ),
  row(
    "100 before it",
    `HTTP/1.1 100 Continue\r\n\r\n${ok("Content-Length: 0\r\n")}`,
    [
      [100, ""],
      [200, ""],
    ],
    "takes",
  ),
  row(
    "103 before it",
    `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok("Content-Length: 0\r\n")}`,
    [
      [103, ""],
      [200, ""],
    ],
    "takes",
  ),
  row(
    "103 with a length",
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n${ok("Content-Length: 0\r\n")}`,
    "interim-with-body",
    "takes",
  ),
  row(
    "104 with a length",
    `HTTP/1.1 104 Upload\r\nContent-Length: 5\r\n\r\n${ok("Content-Length: 0\r\n")}`,
    "interim-with-body",
    "refuses",
  ),
  row(
    "101 with a length of 0",
    ok("Content-Length: 0\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", "", "HTTP/1.1 101 Switching Protocols"),
    [[101, ""]],
    "takes",
  ),
  row(
    "204 has no body",
    ok("", ok("Content-Length: 0\r\n"), "HTTP/1.1 204 No Content"),
    [
      [204, ""],
      [200, ""],
    ],
    "takes",
  ),
  row(
    "304 has no body whatever its length",
    ok("Content-Length: 5\r\n", ok("Content-Length: 0\r\n"), "HTTP/1.1 304 Not Modified"),
    [
      [304, ""],
      [200, ""],
    ],
    "takes",
  ),
  row("a body behind 204, which is not looked at", ok("Content-Length: 5\r\n", "hello", "HTTP/1.1 204 No Content"), [[204, ""]], "refuses"),
  row("no reason", ok("Content-Length: 0\r\n", "", "HTTP/1.1 200 "), [[200, ""]], "takes"),
  row("no reason and no space", ok("Content-Length: 0\r\n", "", "HTTP/1.1 200"), [[200, ""]], "takes"),
  row("HTTP/1.0", ok("", "hello", "HTTP/1.0 200 OK"), [[200, "hello"]], "takes"),
  row("101", ok("Upgrade: websocket\r\nConnection: Upgrade\r\n", "\x81\x00", "HTTP/1.1 101 Switching Protocols"), [[101, ""]], "takes"),

  row(
    "a length and chunks",
    ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    "length-and-transfer-encoding",
    "refuses",
  ),
  row("two lengths", ok("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), "content-length-repeated", "refuses"),
  row("a list of lengths", ok("Content-Length: 5, 5\r\n", "hello"), "bad-content-length", "refuses"),
  row("a negative length", ok("Content-Length: -1\r\n"), "bad-content-length", "refuses"),
  row("chunks in HTTP/1.0", ok("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "HTTP/1.0 200 OK"), "transfer-encoding-in-1.0", "takes"),
  row("gzip as transfer coding", ok("Transfer-Encoding: gzip\r\n", "hello"), "unsupported-transfer-encoding", "takes"),
  row("gzip, chunked", ok("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "unsupported-transfer-encoding", "takes"),
  row("a folded field", ok("Content-Length: 0\r\nA: b\r\n c\r\n"), "folded-line", "refuses"),
  row("LF alone", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "bad-line-end", "refuses"),
  row("CR in the reason", ok("Content-Length: 0\r\n", "", "HTTP/1.1 200 O\rK"), "bad-line-end", "refuses"),
  row("NUL in the reason", ok("Content-Length: 0\r\n", "", "HTTP/1.1 200 O\0K"), "bad-start-line", "takes"),
  row("a space before the colon", ok("Content-Length : 0\r\n"), "bad-field-name", "refuses"),
  row("an empty line before it", `\r\n${ok("Content-Length: 0\r\n")}`, "bad-start-line", "takes"),
  row("status 99", ok("", "", "HTTP/1.1 99 No"), "bad-status", "refuses"),
  row("status 999", ok("", "", "HTTP/1.1 999 No"), "bad-status", "takes"),
  row("status 2000", ok("", "", "HTTP/1.1 2000 OK"), "bad-status", "refuses"),
  row("status in hexadecimal", ok("", "", "HTTP/1.1 0xC8 OK"), "bad-status", "refuses"),
  row("HTTP/2.0", ok("", "", "HTTP/2.0 200 OK"), "unsupported-version", "takes"),
  row("a request", "GET / HTTP/1.1\r\n\r\n", "bad-start-line", "refuses"),
  row("no HTTP at all", "220 mail.example.org ESMTP\r\n", "bad-start-line", "refuses"),
];
