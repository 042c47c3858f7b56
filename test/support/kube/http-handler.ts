/** HTTP to and from the fake: who asks, what may go wrong by a test's wish, what is asked, and what is written down of it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { parse as parseYaml } from "yaml";
import type { User } from "./access.ts";
import { discover, openApi } from "./discovery.ts";
import type { Faults } from "./faults.ts";
import { type Json, type JsonObject, objectAt, textAt, toJson } from "./json.ts";
import { handleResource } from "./resource-handler.ts";
import { type Answer, PAGE_NOT_FOUND, type ResourceWorld } from "./resource-request.ts";
import { parseRoute, type Route, verbOf } from "./route.ts";
import { badRequest, forbidden, StatusError } from "./status-error.ts";
import type { Watches } from "./watch.ts";

/** One request, as an audit log has it. */
export interface RequestRecord {
  /** Milliseconds since the epoch, when it came. */
  readonly time: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly verb: string;
  readonly user: string;
  readonly userAgent: string;
  /** 0 when no answer was given. */
  readonly status: number;
  /** Of a write. */
  readonly body?: JsonObject;
}

export interface HttpWorld extends ResourceWorld {
  readonly faults: Faults;
  readonly watches: Watches;
  readonly record: (record: RequestRecord) => void;
}

/** Most that a request may carry (bytes), as kube-apiserver has it. */
const BODY_LIMIT = 3_145_728;

/** Answers one request; never throws. */
export async function handleHttp(world: HttpWorld, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "GET", url = "/" } = request;
  const { pathname, searchParams } = new URL(url, "http://localhost");
  const route = parseRoute(pathname);
  const verb = route === undefined ? method.toLowerCase() : verbOf(method, route, searchParams);
  const asked = { method, path: url, verb };
  const time = world.now();
  let user = "";
  let body: Json = null;
  const note = (status: number): void => {
    const userAgent = request.headers["user-agent"] ?? "";
    const written = isWrite(method) && typeof body === "object" && body !== null && !Array.isArray(body);
    world.record({ time, ...asked, user, userAgent, status, ...(written ? { body: objectAt({ body }, "body") } : {}) });
  };
  try {
    const bytes = await readBody(request);
    const fate = world.faults.fateOf(asked);
    if (fate.drop) {
      note(0);
      response.destroy();
      return;
    }
    if (fate.hang) await world.faults.untilReleased(asked);
    if (fate.delay > 0) await new Promise((resolve) => setTimeout(resolve, fate.delay));
    if (fate.retryAfter !== undefined) response.setHeader("retry-after", `${fate.retryAfter}`);
    if (fate.refusal !== undefined) throw fate.refusal;
    if (bytes === undefined) throw new StatusError(413, `Request entity too large: limit is ${BODY_LIMIT}`);
    const who = world.access.authenticate(request.headers.authorization);
    if (who === undefined) throw new StatusError(401, "Unauthorized");
    user = who.name;
    const kind = route === undefined ? undefined : world.registry.find(route.group, route.version, route.plural);
    if (route !== undefined) permit(world, who, verb, route);
    const contentType = (request.headers["content-type"] ?? "application/json").split(";")[0] ?? "";
    if (contentType === PROTOBUF) throw new StatusError(415, `the fake API server reads JSON and YAML, not ${PROTOBUF}`);
    if (route === undefined || kind === undefined) {
      body = bytes === "" ? null : readJson(bytes, "");
      respond(response, plainAnswer(world, who, method, pathname, body), note);
      return;
    }
    body = bytes === "" ? null : contentType.endsWith("yaml") ? readYaml(bytes) : readJson(bytes, kind.kind);
    const answer = handleResource(world, {
      route,
      kind,
      verb,
      query: searchParams,
      user: who,
      userAgent: request.headers["user-agent"] ?? "",
      contentType,
      wantsTable: (request.headers.accept ?? "").split(",")[0]?.includes("as=Table") === true,
      body,
    });
    if ("code" in answer) {
      respond(response, answer, note);
    } else {
      world.watches.serve(answer, response);
      note(200);
    }
  } catch (error) {
    if (response.headersSent || response.destroyed) return;
    const told = error instanceof StatusError ? error : new StatusError(500, `the fake API server failed: ${String(error)}`);
    const wait = objectAt(told.body, "details").retryAfterSeconds;
    if (typeof wait === "number") response.setHeader("retry-after", `${wait}`);
    const answer = told.message === PAGE_NOT_FOUND ? { plain: `${PAGE_NOT_FOUND}\n` } : told.body;
    respond(response, { code: told.code, body: answer }, note);
  }
}

