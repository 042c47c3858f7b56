/** Contract: Leases, Events and Secrets, and what tells clients which kinds there are. */
import { describe, expect, test } from "vitest";
import { at, isArray, type JsonObject, objectAt, textAt } from "../json.ts";
import { bodyOf, type ContractClient, MERGE, messageOf, versionOf } from "./peer.ts";

const TIME = "2026-11-21T00:00:00.123456Z";

export function describeBuiltIns(client: () => ContractClient): void {
  const leases = () => `/apis/coordination.k8s.io/v1/namespaces/${client().namespace}/leases`;
  const events = () => `/apis/events.k8s.io/v1/namespaces/${client().namespace}/events`;
  const lease = (name: string, spec: JsonObject = {}): JsonObject => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name },
    spec: { holderIdentity: "a", leaseDurationSeconds: 15, leaseTransitions: 0, acquireTime: TIME, renewTime: TIME, ...spec },
  });
  const event = (name: string, fields: JsonObject = {}): JsonObject => ({
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name },
    eventTime: TIME,
    reportingController: "globalroute.dev/controller",
    reportingInstance: "pod-1",
    action: "Failover",
    reason: "Failed",
    type: "Warning",
    note: "eu-west has failed",
    regarding: { apiVersion: "contract.example.org/v1", kind: "Gadget", name: "a", namespace: client().namespace },
    ...fields,
  });

  describe("Leases", () => {
    test("of two that take an expired one, one wins", async () => {
      const made = await client().call("POST", leases(), lease("race"));
      const take = (holderIdentity: string) => {
        const body = { ...bodyOf(made), spec: { ...objectAt(made.body, "spec"), holderIdentity, leaseTransitions: 1 } };
        return client().call("PUT", `${leases()}/race`, body);
      };
      const both = await Promise.all([take("b"), take("c")]);
      expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
      const winner = both.find(({ status }) => status === 200);
      expect(at((await client().call("GET", `${leases()}/race`)).body, "spec")).toEqual(at(winner?.body, "spec"));
    });

    test.each([
      ["2026-11-21T00:00:00.123Z", '.123Z" as ".000000"'],
      ["2026-11-21T00:00:00Z", 'Z" as ".000000"'],
    ])("a time %s without six digits is refused", async (time, message) => {
      const reply = await client().call("POST", leases(), lease("digits", { renewTime: time }));
      expect([reply.status, messageOf(reply)]).toEqual([
        400,
        `Lease in version "v1" cannot be handled as a Lease: parsing time "${time}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "${message}`,
      ]);
    });

    test("a replacement needs the version, and durations above zero", async () => {
      await client().call("POST", leases(), lease("strict"));
      expect((await client().call("PUT", `${leases()}/strict`, lease("strict"))).status).toBe(422);
      const reply = await client().call("POST", leases(), lease("zero", { leaseDurationSeconds: 0, leaseTransitions: -1 }));
      expect(messageOf(reply)).toBe(
        'Lease.coordination.k8s.io "zero" is invalid: [spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0, spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0]',
      );
    });

    test("a renewal under the version that was read makes the next one", async () => {
      const made = await client().call("POST", leases(), lease("renewed"));
      const body = { ...bodyOf(made), spec: { ...objectAt(made.body, "spec"), renewTime: "2026-11-21T00:00:10.123456Z" } };
      const renewed = await client().call("PUT", `${leases()}/renewed`, body);
      expect([renewed.status, at(renewed.body, "metadata", "generation")]).toEqual([200, undefined]);
      expect(Number(versionOf(renewed))).toBeGreaterThan(Number(versionOf(made)));
    });
  });

  describe("Events", () => {
    test("are made complete, and are counted on as a series", async () => {
      expect((await client().call("POST", events(), event("made"))).status).toBe(201);
      const series = { count: 2, lastObservedTime: "2026-11-21T00:00:09.123456Z" };
      const reply = await client().call("PATCH", `${events()}/made`, { series }, { contentType: MERGE });
      expect([reply.status, at(reply.body, "series")]).toEqual([200, series]);
    });

    test("keep what they told", async () => {
      await client().call("POST", events(), event("fixed"));
      const reply = await client().call("PATCH", `${events()}/fixed`, { note: "other" }, { contentType: MERGE });
      expect(messageOf(reply)).toBe('Event "fixed" is invalid: message: Invalid value: "other": field is immutable');
    });

    test.each(["eventTime", "reportingInstance", "action", "reason"])("without %s are refused", async (field) => {
      const { [field]: _left, ...rest } = event("partial");
      expect(messageOf(await client().call("POST", events(), rest))).toBe(`Event "partial" is invalid: ${field}: Required value`);
    });

    test.each<[string, JsonObject, string]>([
      ["of an odd type", { type: "Odd" }, 'type: Invalid value: "": has invalid value: Odd'],
      ["with a long note", { note: "x".repeat(1025) }, 'message: Invalid value: "": can have at most 1024 characters'],
    ])("%s are refused", async (_name, fields, message) => {
      expect(messageOf(await client().call("POST", events(), event("odd", fields)))).toBe(`Event "odd" is invalid: ${message}`);
    });

    test("want six digits in their times", async () => {
      const reply = await client().call("POST", events(), event("digits", { eventTime: "2026-11-21T00:00:00.123Z" }));
      expect([reply.status, messageOf(reply)]).toEqual([400, expect.stringContaining('cannot parse ".123Z" as ".000000"')]);
    });
  });

  describe("Secrets and discovery", () => {
    test("a Secret's plain text is kept in base64", async () => {
      const reply = await client().call("POST", `/api/v1/namespaces/${client().namespace}/secrets`, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "plain" },
        stringData: { a: "b" },
        data: { c: "ZA==" },
      });
      expect([at(reply.body, "data"), at(reply.body, "type"), at(reply.body, "stringData")]).toEqual([
        { a: "Yg==", c: "ZA==" },
        "Opaque",
        undefined,
      ]);
    });

    test("a new kind is in discovery, with its status", async () => {
      const { body } = await client().call("GET", "/apis/contract.example.org/v1");
      const resources = at(body, "resources");
      expect((isArray(resources) ? resources : []).map((one) => textAt(one, "name"))).toEqual(["gadgets", "gadgets/status"]);
      const group = await client().call("GET", "/apis/contract.example.org");
      expect(at(group.body, "preferredVersion", "version")).toBe("v1");
      expect((await client().call("GET", "/apis/nothing.example.org/v1")).status).toBe(404);
    });

    test("the version is told to everybody", async () => {
      const { status, body } = await client().call("GET", "/version", undefined, {});
      expect([status, textAt(body, "gitVersion")]).toEqual([200, expect.stringMatching(/^v1\.\d+\.\d+/)]);
    });
  });
}
