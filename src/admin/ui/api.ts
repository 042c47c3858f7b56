/** The server's API, as the dashboard uses it. Addresses are relative, so that it also works below a path of a proxy. */
import type { Explanation, FrameMark, IfDrained, Overview, RouteStatus, TimelineEvent, WorldMap } from "./model/types.ts";

/** What the server said instead of an answer, or that it said nothing (status 0). */
export class ApiFailure extends Error {
  readonly status: number;
  readonly remedy: string;

  constructor(status: number, message: string, remedy: string) {
    super(message);
    this.status = status;
    this.remedy = remedy;
  }
}

export interface Api {
  readonly overview: () => Promise<Overview>;
  /** @param route null = all; @param frame undefined = now */
  readonly map: (route: string | null, frame?: number) => Promise<WorldMap>;
  readonly frames: () => Promise<readonly FrameMark[]>;
  readonly load: () => Promise<ReadonlyMap<string, number>>;
  readonly events: () => Promise<readonly TimelineEvent[]>;
  readonly route: (key: string) => Promise<RouteStatus>;
  readonly explain: (host: string, client: string, family: "A" | "AAAA") => Promise<Explanation>;
  readonly ifDrained: (cluster: string) => Promise<IfDrained>;
  readonly drain: (token: string, target: string, reason: string, period: string) => Promise<{ readonly until: string }>;
  readonly undrain: (token: string, target: string) => Promise<{ readonly removed: boolean; readonly drainedBy: readonly string[] }>;
}

export function createApi(fetch: typeof globalThis.fetch): Api {
  /** The one place where an answer gets its type: the server checks its own answers against the schemas that these types come from. */
  async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
    let response: Response;
    try {
      response = await fetch(path, { cache: "no-store", ...init });
    } catch {
      throw new ApiFailure(
        0,
        "The server does not answer.",
        "Look whether it runs, and whether the way to it (a port-forward, a tunnel) still stands.",
      );
    }
    const body: unknown = await response.json().catch(() => undefined);
    if (response.ok && body !== undefined) return body as T;
    const { message, remedy } = failureOf(body);
    throw new ApiFailure(response.status, message ?? `The server answered ${response.status}.`, remedy ?? "Its log has the cause.");
  }

  const query = (values: Readonly<Record<string, string | number | null | undefined>>): string => {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(values)) if (value !== null && value !== undefined) parameters.set(name, String(value));
    return parameters.size === 0 ? "" : `?${parameters}`;
  };
  const act = <T>(path: string, token: string, body: unknown): Promise<T> =>
    ask(path, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });

  return {
    overview: () => ask("v1/overview"),
    map: (route, frame) => ask(`v1/map${query({ route, frame })}`),
    frames: async () => (await ask<{ frames: readonly FrameMark[] }>("v1/map/frames")).frames,
    async load() {
      const { clusters } = await ask<{ clusters: readonly { readonly name: string; readonly answersPerSecond: number }[] }>("v1/map/load");
      return new Map(clusters.map(({ name, answersPerSecond }) => [name, answersPerSecond]));
    },
    events: async () => (await ask<{ events: readonly TimelineEvent[] }>("v1/timeline")).events,
    route: (key) => ask(`v1/routes/${key.split("/").map(encodeURIComponent).join("/")}`),
    explain: (host, client, family) => ask(`v1/explain${query({ host, client, family })}`),
    ifDrained: (cluster) => ask(`v1/map/if-drained${query({ cluster })}`),
    drain: (token, target, reason, period) => act("v1/drain", token, { target, reason, for: period }),
    undrain: (token, target) => act("v1/undrain", token, { target }),
  };
}

function failureOf(body: unknown): { readonly message?: string; readonly remedy?: string } {
  if (typeof body !== "object" || body === null || !("error" in body)) return {};
  const { error } = body;
  if (typeof error !== "object" || error === null) return {};
  return {
    ...("message" in error && typeof error.message === "string" ? { message: error.message } : {}),
    ...("remedy" in error && typeof error.remedy === "string" ? { remedy: error.remedy } : {}),
  };
}
