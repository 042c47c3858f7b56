/** Errors of the HTTP API: `{"error": {"code", "message", "remedy"}}`. The codes are stable; docs/api.md lists them. */

export const apiErrors = {
  "bad-request": { status: 400, remedy: "Correct the parameter; /openapi.json describes each." },
  unauthorized: { status: 401, remedy: "Send `Authorization: Bearer TOKEN` with the content of admin.token in the server's state folder." },
  "host-refused": { status: 403, remedy: "Use the address that the server listens on, or localhost, as the host of the URL." },
  "not-found": { status: 404, remedy: "The paths are listed in the message." },
  "no-zone": { status: 404, remedy: "A DNSZone is named by its name or its domain; /v1/plan lists those that are kept elsewhere." },
  "not-writer": { status: 409, remedy: "Ask the replica that writes." },
  "plan-running": { status: 503, remedy: "Wait until it has ended, and ask again." },
  "not-ready": { status: 503, remedy: "Try again in a moment; `degraded` of /readyz tells more." },
  "no-route": { status: 404, remedy: "`globalroute status` and /v1/routes list the routes and their hosts." },
  "no-cluster": { status: 404, remedy: "/v1/clusters lists the member clusters." },
  "no-frame": { status: 404, remedy: "/v1/map/frames lists the moments that are kept; the oldest are dropped first." },
  "no-drill": { status: 404, remedy: "/v1/drills lists those that are; one is there as soon as it has begun." },
  "no-target": { status: 404, remedy: "The message says what there is; /v1/status lists clusters and routes." },
  "acts-elsewhere": {
    status: 409,
    remedy: "Run the command with your own access to the API server, whose rules and audit then hold for you.",
  },
  "not-written": {
    status: 503,
    remedy: "Let the server's user write to the folder of objects, or run `globalroute drain` as one who may.",
  },
  "too-many-streams": { status: 503, remedy: "Close a stream, or read /v1/timeline instead." },
  internal: { status: 500, remedy: "The server's log has the cause." },
} as const;

export type ApiErrorCode = keyof typeof apiErrors;

/** Thrown by handlers; the server answers with its status and {@link errorBody}. */
export class ApiError extends Error {
  readonly code: ApiErrorCode;
  readonly status: number;

  constructor(code: ApiErrorCode, message: string) {
    super(message);
    this.code = code;
    this.status = apiErrors[code].status;
  }
}

export function errorBody(
  code: ApiErrorCode,
  message: string,
): { readonly error: { readonly code: string; readonly message: string; readonly remedy: string } } {
  return { error: { code, message, remedy: apiErrors[code].remedy } };
}
