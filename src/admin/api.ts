/** The paths of the HTTP API, on any listener: what each returns is said by its schema. */
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import type { ZonePlans } from "../../dns-providers/zone-plan.ts";
import type { EngineView } from "../engine/view.ts";
import { parsePrefix } from "../model/ip.ts";
import { CONTENT_TYPES, negotiateFormat } from "../observe/exposition.ts";
import type { Metrics } from "../observe/metrics.ts";
import { ApiError } from "./api-error.ts";
import { streamEvents } from "./event-stream.ts";
import { errors, operation, parameters, plain, ref, text, WHOLE_NUMBER } from "./operation.ts";
import type { PlanDesk } from "./plan-desk.ts";
import { plansToApplySchema } from "./plan-schemas.ts";
import { requireToken } from "./require-token.ts";

export interface ApiContext {
  readonly view: EngineView;
  readonly plans: PlanDesk;
  readonly metrics: Pick<Metrics, "exposeParts">;
  /** True from the moment that shutdown began: readiness is lost first, so that balancers turn away before anything else stops. */
  readonly stopping: () => boolean;
}

export interface StreamContext {
  /** A repeating timer; returns its end. */
  readonly every: (milliseconds: number, tick: () => void) => () => void;
  /** Ends of the open streams. */
  readonly open: Set<() => void>;
}

const MAX_STREAMS = 64;
/** Of a request with plans, bytes: some ten thousand changes. */
const MAX_PLANS = 32 << 20;
const MAX_ZONES = 100;

/** What a load balancer, an orchestrator and Prometheus ask; nothing here tells about clients or configuration. */
export function registerProbesAndMetrics(app: FastifyInstance, { view, metrics, stopping }: ApiContext): void {
  app.get("/healthz", operation("operations", "200 while the process can answer", { 200: ref("Alive") }), () => ({ status: "ok" }));
  app.get(
    "/readyz",
    operation("operations", "200 while any table can be served, however stale; 503 before the first one and once shutdown began", {
      200: ref("Readiness"),
      503: ref("Readiness"),
    }),
    (_request, reply) => {
      const { ready, degraded } = view.readiness();
      const answer = { ready: ready && !stopping(), degraded };
      return reply.code(answer.ready ? 200 : 503).send(answer);
    },
  );
  app.get(
    "/metrics",
    operation("operations", "Metrics in the Prometheus text format, or as OpenMetrics with exemplars where Accept asks for it", {
      200: {
        description: "Exposition format 0.0.4, or OpenMetrics 1.0.0",
        content: { "text/plain": { schema: { type: "string" } }, "application/openmetrics-text": { schema: { type: "string" } } },
      },
    }),
    async ({ headers }, reply) => {
      const format = negotiateFormat(headers.accept);
      const { length, parts } = await metrics.exposeParts(format);
      const head = { "content-type": CONTENT_TYPES[format], "content-length": length, vary: "accept" };
      return reply.headers(head).send(Readable.from(parts, { objectMode: false }));
    },
  );
}

/** Everything that can be read, and the stream. */
export function registerReads(app: FastifyInstance, { view, plans }: ApiContext, streams: StreamContext): void {
  app.get("/v1/status", operation("state", "Clusters, routes, table, configuration and overrides", { 200: ref("Status") }), () =>
    view.status(),
  );
  app.get(
    "/v1/routes",
    operation("state", "All routes: backends, who is served where, the last failover", { 200: ref("RouteList") }),
    () => ({
      routes: view.status().routes,
    }),
  );
  app.get<{ Params: { namespace: string; name: string } }>(
    "/v1/routes/:namespace/:name",
    operation(
      "state",
      "One route",
      { 200: ref("Route"), ...errors(400, 404) },
      { params: parameters({ namespace: text(63), name: text(253) }) },
    ),
    ({ params }) => {
      const route = view.status().routes.find((one) => one.namespace === params.namespace && one.name === params.name);
      if (route === undefined) throw new ApiError("no-route", `There is no GlobalRoute ${params.namespace}/${params.name}.`);
      return route;
    },
  );
  app.get("/v1/clusters", operation("state", "All member clusters with their health", { 200: ref("ClusterList") }), () => ({
    clusters: view.status(false).clusters,
  }));
  app.get<{ Querystring: { host: string; client: string; family: "A" | "AAAA" } }>(
    "/v1/explain",
    operation(
      "state",
      "What a client is answered, and why",
      { 200: ref("Explanation"), ...errors(400, 404) },
      { querystring: EXPLAIN_QUERY },
    ),
    ({ query: { host, client, family } }) => {
      if (parsePrefix(client) === undefined)
        throw new ApiError("bad-request", `client: ${JSON.stringify(client)} is neither an address nor a network.`);
      const answer = view.explain(host, client, family);
      if (!answer.ok) throw new ApiError("no-route", answer.error);
      return answer.explanation;
    },
  );
  app.get<{ Querystring: { zone: readonly string[] } }>(
    "/v1/plan",
    {
      ...operation(
        "state",
        "What would change in zones that are kept elsewhere, listed anew; one at a time, within a minute",
        { 200: ref("Plans"), ...errors(400, 404, 503) },
        { querystring: PLAN_QUERY },
      ),
      exposeHeadRoute: false, // a HEAD would list zones for nobody
    },
    ({ query: { zone } }) => plans.plan(zone),
  );
  app.get<{ Querystring: { after: number; limit: number } }>(
    "/v1/timeline",
    operation("state", "What happened, oldest first", { 200: ref("Timeline"), ...errors(400) }, { querystring: TIMELINE_QUERY }),
    ({ query: { after, limit } }) => ({ events: view.timeline.list(after).slice(0, limit), newest: view.timeline.list().at(-1)?.id ?? 0 }),
  );
  app.get<{ Querystring: { after?: number }; Headers: { "last-event-id"?: number } }>(
    "/v1/stream",
    {
      ...operation(
        "state",
        "The timeline as server-sent events, from now on or from behind the id given",
        {
          200: plain(
            "text/event-stream",
            "Each with id, kind and the JSON of an Event; `gap` where events are no longer kept; `map` when there is another frame of the map",
          ),
          ...errors(400, 503),
        },
        STREAM_INPUT,
      ),
      exposeHeadRoute: false, // a HEAD would open a stream that nobody can read
    },
    ({ headers, query }, reply) => openStream(view, headers["last-event-id"] ?? query.after, reply, streams),
  );
}

