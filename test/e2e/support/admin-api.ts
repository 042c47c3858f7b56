/** Bare requests, a cluster-admin's or a ServiceAccount's: what tests set up and look at, by code that the controller does not use. */
import { readFileSync } from "node:fs";
import { Agent, request } from "undici";
import type { KubeObject } from "../../../controller/kube/kube-object.ts";
import type { Credential } from "./pki.ts";

export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON, or the text where it is none. */
  readonly body: unknown;
}

export interface AdminApi {
  /** Any status is an answer. @throws when none came */
  readonly request: (method: Method, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<ApiAnswer>;
  /** @throws when the object is not there */
  readonly get: (path: string) => Promise<KubeObject>;
  /** Of a collection. */
  readonly list: (path: string) => Promise<readonly KubeObject[]>;
  /** `POST` to the collection. @throws when it is refused */
  readonly create: (collection: string, object: object) => Promise<KubeObject>;
  /** A JSON merge patch. @throws when it is refused */
  readonly patch: (path: string, patch: unknown) => Promise<KubeObject>;
  /** What is not there is well deleted. */
  readonly delete: (path: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

const TIMEOUT_MS = 10_000;

const read = (path: string): string => readFileSync(path, "utf8");

/** @param ca path of its certificate */
export const openAdminApi = (url: string, ca: string, { cert, key }: Credential): AdminApi =>
  openApi(url, { ca: read(ca), cert: read(cert), key: read(key) }, {});

/** The same with a token. */
export const bearerApi = (url: string, ca: string, token: string): AdminApi =>
  openApi(url, { ca: read(ca) }, { authorization: `Bearer ${token}` });

function openApi(url: string, tls: { ca: string; cert?: string; key?: string }, always: Readonly<Record<string, string>>): AdminApi {
  const dispatcher = new Agent({ allowH2: false, connect: { ...tls, timeout: 2000 } });
  const ask: AdminApi["request"] = async (method, path, body, headers = {}) => {
    const answer = await request(`${url}${path}`, {
      method,
      dispatcher,
      headers: { "content-type": "application/json", ...always, ...headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: parsed(text) };
  };
  const mustBeObject = async (
    method: Method,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<KubeObject> => {
    const answer = await ask(method, path, body, headers);
    if (answer.status >= 300 || !isObject(answer.body))
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  return {
    request: ask,
    get: (path) => mustBeObject("GET", path),
    async list(path) {
      const { items } = await mustBeObject("GET", path);
      if (!Array.isArray(items)) throw new Error(`${path} is no collection`);
      return items;
    },
    create: (collection, object) => mustBeObject("POST", collection, object),
    patch: (path, patch) => mustBeObject("PATCH", path, patch, { "content-type": "application/merge-patch+json" }),
    async delete(path) {
      const { status, body } = await ask("DELETE", path);
      if (status >= 300 && status !== 404) throw new Error(`DELETE ${path}: ${status} ${JSON.stringify(body)}`);
    },
    close: () => dispatcher.destroy(),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const isObject = (value: unknown): value is KubeObject =>
  typeof value === "object" && value !== null && "kind" in value && "metadata" in value;
