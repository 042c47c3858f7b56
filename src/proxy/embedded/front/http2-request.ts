/**
 * A request of HTTP/2 (RFC 9113 §8.3) as the bytes of HTTP/1.1 that mean the same, for the one way that all requests go.
 *
 * HTTP/2 carries names and values by length, HTTP/1.1 ends them with characters: whatever would be read otherwise there is refused, not mended.
 * The rest is left to the strict parser, which reads the bytes as if a client had sent them.
 */
import { FIELD_VALUE, isOws, TARGET, TOKEN } from "../http1/characters.ts";

/** How the body goes on: not at all, as so many bytes, or in chunks because nobody has said how many there are. */
export type Http2Body = { readonly kind: "none" } | { readonly kind: "length"; readonly length: number } | { readonly kind: "chunked" };

export type Http2Request =
  | { readonly kind: "request"; readonly head: string; readonly isHead: boolean; readonly body: Http2Body }
  /** For people, one sentence. */
  | { readonly kind: "refused"; readonly status: 400 | 501; readonly text: string };

const refuse = (text: string, status: 400 | 501 = 400): Http2Request => ({ kind: "refused", status, text });

const PSEUDO = [":method", ":scheme", ":path", ":authority"] as const;
type Pseudo = (typeof PSEUDO)[number];

/** Of one connection of HTTP/1.1, and nothing that may be said in HTTP/2 (RFC 9113 §8.2.2). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set(["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"]);

/**
 * @param fields    names and values by turns, in their order, a character a byte
 * @param endsHere  no body follows
 */
export function formatHttp2Request(fields: readonly string[], endsHere: boolean): Http2Request {
  const pseudo = new Map<Pseudo, string>();
  const cookies: string[] = [];
  let lines = "";
  let host: string | undefined;
  let length: number | undefined;
  let hasFields = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    if (name.startsWith(":")) {
      const known = PSEUDO.find((one) => one === name);
      if (known === undefined || hasFields || pseudo.has(known)) return refuse(`The field ${printable(name)} is not allowed here.`);
      pseudo.set(known, value);
      continue;
    }
    hasFields = true;
    if (!isName(name)) return refuse("A field's name holds a capital letter or a character that is not allowed.");
    if (!isValue(value)) return refuse(`The value of the field ${name} holds a character that is not allowed.`);
    if (CONNECTION_FIELDS.has(name)) return refuse(`HTTP/2 does not have the field ${name}.`);
    if (name === "te" && value !== "trailers") return refuse("HTTP/2 has te with the value trailers only.");
    if (name === "host") {
      if (host !== undefined) return refuse("There is more than one host field.");
      host = value;
    } else if (name === "content-length") {
      if (length !== undefined || !/^\d{1,15}$/.test(value)) return refuse("The length of the body is not one number.");
      length = Number(value);
    } else if (name === "cookie") {
      if (value !== "") cookies.push(value); // an empty crumb would end the line with a space
    } else {
      lines += `${name}: ${value}\r\n`;
    }
  }
  const [method, path, scheme] = [pseudo.get(":method"), pseudo.get(":path"), pseudo.get(":scheme")];
  if (method === undefined || !isToken(method)) return refuse("The method is missing, or none.");
  if (method === "CONNECT") return refuse("The method is not one that this server passes on.", 501);
  if (path === undefined || !isPath(path, method)) return refuse("The path is missing, or does not begin with a slash.");
  if (scheme !== "https" && scheme !== "http") return refuse("The scheme is missing, or neither https nor http.");
  const authority = pseudo.get(":authority");
  if (authority !== undefined && !isValue(authority)) return refuse("The authority holds a character that is not allowed.");
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase())
    return refuse("The authority and the field host name different hosts.");
  const named = authority ?? host;
  if (named === undefined) return refuse("There is neither an authority nor a field host.");
  if (endsHere && length !== undefined && length > 0) return refuse("The body is shorter than its length says.");
  const isChunked = !endsHere && length === undefined;
  if (length !== undefined) lines += `Content-Length: ${length}\r\n`;
  if (isChunked) lines += "Transfer-Encoding: chunked\r\n";
  if (cookies.length > 0) lines += `cookie: ${cookies.join("; ")}\r\n`; // RFC 9113 §8.2.3
  return {
    kind: "request",
    head: `${method} ${path} HTTP/1.1\r\nHost: ${named}\r\n${lines}\r\n`,
    isHead: method === "HEAD",
    body: isChunked ? { kind: "chunked" } : length === undefined || length === 0 ? { kind: "none" } : { kind: "length", length },
  };
}

/** Not URLs: a proxy's request line would say another host than the authority. */
const isPath = (path: string, method: string): boolean =>
  (path.startsWith("/") && isAll(path, TARGET)) || (path === "*" && method === "OPTIONS");

const isToken = (text: string): boolean => text !== "" && isAll(text, TOKEN);
const isName = (name: string): boolean => isToken(name) && name === name.toLowerCase();
const isValue = (value: string): boolean =>
  isAll(value, FIELD_VALUE) && !isOws(value.charCodeAt(0)) && !isOws(value.charCodeAt(value.length - 1));

function isAll(text: string, table: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (table[text.charCodeAt(i)] !== 1) return false;
  return true;
}

const printable = (name: string): string => (/^[:\w-]{1,40}$/.test(name) ? name : "that begins with a colon");