/** What changes state; each needs the token. */
export function registerActs(app: FastifyInstance, { view, plans }: ApiContext, token: string): void {
  const onRequest = requireToken(token);
  app.post(
    "/v1/confirm",
    {
      ...operation(
        "acts",
        "Accepts inputs that the guard holds back",
        { 200: ref("Confirmed"), ...errors(400, 401) },
        { security: [{ adminToken: [] }] },
      ),
      onRequest,
    },
    () => ({ accepted: view.confirm() }),
  );
  app.post<{ Body: Pick<ZonePlans, "zones"> }>(
    "/v1/plan/apply",
    {
      ...operation(
        "acts",
        "Carries out plans that `/v1/plan` gave, each if it is still all that would change in its zone",
        { 200: ref("AppliedPlans"), ...errors(400, 401, 409, 503) },
        { security: [{ adminToken: [] }], body: ref("PlansToApply") },
      ),
      onRequest,
      bodyLimit: MAX_PLANS,
      // By the schema that wrote it: a validator that mends what it gets would make another plan of it.
      validatorCompiler: () => (body: unknown) => {
        const result = plansToApplySchema.safeParse(body);
        return result.success ? { value: result.data } : { error: new Error(`The body is no plan: ${z.prettifyError(result.error)}`) };
      },
    },
    ({ body }) => plans.apply(body.zones),
  );
}

function openStream(view: EngineView, after: number | undefined, reply: FastifyReply, { every, open }: StreamContext): void {
  if (open.size >= MAX_STREAMS) throw new ApiError("too-many-streams", `${MAX_STREAMS} streams are open, as many as are allowed.`);
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
  const sink = { write: (chunk: string) => void raw.write(chunk), buffered: () => raw.writableLength, cut: () => void raw.destroy() };
  const stop = streamEvents(view, after, sink, every);
  const end = () => {
    stop();
    open.delete(end);
    raw.end();
  };
  open.add(end);
  raw.on("close", end);
}

const eventId = WHOLE_NUMBER;

const EXPLAIN_QUERY = parameters(
  {
    host: { ...text(254), description: "Host name of a route" },
    client: { ...text(64), description: "Address or network of the client: `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/56`" },
    family: { type: "string", enum: ["A", "AAAA"], default: "A", description: "Query type" },
  },
  ["host", "client"],
);
const PLAN_QUERY = parameters({
  zone: {
    type: "array",
    items: text(253),
    maxItems: MAX_ZONES,
    default: [],
    description: "Name or domain of a DNSZone; may be given several times; none = all",
  },
});
const TIMELINE_QUERY = parameters({
  after: { ...eventId, default: 0, description: "Only events with a higher id" },
  limit: { type: "integer", minimum: 1, maximum: 1000, default: 1000, description: "At most so many, the oldest of them" },
});
const STREAM_INPUT = {
  querystring: parameters({ after: { ...eventId, description: "Id of the last event seen; `Last-Event-ID` goes before it" } }),
  headers: { type: "object", properties: { "last-event-id": { ...eventId, description: "Sent by browsers when they come back" } } },
};
