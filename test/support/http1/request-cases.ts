/** Requests as smugglers send them, each with what we say and what a server of `node:http` says. */
import type { Fault } from "../../../src/proxy/embedded/http1/faults.ts";

export interface RequestCase {
  readonly name: string;
  readonly bytes: string;
  /** The bodies of the requests that are taken, or why the last one is not; "more" when it is not at its end. */
  readonly ours: readonly string[] | "more" | Fault;
  /** What `node:http` does with the last request: takes it, or answers 4xx or closes, or waits. It says 400 to what follows the last request, which we do not look at. */
  readonly node: "takes" | "refuses" | "waits";
}

const HOST = "Host: shop.example.org\r\n";
const post = (fields: string, body = "", version = "HTTP/1.1"): string => `POST /cart ${version}\r\n${HOST}${fields}\r\n${body}`;
const get = (fields: string, start = "GET / HTTP/1.1"): string => `${start}\r\n${fields}\r\n`;
const chunked = (body: string): string => post("Transfer-Encoding: chunked\r\n", body);
const coding = (line: string, body = "0\r\n\r\n"): string => post(`${line}\r\n`, body);
const length = (value: string, body = "hello"): string => post(`Content-Length:${value}\r\n`, body);
const row = (name: string, bytes: string, ours: RequestCase["ours"], node: RequestCase["node"]): RequestCase => ({
  name,
  bytes,
  ours,
  node,
});
const NEXT = `GET /next HTTP/1.1\r\n${HOST}\r\n`;

