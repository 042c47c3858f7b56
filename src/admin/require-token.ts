/** Guards whatever changes state. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "./api-error.ts";
import { isAuthorized } from "./token.ts";

/** @returns a hook that refuses requests without the admin token, before their bodies are read */
export const requireToken =
  (token: string) =>
  async ({ headers }: Pick<FastifyRequest, "headers">, reply: Pick<FastifyReply, "header">): Promise<void> => {
    if (isAuthorized(headers.authorization, token)) return;
    reply.header("www-authenticate", 'Bearer realm="globalroute"');
    throw new ApiError(
      "unauthorized",
      headers.authorization === undefined ? "This act needs the admin token." : "The token is not the server's.",
    );
  };
