import { expect, test } from "vitest";
import { createBackoff } from "./backoff.ts";
import { readItem, readObject, readRetryAfter, readStatus } from "./kube-status.ts";
import { microTime } from "./micro-time.ts";
import { describeFailure } from "./network-failure.ts";
import { queryString, resourcePath, resourceTitle } from "./resource-path.ts";
import { INGRESSES, NAMESPACES, SERVICES } from "./resources.ts";

test("micro times have six digits", () => expect(microTime(1_800_000_000_123)).toBe("2027-01-15T08:00:00.123000Z"));

test("paths escape what names must not hold", () => {
  expect(resourcePath(SERVICES, "../..", "a/b?c")).toBe("/api/v1/namespaces/..%2F../services/a%2Fb%3Fc");
  expect(resourcePath(NAMESPACES, "ignored", "web")).toBe("/api/v1/namespaces/web");
  expect(resourcePath(INGRESSES)).toBe("/apis/networking.k8s.io/v1/ingresses");
  expect(queryString({ a: undefined, b: "x y" })).toBe("?b=x+y");
  expect(queryString({})).toBe("");
  expect([resourceTitle(INGRESSES), resourceTitle(SERVICES)]).toEqual(["ingresses.networking.k8s.io", "services"]);
});

test.each([
  ["7", 7000],
  ["0", 0],
  ["Thu, 01 Jan 1970 00:00:12 GMT", 2000],
  ["Thu, 01 Jan 1970 00:00:01 GMT", 0],
  ["2592000", 60_000],
  ["99999999999999999999", 60_000],
  ["Fri, 01 Jan 2100 00:00:00 GMT", 60_000],
  ["soon", undefined],
  [undefined, undefined],
] as const)("Retry-After %s", (header, expected) => expect(readRetryAfter(header, 10_000)).toBe(expected));

test("whatever is no Status is an empty one, and messages are printable and short", () => {
  for (const body of [undefined, null, 7, "x", [], { message: 3, code: "x" }])
    expect(readStatus(body)).toEqual({ reason: "", message: "", code: undefined });
  expect(readStatus({ message: "\u001b".repeat(5000) }).message).toBe("\ufffd".repeat(600));
});

test("objects have a name", () => {
  expect(readObject({ apiVersion: "v1", kind: "Service", metadata: {} })).toBeUndefined();
  expect(readItem(SERVICES, null)).toBeUndefined();
  expect(readItem(SERVICES, { metadata: { name: "a" } })).toEqual({ apiVersion: "v1", kind: "Service", metadata: { name: "a" } });
});

test.each([
  { name: "null", sent: null, kept: {} },
  { name: "a list", sent: ["a"], kept: {} },
  { name: "a text", sent: "a", kept: {} },
  { name: "values of all kinds", sent: { a: "x", b: 5, c: null, d: {}, e: true, f: "" }, kept: { a: "x", f: "" } },
])("of labels and annotations only texts are kept: $name", ({ sent, kept }) => {
  const metadata = { name: "a", uid: "u", labels: sent, annotations: sent };
  const expected = { name: "a", uid: "u", labels: kept, annotations: kept };
  expect(readItem(SERVICES, { metadata })?.metadata).toEqual(expected);
  expect(readObject({ apiVersion: "v1", kind: "Service", metadata })?.metadata).toEqual(expected);
});

test("an object whose labels and annotations are texts is not copied", () => {
  const object = { apiVersion: "v1", kind: "Service", metadata: { name: "a", labels: { a: "x" }, annotations: {} } };
  expect(readObject(object)).toBe(object);
});

test.each([
  { error: { code: "ECONNREFUSED" }, reason: "Refused" },
  { error: { errors: [{ code: "ECONNREFUSED" }, { code: "ENETUNREACH" }] }, reason: "Refused" },
  { error: { code: "UND_ERR_SOCKET", cause: { code: "ECONNRESET" } }, reason: "Cut" },
  { error: { code: "UND_ERR_SOCKET" }, reason: "Cut" },
  { error: { cause: { code: "ENOTFOUND" } }, reason: "Unresolved" },
  { error: { code: "UND_ERR_CONNECT_TIMEOUT" }, reason: "Timeout" },
  { error: { code: "SELF_SIGNED_CERT_IN_CHAIN" }, reason: "NotTrusted" },
  { error: new Error("token abc"), reason: "Network" },
  { error: undefined, reason: "Network" },
])("$error.code is $reason", ({ error, reason }) => {
  const failure = describeFailure(error);
  expect(failure.reason).toBe(reason);
  expect(failure.fact).not.toContain("abc");
});

test("backoff: bounds double up to the cap, jitter is full, reset begins anew", () => {
  const highest = createBackoff(() => 0.999_999);
  expect(Array.from({ length: 9 }, () => Math.round(highest.next()))).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ]);
  highest.reset();
  expect(Math.round(highest.next())).toBe(500);
  const lowest = createBackoff(() => 0);
  expect(Array.from({ length: 3 }, lowest.next)).toEqual([50, 50, 50]);
  let even = 0;
  const half = createBackoff(() => (even++ % 2) / 2, { base: 1000, cap: 1500 });
  expect(Array.from({ length: 4 }, half.next)).toEqual([50, 750, 50, 750]);
});
