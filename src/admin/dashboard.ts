/**
 * The dashboard's files, as they were built: read once into memory and found there by name, so that no path of a request ever reaches the
 * file system.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

export interface DashboardFile {
  readonly bytes: Buffer;
  /** Absent where it would not be shorter. */
  readonly gzip?: Buffer;
  readonly type: string;
  readonly etag: string;
}

export interface Dashboard {
  /** URL path → file; `/` is the page. Empty while nothing is built. */
  readonly files: () => ReadonlyMap<string, DashboardFile>;
  /** Why there is none, and what to do, in a sentence each. */
  readonly missing: () => { readonly fact: string; readonly remedy: string };
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
};

/** Everything comes from this server, and nobody may frame it: a page that drains clusters is worth clickjacking. */
const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
} as const;

/** Names below `/assets/` hold a hash of their contents. */
const FOR_EVER = "public, max-age=31536000, immutable";

/** @returns the files of a built dashboard by URL path; empty when there is none */
export function readDashboard(folder: string): ReadonlyMap<string, DashboardFile> {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
    const files = names.flatMap((name): [string, DashboardFile][] => {
      const type = TYPES[extname(name)];
      return type === undefined ? [] : [[name === "index.html" ? "/" : `/${name}`, toFile(readFileSync(join(folder, name)), type)]];
    });
    return files.some(([path]) => path === "/") ? new Map(files) : new Map();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return new Map();
    throw error;
  }
}

function toFile(bytes: Buffer, type: string): DashboardFile {
  const gzip = gzipSync(bytes, { level: 9 });
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  return { bytes, type, etag, ...(gzip.length < bytes.length ? { gzip } : {}) };
}

export function registerDashboard(app: FastifyInstance, dashboard: Dashboard): void {
  const hidden = { schema: { hide: true } };
  app.get("/", hidden, (request, reply) => {
    reply.headers(PAGE_HEADERS);
    const page = dashboard.files().get("/");
    return page === undefined ? sendMissing(dashboard.missing(), reply) : send(page, "no-cache", request, reply);
  });
  app.get<{ Params: { file: string } }>("/assets/:file", hidden, (request, reply) => {
    const file = dashboard.files().get(`/assets/${request.params.file}`);
    return file === undefined ? reply.callNotFound() : send(file, FOR_EVER, request, reply);
  });
  app.get("/favicon.svg", hidden, (request, reply) => {
    const file = dashboard.files().get("/favicon.svg");
    return file === undefined ? reply.callNotFound() : send(file, "no-cache", request, reply);
  });
}

function send(file: DashboardFile, caching: string, { headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers({ ...PAGE_HEADERS, "cache-control": caching, etag: file.etag, vary: "accept-encoding" }).type(file.type);
  if (isKnown(headers["if-none-match"], file.etag)) return reply.code(304).send();
  if (file.gzip === undefined || !/\bgzip\b(?!\s*;\s*q=0(?:\.0+)?\s*(?:,|$))/i.test(String(headers["accept-encoding"] ?? "")))
    return reply.send(file.bytes);
  return reply.header("content-encoding", "gzip").send(file.gzip);
}

/** RFC 9110 §13.1.2: a list, `*`, or weak ones. */
const isKnown = (header: string | undefined, etag: string): boolean =>
  header?.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === etag) ?? false;

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** Without styles or scripts: there is nothing that could serve them. */
function sendMissing({ fact, remedy }: { readonly fact: string; readonly remedy: string }, reply: FastifyReply): FastifyReply {
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>GlobalRoute: no dashboard</title></head>
<body><main><h1>The dashboard is not here</h1><p>${escapeHtml(fact)}</p><p>${escapeHtml(remedy)}</p>
<p>DNS answers and the <a href="/v1/status">API</a> do not need it.</p></main></body></html>\n`;
  return reply.code(503).headers({ "retry-after": "3", refresh: "3" }).type(TYPES[".html"]!).send(page);
}
