/**
 * The HTTP server: probes, metrics and the API on one listener; with `metricsListen` probes and metrics on a second one too, which may
 * face the cluster's network while the API stays on loopback.
 */
import swagger from "@fastify/swagger";
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from "fastify";
import type { FastifySchemaValidationError } from "fastify/types/schema.js";
import type { EngineView } from "../engine/view.ts";
import { type ListenAddress, ListenError } from "../model/listen-address.ts";
import type { DrillReport } from "../observe/drill-report.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import { type ActDesk, NO_ACTS } from "./act-desk.ts";
import { registerActs, registerProbesAndMetrics, registerReads } from "./api.ts";
import { ApiError, errorBody } from "./api-error.ts";
import { apiJsonSchemas } from "./api-schemas.ts";
import { type Dashboard, registerDashboard } from "./dashboard.ts";
import { registerDrains } from "./drain-api.ts";
import { registerDrillReads } from "./drill-api.ts";
import { isHostAllowed } from "./host-guard.ts";
import { registerMapReads } from "./map-api.ts";
import { NOTHING_TO_PLAN, type PlanDesk } from "./plan-desk.ts";
import type { Region } from "./world-map.ts";

export interface AdminServerOptions {
  readonly view: EngineView;
  /** Absent: no zone is kept elsewhere. */
  readonly plans?: PlanDesk;
  /** Absent: acts are carried out elsewhere. */
  readonly acts?: ActDesk;
  /** Drills that run and recent ones, newest first; absent: none. */
  readonly drills?: () => readonly DrillReport[];
  /** Countries as the map draws them; absent: none. */
  readonly regions?: readonly Region[];
  /** Cluster → answers per second; absent: none are counted. */
  readonly load?: () => ReadonlyMap<string, number>;
  /** What is at `/`; absent: nothing. */
  readonly dashboard?: Dashboard;
  readonly metrics: Pick<Metrics, "exposeParts">;
  readonly listen: ListenAddress;
  /** The option that moves it, for messages. */
  readonly flag: string;
  readonly metricsListen?: ListenAddress;
  readonly token: string;
  /** Of the program; stands in the OpenAPI document. */
  readonly version: string;
  readonly log: Pick<Log, "error">;
  /** A repeating timer; returns its end. */
  readonly every: (milliseconds: number, tick: () => void) => () => void;
}

export interface AdminServer {
  /** @throws ListenError; nothing is left open then */
  readonly start: () => Promise<void>;
  /** Where it listens, real ports; after `start`. */
  readonly address: () => ListenAddress;
  readonly metricsAddress: () => ListenAddress | undefined;
  /** Makes `/readyz` say 503 from now on, while everything else goes on. */
  readonly shutdownBegan: () => void;
  /** Ends streams and open connections. */
  readonly stop: () => Promise<void>;
}

export async function createAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  let stopping = false;
  const context = { view: options.view, plans: options.plans ?? NOTHING_TO_PLAN, metrics: options.metrics, stopping: () => stopping };
  const acts = options.acts ?? NO_ACTS;
  const streams = { every: options.every, open: new Set<() => void>() };

  const admin = newApp(options.listen, options.log);
  await admin.register(swagger, openApi(options.version));
  for (const schema of apiJsonSchemas()) admin.addSchema(schema);
  admin.after(() => {
    registerProbesAndMetrics(admin, context);
    registerReads(admin, context, streams);
    registerMapReads(admin, {
      view: options.view,
      acts,
      regions: options.regions ?? [],
      load: options.load ?? (() => new Map()),
      version: options.version,
    });
    registerDrillReads(admin, options.drills ?? (() => []));
    registerActs(admin, context, options.token);
    registerDrains(admin, acts, options.token);
    if (options.dashboard !== undefined) registerDashboard(admin, options.dashboard);
    admin.get(
      "/openapi.json",
      { schema: { summary: "This document", tags: ["operations"], response: { 200: { type: "object", additionalProperties: true } } } },
      () => admin.swagger(),
    );
  });
  await admin.ready();

  let metrics: FastifyInstance | undefined;
  if (options.metricsListen !== undefined) {
    metrics = newApp(options.metricsListen, options.log);
    for (const schema of apiJsonSchemas()) metrics.addSchema(schema);
    registerProbesAndMetrics(metrics, context);
    await metrics.ready();
  }

  const stop = async () => {
    stopping = true;
    for (const end of streams.open) end();
    await Promise.all([admin.close(), metrics?.close()]);
  };
  return {
    start: async () => {
      try {
        await listen(admin, "admin API", options.listen, options.flag);
        if (metrics !== undefined && options.metricsListen !== undefined)
          await listen(metrics, "metrics", options.metricsListen, "--metrics");
      } catch (error) {
        await stop();
        throw error;
      }
    },
    address: () => boundAddress(admin),
    metricsAddress: () => (metrics === undefined ? undefined : boundAddress(metrics)),
    shutdownBegan: () => {
      stopping = true;
    },
    stop,
  };
}

