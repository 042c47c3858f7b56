/** Draining by HTTP: with the admin token, where this server can do it. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { ActDesk } from "./act-desk.ts";
import { drainSchema, undrainSchema } from "./api-schemas.ts";
import { errors, operation, ref } from "./operation.ts";
import { requireToken } from "./require-token.ts";

export function registerDrains(app: FastifyInstance, acts: ActDesk, token: string): void {
  const act = (summary: string, body: string, answer: string, schema: z.ZodType) => ({
    ...operation(
      "acts",
      summary,
      { 200: ref(answer), ...errors(400, 401, 404, 409, 503) },
      { security: [{ adminToken: [] }], body: ref(body) },
    ),
    onRequest: requireToken(token),
    validatorCompiler: () => (value: unknown) => {
      const result = schema.safeParse(value);
      return result.success ? { value: result.data } : { error: new Error(`The body cannot be used: ${z.prettifyError(result.error)}`) };
    },
  });
  app.post<{ Body: z.infer<typeof drainSchema> }>(
    "/v1/drain",
    act("Sends no clients to a cluster, a route or one backend for a while", "Drain", "Drained", drainSchema),
    ({ body }) => acts.drain(body.target, body.reason, body.for),
  );
  app.post<{ Body: z.infer<typeof undrainSchema> }>(
    "/v1/undrain",
    act("Undoes a drain", "Undrain", "Undrained", undrainSchema),
    ({ body }) => acts.undrain(body.target),
  );
}
