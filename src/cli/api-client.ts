/** The commands' side of the admin API. */
import type { z } from "zod";
import { errorSchema } from "../admin/api-schemas.ts";
import { CommandError, type Io } from "./io.ts";
import { serverUrl } from "./options.ts";

const TIMEOUT_MS = 10_000;

export interface ApiClient {
  readonly url: string;
  /**
   * @param schema what the answer is decoded with; fields that it does not know are dropped
   * @param accept statuses besides 200 that carry such an answer
   * @param within milliseconds, where it may take longer than others
   * @throws CommandError (exit 1) when the server is not there; {@link ServerRefusal} when it says no
   */
  readonly get: <T>(path: string, schema: z.ZodType<T>, accept?: readonly number[], within?: number) => Promise<T>;
  /** As `get`, but undefined when no server is there. */
  readonly tryGet: <T>(path: string, schema: z.ZodType<T>) => Promise<T | undefined>;
  readonly post: <T>(
    path: string,
    token: string,
    schema: z.ZodType<T>,
    act?: { readonly body: unknown; readonly within: number },
  ) => Promise<T>;
}

class ServerNotThere extends CommandError {}

/** The server understood, and says no. */
export class ServerRefusal extends CommandError {
  /** One of docs/api.md. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(1, message);
    this.code = code;
  }
}

export function createApiClient(io: Io, option: string | undefined): ApiClient {
  const url = serverUrl(option, io);

  const request = async (path: string, init: RequestInit, within = TIMEOUT_MS): Promise<Response> => {
    try {
      return await io.fetch(`${url}${path}`, { ...init, signal: AbortSignal.timeout(within), redirect: "error" });
    } catch (cause) {
      const fact =
        cause instanceof Error && cause.name === "TimeoutError"
          ? `did not answer within ${within / 1000} s`
          : `cannot be reached (${reasonOf(cause)})`;
      const remedy = "Start one with `globalroute serve --config DIR`, or name it with --server URL or GLOBALROUTE_SERVER.";
      throw new ServerNotThere(1, `the server ${url} ${fact}. ${remedy}`, { cause });
    }
  };

  const decode = async <T>(path: string, response: Response, schema: z.ZodType<T>, accept: readonly number[] = []): Promise<T> => {
    const body: unknown = await response.json().catch(() => undefined);
    if (!response.ok && !accept.includes(response.status)) {
      const refusal = errorSchema.safeParse(body).data?.error;
      if (refusal !== undefined) throw new ServerRefusal(refusal.code, `${refusal.message} ${refusal.remedy}`);
      throw new CommandError(
        1,
        `${url}${path} answered with status ${response.status}. Check that it is the admin address of a GlobalRoute server.`,
      );
    }
    const result = schema.safeParse(body);
    if (result.success) return result.data;
    throw new CommandError(
      1,
      `${url}${path} gave no answer that this version understands. Check the address, and that both are of one version.`,
      { cause: result.error },
    );
  };

  const get: ApiClient["get"] = async (path, schema, accept, within) => decode(path, await request(path, {}, within), schema, accept);
  return {
    url,
    get,
    tryGet: async (path, schema) => {
      try {
        return await get(path, schema);
      } catch (error) {
        if (error instanceof ServerNotThere) return undefined;
        throw error;
      }
    },
    post: async (path, token, schema, act) => {
      const headers = { authorization: `Bearer ${token}`, ...(act === undefined ? {} : { "content-type": "application/json" }) };
      const init = { method: "POST", headers, ...(act === undefined ? {} : { body: JSON.stringify(act.body) }) };
      return decode(path, await request(path, init, act?.within), schema);
    },
  };
}

/** fetch says only "fetch failed"; the system's word is in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
}
