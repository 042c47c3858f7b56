/** `health` of a GlobalRoute: how its endpoints are probed and when they are believed. */
import { z } from "zod";
import { type Decoded, decoded, fault } from "../fault.ts";
import { celRules, duration, formed, host, integer, text } from "./parts.ts";

interface StatusRange {
  readonly from: number;
  readonly to: number;
}

const statusPattern = "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$";
const statusForm = new RegExp(statusPattern);

function parseStatusRange(value: string): Decoded<StatusRange> {
  if (!statusForm.test(value)) return fault("field-format", "is not an HTTP status", 'Write one status ("204") or a range ("200-399").');
  const [from, to = from] = value.split("-").map(Number);
  if (from === undefined || to === undefined || from > to)
    return fault("range-order", "is a range that ends before it starts", `Write "${to}-${from}".`);
  return decoded({ from, to });
}

const status = text(
  7,
  statusPattern,
  parseStatusRange,
  "must be an HTTP status or a range of them, in quotes, as in '204' or '200-399'",
).meta({
  remedy: 'Put it in quotes, for example "204" or "200-399".',
});

const expect = z
  .strictObject({
    status: z
      .array(status)
      .min(1)
      .max(16)
      .meta({ "x-kubernetes-list-type": "set" })
      .prefault(["200-399"])
      .describe(
        "HTTP statuses that count as success: single ones and ranges. Redirects are not followed, so a range up to 399 accepts them.",
      ),
    body: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe("A text that must occur in the first 64 KiB of the response body. Without it the body is not read."),
  })
  .optional()
  .meta({ whenAbsent: "any status from 200 to 399" })
  .describe("What the response to an HTTP probe must look like to count as success.");

const probe = z
  .strictObject({
    type: z
      .enum(["HTTP", "TCP", "TLS", "GRPC"])
      .default("HTTP")
      .describe(
        "What a probe does: HTTP sends a GET, TCP connects, TLS completes a handshake and checks the certificate, GRPC calls grpc.health.v1.Health/Check.",
      ),
    scheme: z
      .enum(["HTTP", "HTTPS"])
      .optional()
      .meta({ whenAbsent: "HTTP, or HTTPS when the type is TLS" })
      .describe("Whether an HTTP or GRPC probe speaks TLS (HTTPS) or not (HTTP)."),
    port: integer(1, 65_535)
      .optional()
      .meta({ whenAbsent: "443 when the probe speaks TLS, else 80" })
      .describe("The TCP port that is probed at every address of the route."),
    path: formed(1024, "^/[!-~]*$", "a path", "Write it with a slash first and without spaces, for example /healthz.")
      .optional()
      .meta({ whenAbsent: "/" })
      .describe("Path, and query if any, of an HTTP probe."),
    host: host()
      .optional()
      .meta({ whenAbsent: "the first of the route's hosts that is no wildcard" })
      .describe("Host header and TLS server name of the probe. Needed when all of the route's hosts are wildcards."),
    service: formed(256, "^[!-~]+$", "the name of a gRPC service", "Write it as in example.shop.v1.Cart, without spaces.")
      .optional()
      .meta({ whenAbsent: "the server as a whole" })
      .describe("Service name that a GRPC probe asks about."),
    insecureSkipVerify: z
      .boolean()
      .default(false)
      .describe(
        "Accept any certificate. Anybody on the way can then answer the probe; use it only while certificates are being put in order.",
      ),
    expect,
  })
  .meta(
    celRules(
      { rule: "self.type == 'HTTP' || !has(self.path)", message: "path goes with type HTTP only; remove it" },
      { rule: "self.type == 'HTTP' || !has(self.expect)", message: "expect goes with type HTTP only; remove it" },
      { rule: "self.type == 'GRPC' || !has(self.service)", message: "service goes with type GRPC only; remove it" },
      { rule: "self.type in ['HTTP', 'GRPC'] || !has(self.scheme)", message: "scheme goes with types HTTP and GRPC only; remove it" },
      {
        rule: "!self.insecureSkipVerify || self.type == 'TLS' || (self.type in ['HTTP', 'GRPC'] && has(self.scheme) && self.scheme == 'HTTPS')",
        message: "insecureSkipVerify goes with TLS only: remove it, or set scheme: HTTPS",
      },
    ),
  )
  .prefault({})
  .describe(
    "How each address of each backend is probed: by its address, with the route's host as Host header and TLS server name. Certificates are verified and redirects are not followed.",
  );

export const health = z
  .strictObject({
    probe,
    interval: duration("100ms", "1h").prefault("5s").describe("Time from the start of one probe of an endpoint to the start of the next."),
    timeout: duration("10ms", "1m")
      .optional()
      .meta({ whenAbsent: "2s, or the interval if that is shorter" })
      .describe("How long a probe may take, connect to verdict. Not longer than the interval."),
    rise: integer(1, 100)
      .default(2)
      .describe("Successful probes in a row after which an unhealthy endpoint is healthy again, and past failures are forgiven."),
    fall: integer(1, 100)
      .default(3)
      .describe(
        "Failed probes after which a healthy endpoint is unhealthy. They need not be in a row: only `rise` successes in a row clear the count.",
      ),
    quorum: z
      .strictObject({
        type: z
          .enum(["Majority", "Count"])
          .default("Majority")
          .describe("Majority: more than half of the sites that have a fresh vote. Count: at least `count` sites."),
        count: integer(1, 100).optional().describe("How many sites must agree. Required with type Count, and allowed with no other."),
      })
      .meta(
        celRules({
          rule: "(self.type == 'Count') == has(self.count)",
          message: "count is required with type Count and goes with no other type: add it, or remove it",
        }),
      )
      .prefault({})
      .describe("How many probing sites must agree before an endpoint's health changes. Too few fresh votes change nothing."),
    useReadiness: z
      .boolean()
      .default(true)
      .describe(
        "Whether a backend none of whose Pods is ready, as its cluster's EndpointSlices tell, counts as unhealthy besides what probes find. Sources whose Pods are not known have no say.",
      ),
    useRequests: z
      .boolean()
      .default(true)
      .describe(
        "Whether users' requests have a say, where they pass through this program (serve --proxy): while most of those to an endpoint fail, a probe of it that succeeds counts as failed.",
      ),
  })
  .meta(
    celRules({
      rule: "!has(self.timeout) || duration(self.timeout) <= duration(self.interval)",
      message: "timeout must not be longer than interval: shorten it, or lengthen interval",
    }),
  )
  .prefault({})
  .describe("When an endpoint of this route counts as healthy.");