const PROTOBUF = "application/vnd.kubernetes.protobuf";

const isWrite = (method: string): boolean => method !== "GET";

/** @returns undefined when it is too long */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= BODY_LIMIT) chunks.push(chunk);
  }
  return length > BODY_LIMIT ? undefined : Buffer.concat(chunks).toString();
}

function readJson(text: string, kind: string): Json {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = `json parse error: ${error instanceof Error ? error.message : ""}`;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; ${why}`);
  }
}

function readYaml(text: string): Json {
  try {
    return toJson(parseYaml(text));
  } catch (error) {
    throw badRequest(`error decoding YAML: ${error instanceof Error ? error.message : ""}`);
  }
}

function respond(response: ServerResponse, { code, body, warnings = [] }: Answer, note: (status: number) => void): void {
  note(code);
  const isPlain = typeof body.plain === "string";
  const headers: Record<string, string | string[]> = { "content-type": isPlain ? "text/plain" : "application/json" };
  if (warnings.length > 0) headers.warning = warnings.map((text) => `299 - ${JSON.stringify(text)}`);
  response.writeHead(code, headers);
  response.end(isPlain ? body.plain : JSON.stringify(body));
}

function permit(world: HttpWorld, user: User, verb: string, route: Route): void {
  const { group, plural, namespace, name = "", subresource } = route;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  const attributes = { verb, group, resource, name, ...(namespace === undefined ? {} : { namespace }) };
  if (SELF_REVIEWS.has(plural) || world.access.mayAccess(user, attributes)) return;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const why = `User "${user.name}" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`;
  throw forbidden({ group, kind: plural, plural }, name, why);
}

const SELF_REVIEWS: ReadonlySet<string> = new Set(["selfsubjectaccessreviews", "selfsubjectreviews"]);

/** What is no object: health, discovery, and questions about oneself. */
function plainAnswer(world: HttpWorld, user: User, method: string, path: string, body: Json): Answer {
  if (method === "POST" && path.startsWith("/apis/auth")) return review(world, user, path, body);
  if (parseRoute(path) === undefined && !world.access.mayRead(user, path)) {
    throw new StatusError(403, `forbidden: User "${user.name}" cannot get path "${path}"`, { details: {} });
  }
  if (/^\/(healthz|livez|readyz)$/.test(path)) return { code: 200, body: { plain: "ok" } };
  const found = discover(path.replace(/\/$/, ""), world.registry) ?? openApi(path, world.registry);
  if (found === undefined) throw new StatusError(404, PAGE_NOT_FOUND);
  return { code: 200, body: found };
}

function review(world: HttpWorld, user: User, path: string, body: Json): Answer {
  if (path.endsWith("/selfsubjectreviews")) {
    const userInfo = { username: user.name, groups: user.groups };
    return { code: 201, body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview", metadata: {}, status: { userInfo } } };
  }
  const asked = objectAt(body, "spec", "resourceAttributes");
  const subresource = textAt(asked, "subresource");
  const namespace = textAt(asked, "namespace");
  const allowed = world.access.mayAccess(user, {
    verb: textAt(asked, "verb"),
    group: textAt(asked, "group"),
    resource: subresource === "" ? textAt(asked, "resource") : `${textAt(asked, "resource")}/${subresource}`,
    name: textAt(asked, "name"),
    ...(namespace === "" ? {} : { namespace }),
  });
  return { code: 201, body: { ...objectAt({ body }, "body"), status: { allowed } } };
}
