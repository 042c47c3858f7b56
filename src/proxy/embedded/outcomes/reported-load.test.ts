import { expect, test } from "vitest";
import { HEAD_LIMITS } from "../http1/fields.ts";
import { formatResponseHead } from "../http1/format-head.ts";
import { frameResponse, newFraming } from "../http1/framing.ts";
import { newResponseHead, parseResponseHead } from "../http1/response-head.ts";
import { reportedLoad } from "./reported-load.ts";

function respond(...lines: readonly string[]) {
  const bytes = Buffer.from(["HTTP/1.1 200 OK", ...lines, "Content-Length: 0", "", ""].join("\r\n"), "latin1");
  const head = newResponseHead(HEAD_LIMITS);
  expect(parseResponseHead(head, bytes, bytes.length)).toBe("done");
  const framing = newFraming();
  expect(frameResponse(framing, head.fields, bytes, { minor: 1, status: 200, toHead: false })).toBeUndefined();
  return { load: reportedLoad(head.fields, bytes), sent: formatResponseHead(bytes, head, framing, { minor: 1, keepAlive: true }) };
}

test.each([
  { name: "text", lines: ["Endpoint-Load-Metrics: TEXT cpu_utilization=0.1, application_utilization=0.42"], load: 0.42 },
  { name: "JSON", lines: ['endpoint-load-metrics: JSON {"application_utilization": 1.2}'], load: 1.2 },
  {
    name: "two, the first of which says nothing",
    lines: ["endpoint-load-metrics: TEXT", "endpoint-load-metrics: TEXT application_utilization=0.5"],
    load: 0.5,
  },
  { name: "bytes, which are not read", lines: ["endpoint-load-metrics-bin: CQAAAAAAAOA/"], load: undefined },
  { name: "nonsense", lines: ["endpoint-load-metrics: TEXT application_utilization=much"], load: undefined },
  { name: "none", lines: [], load: undefined },
])("$name: $load, and nothing of it for the client", ({ lines, load }) => {
  const response = respond("X-Before: 1", ...lines, "X-After: 2");
  expect(response.load).toBe(load);
  expect(response.sent).toBe("HTTP/1.1 200 OK\r\nX-Before: 1\r\nX-After: 2\r\nContent-Length: 0\r\n\r\n");
});