export const REQUEST_CASES: readonly RequestCase[] = [
  // plain
  row("a request", get(HOST), [""], "takes"),
  row("a body of a length", length(" 5"), ["hello"], "takes"),
  row("a body in chunks", chunked("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"), ["hello!"], "takes"),
  row("two requests in one piece", get(HOST) + NEXT, ["", ""], "takes"),
  row("a request behind a body", length(" 5") + NEXT, ["hello", ""], "takes"),
  row("a request behind chunks", chunked("5\r\nhello\r\n0\r\n\r\n") + NEXT, ["hello", ""], "takes"),
  row("a GET with a body", get(`${HOST}Content-Length: 5\r\n`).concat("hello"), ["hello"], "takes"),
  row("an empty line before it", `\r\n${get(HOST)}`, [""], "takes"),
  row("bytes from 0x80 in a value", get(`${HOST}A: caf\xe9\r\n`), [""], "takes"),
  row("an empty value", get(`${HOST}A:\r\nB: \r\n`), [""], "takes"),
  row("HTTP/1.0 without Host", get("", "GET / HTTP/1.0"), [""], "takes"),

  // Content-Length against Transfer-Encoding
  row("CL.TE", post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG"), "length-and-transfer-encoding", "refuses"),
  row(
    "TE.CL",
    post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "8\r\nSMUGGLED\r\n0\r\n\r\n"),
    "length-and-transfer-encoding",
    "refuses",
  ),
  row("CL.0 and TE", post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "length-and-transfer-encoding", "refuses"),
  row("TE in HTTP/1.0", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "HTTP/1.0"), "transfer-encoding-in-1.0", "takes"),

  // disguises of Transfer-Encoding
  row("a space before the colon", coding("Transfer-Encoding : chunked"), "bad-field-name", "refuses"),
  row("a tab before the colon", coding("Transfer-Encoding\t: chunked"), "bad-field-name", "refuses"),
  row("a tab before the value, which is allowed", coding("Transfer-Encoding:\tchunked"), [""], "takes"),
  row("a space behind the value", coding("Transfer-Encoding: chunked "), "unsupported-transfer-encoding", "takes"),
  row("a tab behind the value", coding("Transfer-Encoding: chunked\t"), "unsupported-transfer-encoding", "refuses"),
  row("upper case, which is allowed", coding("TRANSFER-ENCODING: CHUNKED"), [""], "takes"),
  row("a coding nobody knows", coding("Transfer-Encoding: xchunked"), "unsupported-transfer-encoding", "refuses"),
  row("chunked, identity", coding("Transfer-Encoding: chunked, identity"), "unsupported-transfer-encoding", "refuses"),
  row("identity", coding("Transfer-Encoding: identity"), "unsupported-transfer-encoding", "refuses"),
  row("gzip, chunked", coding("Transfer-Encoding: gzip, chunked"), "unsupported-transfer-encoding", "takes"),
  row("chunked, chunked", coding("Transfer-Encoding: chunked, chunked"), "unsupported-transfer-encoding", "refuses"),
  row("a list with an empty item", coding("Transfer-Encoding: , chunked"), "unsupported-transfer-encoding", "takes"),
  row("a quoted coding", coding('Transfer-Encoding: "chunked"'), "unsupported-transfer-encoding", "refuses"),
  row("a coding with a parameter", coding("Transfer-Encoding: chunked;a=b"), "unsupported-transfer-encoding", "refuses"),
  row("no coding", coding("Transfer-Encoding:"), "unsupported-transfer-encoding", "refuses"),
  row("two fields", coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), "transfer-encoding-repeated", "refuses"),
  row(
    "two fields, the second odd",
    coding("Transfer-Encoding: chunked\r\nTransfer-encoding: cow"),
    "transfer-encoding-repeated",
    "refuses",
  ),
  row(
    "two fields, the first odd",
    coding("Transfer-Encoding: cow\r\nTransfer-encoding: chunked"),
    "unsupported-transfer-encoding",
    "takes",
  ),
  row("a vertical tab", coding("Transfer-Encoding: chunked\x0b"), "bad-field-value", "refuses"),
  row("a vertical tab before it", coding("Transfer-Encoding: \x0bchunked"), "bad-field-value", "refuses"),
  row("NUL", coding("Transfer-Encoding: chunked\0"), "bad-field-value", "refuses"),
  row("a space before the name", coding(" Transfer-Encoding: chunked"), "folded-line", "refuses"),
  row("a folded value", coding("Transfer-Encoding:\r\n chunked"), "folded-line", "refuses"),
  row("hidden behind LF", coding("A: b\nTransfer-Encoding: chunked"), "bad-line-end", "refuses"),
  row("hidden behind CR", coding("A: b\rTransfer-Encoding: chunked"), "bad-line-end", "refuses"),
  row("a no-break space in the value", coding("Transfer-Encoding: chunked\xa0"), "unsupported-transfer-encoding", "refuses"),
  row("an underscore in the name, which makes it another field", coding("Transfer_Encoding: chunked", ""), [""], "takes"),

  // Content-Length
  row("CL +5", length(" +5"), "bad-content-length", "refuses"),
  row("CL -5", length(" -5"), "bad-content-length", "refuses"),
  row("CL 5, 5", length(" 5, 5"), "bad-content-length", "refuses"),
  row("CL 5,6", length(" 5,6"), "bad-content-length", "refuses"),
  row("CL 0x5", length(" 0x5"), "bad-content-length", "refuses"),
  row("CL 5 with spaces around, which is allowed", length("   5  "), ["hello"], "takes"),
  row("CL 5 without a space, which is allowed", length("5"), ["hello"], "takes"),
  row("CL 005", length(" 005"), ["hello"], "takes"),
  row("CL 1 1", length(" 1 1"), "bad-content-length", "refuses"),
  row("CL 5.0", length(" 5.0"), "bad-content-length", "refuses"),
  row("CL 5e0", length(" 5e0"), "bad-content-length", "refuses"),
  row("CL empty", length(""), "bad-content-length", "refuses"),
  row("CL spaces", length("  "), "bad-content-length", "refuses"),
  row("CL 2^64", length(" 18446744073709551616"), "bad-content-length", "refuses"),
  row("CL 2^53", length(" 9007199254740992"), "bad-content-length", "waits"),
  row("CL twice", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), "content-length-repeated", "refuses"),
  row("CL twice, different", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), "content-length-repeated", "refuses"),
  row("CL short of the body", length(" 4") + NEXT, "unknown-method", "refuses"),
  row("CL beyond the body", length(" 6"), "more", "waits"),
  row("CL listed in Connection", post("Connection: content-length\r\nContent-Length: 5\r\n", "hello"), ["hello"], "takes"),

  // lines and fields
  row("a folded field", get(`${HOST}A: b\r\n c\r\n`), "folded-line", "refuses"),
  row("a folded first field", get(` A: b\r\n${HOST}`), "folded-line", "refuses"),
  row("LF alone", `GET / HTTP/1.1\nHost: shop.example.org\n\n`, "bad-line-end", "refuses"),
  row("LF alone behind a field", `GET / HTTP/1.1\r\nHost: shop.example.org\n\r\n`, "bad-line-end", "refuses"),
  row("LF alone at the end of the head", `GET / HTTP/1.1\r\n${HOST}\n`, "bad-field-name", "refuses"),
  row("CR alone in a value", get(`${HOST}A: b\rc\r\n`), "bad-line-end", "refuses"),
  row("CR alone behind the version", `GET / HTTP/1.1\r${HOST}\r\n`, "bad-line-end", "refuses"),
  row("CR CR LF", get(`${HOST}A: b\r\r\n`), "bad-line-end", "refuses"),
  row("NUL in a value", get(`${HOST}A: b\0c\r\n`), "bad-field-value", "refuses"),
  row("NUL in a name", get(`${HOST}A\0: b\r\n`), "bad-field-name", "refuses"),
  row("DEL in a value", get(`${HOST}A: \x7f\r\n`), "bad-field-value", "refuses"),
  row("no name", get(`${HOST}: b\r\n`), "bad-field-name", "refuses"),
  row("no colon", get(`${HOST}A\r\n`), "bad-field-name", "refuses"),
  row("a byte from 0x80 in a name", get(`${HOST}\xe9: b\r\n`), "bad-field-name", "refuses"),
  row("a slash in a name", get(`${HOST}a/b: c\r\n`), "bad-field-name", "refuses"),
  row("no end", `GET / HTTP/1.1\r\n${HOST}`, "more", "waits"),
  row("LF before it", `\n${get(HOST)}`, "bad-start-line", "takes"),

  // Host
  row("no Host", get(""), "host-missing", "refuses"),
  row("two Hosts", get(`${HOST}Host: admin.example.org\r\n`), "host-repeated", "takes"),
  row("two Hosts alike", get(HOST + HOST), "host-repeated", "takes"),
  row("an empty Host", get("Host: \r\n"), "bad-host", "takes"),
  row("a Host with a path", get("Host: shop.example.org/admin\r\n"), "bad-host", "takes"),
  row("a Host with a user", get("Host: shop.example.org@admin.example.org\r\n"), "bad-host", "takes"),
  row("a list of Hosts", get("Host: shop.example.org, admin.example.org\r\n"), "bad-host", "takes"),
  row("a Host with a port that is none", get("Host: shop.example.org:80x\r\n"), "bad-host", "takes"),
  row("a Host with a port", get("Host: shop.example.org:8080\r\n"), [""], "takes"),
  row("an IPv6 Host", get("Host: [2001:db8::1]:8080\r\n"), [""], "takes"),
  row("an IPv6 Host that does not end", get("Host: [2001:db8::1\r\n"), "bad-host", "takes"),

  // targets
  row("an absolute URL", get(HOST, "GET http://shop.example.org/a HTTP/1.1"), [""], "takes"),
  row("an absolute URL with another Host", get(HOST, "GET http://admin.example.org/a HTTP/1.1"), "host-differs", "takes"),
  row("an absolute URL with another port", get(HOST, "GET http://shop.example.org:81/a HTTP/1.1"), "host-differs", "takes"),
  row("an absolute URL with a user", get(HOST, "GET http://a@shop.example.org/ HTTP/1.1"), "bad-target", "takes"),
  row("an absolute URL of another scheme", get(HOST, "GET ftp://shop.example.org/ HTTP/1.1"), "bad-target", "takes"),
  row("CONNECT", get(HOST, "CONNECT shop.example.org:443 HTTP/1.1"), "unknown-method", "refuses"),
  row("an authority without CONNECT", get(HOST, "GET shop.example.org:443 HTTP/1.1"), "bad-target", "refuses"),
  row("* with OPTIONS", get(HOST, "OPTIONS * HTTP/1.1"), [""], "takes"),
  row("* with GET", get(HOST, "GET * HTTP/1.1"), "bad-target", "takes"),
  row("a fragment", get(HOST, "GET /a#b HTTP/1.1"), "bad-target", "takes"),
  row("a byte from 0x80", get(HOST, "GET /\xe9 HTTP/1.1"), "bad-target", "refuses"),
  row("a tab behind the target", get(HOST, "GET /a\tHTTP/1.1"), "bad-target", "refuses"),
  row("NUL in the target", get(HOST, "GET /a\0 HTTP/1.1"), "bad-target", "refuses"),
  row("two spaces before the target", get(HOST, "GET  / HTTP/1.1"), "bad-target", "takes"),
  row("two spaces before the version", get(HOST, "GET /  HTTP/1.1"), "bad-start-line", "takes"),
  row("a second target", get(HOST, "GET / /admin HTTP/1.1"), "bad-start-line", "refuses"),
  row("white space behind the version", get(HOST, "GET / HTTP/1.1 "), "bad-start-line", "refuses"),
  row("a target that is too long", get(HOST, `GET /${"a".repeat(9000)} HTTP/1.1`), "target-too-long", "takes"),
  row("a field that is too long", get(`${HOST}A: ${"a".repeat(17000)}\r\n`), "head-too-large", "refuses"),
  row("too many fields", get(HOST + "A: b\r\n".repeat(100)), "too-many-fields", "takes"),

  // methods and versions
  row("a method in lower case", get(HOST, "get / HTTP/1.1"), "unknown-method", "refuses"),
  row("a method nobody knows", get(HOST, "SMUGGLE / HTTP/1.1"), "unknown-method", "refuses"),
  row("HTTP/0.9", "GET /\r\n\r\n", "bad-target", "takes"),
  row("HTTP/0.9, named", get("", "GET / HTTP/0.9"), "unsupported-version", "takes"),
  row("HTTP/1.2", get(HOST, "GET / HTTP/1.2"), "unsupported-version", "refuses"),
  row("HTTP/2.0", get(HOST, "GET / HTTP/2.0"), "unsupported-version", "takes"),
  row("HTTP/1.10", get(HOST, "GET / HTTP/1.10"), "bad-start-line", "refuses"),
  row("http/1.1", get(HOST, "GET / http/1.1"), "bad-start-line", "refuses"),
  row("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "unknown-method", "refuses"),
  row("a TLS handshake", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "bad-start-line", "refuses"),

  // chunks
  row("chunk size 0x5", chunked("0x5\r\nhello\r\n0\r\n\r\n"), "bad-chunk-size", "refuses"),
  row("chunk size with leading zeros", chunked("0005\r\nhello\r\n0\r\n\r\n"), ["hello"], "takes"),
  row("chunk size with very many zeros", chunked("00000000000000005\r\nhello\r\n0\r\n\r\n"), "bad-chunk-size", "takes"),
  row("chunk size 2^64", chunked("10000000000000000\r\nhello"), "bad-chunk-size", "refuses"),
  row("chunk size 2^53", chunked("20000000000000\r\nhello"), "bad-chunk-size", "waits"),
  row("chunk size -5", chunked("-5\r\nhello\r\n0\r\n\r\n"), "bad-chunk-size", "refuses"),
  row("chunk size +5", chunked("+5\r\nhello\r\n0\r\n\r\n"), "bad-chunk-size", "refuses"),
  row("a space before the chunk size", chunked(" 5\r\nhello\r\n0\r\n\r\n"), "bad-chunk-size", "refuses"),
  row("a space behind the chunk size", chunked("5 \r\nhello\r\n0\r\n\r\n"), "bad-chunk-size", "refuses"),
  row("no chunk size", chunked("\r\nhello\r\n0\r\n\r\n"), "bad-chunk-size", "refuses"),
  row("chunk size in upper case", chunked("A\r\nhellohello\r\n0\r\n\r\n"), ["hellohello"], "takes"),
  row("a chunk size that ends with LF", chunked("5\nhello\r\n0\r\n\r\n"), "bad-chunk-size", "refuses"),
  row("a chunk size that ends with CR", chunked("5\rhello\r\n0\r\n\r\n"), "bad-line-end", "refuses"),
  row("a chunk that ends with LF", chunked("5\r\nhello\n0\r\n\r\n"), "bad-chunk-end", "refuses"),
  row("a chunk longer than said", chunked("5\r\nhello!\r\n0\r\n\r\n"), "bad-chunk-end", "refuses"),
  row("a chunk that ends with two other bytes", chunked("5\r\nhelloXX0\r\n\r\n"), "bad-chunk-end", "refuses"),
  row("an extension", chunked('5;a=b;c="d;\\"e";f\r\nhello\r\n0\r\n\r\n'), ["hello"], "takes"),
  row("LF in an extension", chunked("5;a\nb\r\nhello\r\n0\r\n\r\n"), "bad-chunk-extension", "refuses"),
  row("LF in a quoted extension", chunked('5;a="\n"\r\nhello\r\n0\r\n\r\n'), "bad-chunk-extension", "refuses"),
  row("CR in an extension", chunked("5;a\rX\r\nhello\r\n0\r\n\r\n"), "bad-line-end", "refuses"),
  row("an extension without a name", chunked("5;\r\nhello\r\n0\r\n\r\n"), "bad-chunk-extension", "refuses"),
  row("a space in an extension", chunked("5; a\r\nhello\r\n0\r\n\r\n"), "bad-chunk-extension", "refuses"),
  row("an extension that is too long", chunked(`5;${"a".repeat(5000)}\r\nhello\r\n0\r\n\r\n`), "chunk-extensions-too-long", "takes"),
  row("no last chunk", chunked("5\r\nhello\r\n"), "more", "waits"),
  row("no last CR LF", chunked("5\r\nhello\r\n0\r\n"), "more", "waits"),
  row("a last CR without LF", chunked("0\r\n\rX"), "bad-line-end", "refuses"),
  row("a last LF without CR", chunked("0\r\n\n"), "bad-field-name", "refuses"),
  row("a trailer", chunked("0\r\nA: b\r\n\r\n"), [""], "takes"),
  row("Content-Length among the trailers", chunked("0\r\nContent-Length: 5\r\n\r\nhello"), "bad-trailer", "refuses"),
  row("Transfer-Encoding among the trailers", chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n"), "bad-trailer", "refuses"),
  row("Host among the trailers", chunked("0\r\nHost: admin.example.org\r\n\r\n"), "bad-trailer", "takes"),
  row("Connection among the trailers", chunked("0\r\nConnection: close\r\n\r\n") + NEXT, "bad-trailer", "refuses"),
  row("a folded trailer", chunked("0\r\nA: b\r\n c\r\n\r\n"), "bad-field-name", "refuses"),
  row("NUL in a trailer", chunked("0\r\nA: \0\r\n\r\n"), "bad-field-value", "refuses"),
  row("trailers that are too large", chunked(`0\r\nA: ${"a".repeat(9000)}\r\n\r\n`), "trailers-too-large", "takes"),

  // connections
  row("a request behind Connection: close", get(`${HOST}Connection: close\r\n`) + NEXT, [""], "refuses"),
  row("a request behind HTTP/1.0", get(HOST, "GET / HTTP/1.0") + NEXT, [""], "refuses"),
  row("a second request that is none", `${get(HOST)}GARBAGE\r\n\r\n`, "bad-start-line", "refuses"),
  row("an expectation nobody knows", post("Expect: 200-ok\r\nContent-Length: 5\r\n", "hello"), "unsupported-expectation", "refuses"),
];
