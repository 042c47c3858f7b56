/** Reports of drills: what has been rehearsed, and what it showed. */
import type { FastifyInstance } from "fastify";
import type { DrillReport } from "../observe/drill-report.ts";
import { ApiError } from "./api-error.ts";
import { errors, operation, parameters, ref, text } from "./operation.ts";

/** @param drills running and recent ones, newest first */
export function registerDrillReads(app: FastifyInstance, drills: () => readonly DrillReport[]): void {
  app.get("/v1/drills", operation("state", "Drills that run, and the last ones, newest first", { 200: ref("DrillList") }), () => ({
    drills: drills(),
  }));
  app.get<{ Params: { namespace: string; name: string } }>(
    "/v1/drills/:namespace/:name",
    operation(
      "state",
      "The newest drill of a TrafficOverride",
      { 200: ref("DrillReport"), ...errors(400, 404) },
      { params: parameters({ namespace: text(63), name: text(253) }) },
    ),
    ({ params: { namespace, name } }) => {
      const report = drills().find((one) => one.name === `${namespace}/${name}`);
      if (report === undefined) throw new ApiError("no-drill", `No drill of TrafficOverride ${namespace}/${name} is remembered.`);
      return report;
    },
  );
}