function newApp({ address }: ListenAddress, log: Pick<Log, "error">): FastifyInstance {
  const paths = new Set<string>();
  const app = fastify({
    logger: false,
    bodyLimit: 64 * 1024,
    requestTimeout: 10_000, // of the request's own bytes; answers may take as long as a stream lives
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 253, ignoreTrailingSlash: true },
    ajv: { customOptions: { removeAdditional: false } },
    schemaErrorFormatter: (errors) => new Error(describeInvalid(errors)),
    // What the router itself refuses never reaches the error handler, so that it would come in Fastify's own form.
    frameworkErrors: (error, _request, reply: FastifyReply) =>
      reply.code(400).send(errorBody("bad-request", `${error.message.replace(/^'.*' /s, "The path ")}.`)),
  });
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer)); // fast-json-stringify would silently leave out what a schema forgot
  app.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) if (one !== "HEAD") paths.add(`${one} ${url}`);
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ "cache-control": "no-store", "x-content-type-options": "nosniff" });
    if (!isHostAllowed(request.headers.host, address)) {
      throw new ApiError(
        "host-refused",
        `This listener is on loopback and does not answer for ${JSON.stringify(request.headers.host ?? "no host")}.`,
      );
    }
  });
  app.setNotFoundHandler((request, reply) => {
    const known = [...paths].sort((a, b) => a.localeCompare(b)).join(", ");
    return reply.code(404).send(errorBody("not-found", `There is no ${request.method} ${request.url.slice(0, 200)}. There are: ${known}.`));
  });
  app.setErrorHandler<FastifyError | ApiError>((error, _request, reply) => {
    if (error instanceof ApiError) return reply.code(error.status).send(errorBody(error.code, error.message));
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(400).send(errorBody("bad-request", `${error.message}.`));
    log.error({ err: error }, "admin API: a request failed");
    return reply.code(500).send(errorBody("internal", "The request failed."));
  });
  return app;
}

/** The first thing wrong with the parameters of a request, by the parameter's own name. */
function describeInvalid([first]: readonly FastifySchemaValidationError[]): string {
  if (first === undefined) return "A parameter is invalid";
  const { params, instancePath, message } = first;
  if (first.keyword === "additionalProperties") return `There is no parameter ${JSON.stringify(params.additionalProperty)}`;
  if (first.keyword === "required") return `The parameter ${JSON.stringify(params.missingProperty)} is missing`;
  const name = JSON.stringify(instancePath.replace(/^\//, ""));
  if (Array.isArray(params.allowedValues)) return `The parameter ${name} must be one of ${params.allowedValues.join(", ")}`;
  return `The parameter ${name} ${(message ?? "is invalid").replace("must NOT", "must not").replace(" 1 characters", " 1 character")}`;
}

async function listen(app: FastifyInstance, what: string, { address, port }: ListenAddress, flag: string): Promise<void> {
  await app.listen({ host: address, port }).catch((cause: unknown) => {
    throw new ListenError(what, { address, port }, flag, cause);
  });
}

function boundAddress(app: FastifyInstance): ListenAddress {
  const bound = app.server.address();
  if (bound === null || typeof bound === "string") throw new Error("the admin server has not been started");
  return { address: bound.address, port: bound.port };
}

function openApi(version: string) {
  return {
    openapi: {
      openapi: "3.1.0",
      info: { title: "GlobalRoute", description: "State and acts of one GlobalRoute server. Changes are additive only.", version },
      tags: [
        { name: "state", description: "What is served, and why" },
        { name: "acts", description: "What changes it; needs the admin token" },
        { name: "operations", description: "For orchestrators and Prometheus" },
      ],
      components: { securitySchemes: { adminToken: { type: "http" as const, scheme: "bearer" } } },
    },
    refResolver: {
      buildLocalReference: (schema: { $id?: unknown }, _base: unknown, _fragment: unknown, index: number) =>
        String(schema.$id ?? `schema-${index}`),
    },
  };
}
