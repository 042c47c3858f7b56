/** Plans over HTTP: what is asked, who may act, and that answers are what the OpenAPI document says. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { ZonePlan } from "../../dns-providers/zone-plan.ts";
import { createFakeView } from "../../test/support/fake-view.ts";
import { createMetrics } from "../observe/metrics.ts";
import { ApiError } from "./api-error.ts";
import { type AdminServer, createAdminServer } from "./server.ts";

const TOKEN = "0123456789abcdef0123";
const ZONE: ZonePlan = {
  ...{ zone: "example-org", domain: "example.org", provider: "Route53", owner: "prod-eu", policy: "DryRun", fence: { epoch: 3, write: 7 } },
  changes: [
    {
      ...{ action: "Replace", name: "shop.example.org", type: "A", setIdentifier: "eu", resource: "GlobalRoute/web/shop" },
      before: { ttl: 30, values: ["192.0.2.1"], policy: { kind: "Subnets", subnets: ["192.0.2.0/24"] } },
      after: {
        ...{ ttl: 0, values: [], policy: { kind: "Subnets", subnets: [] }, alias: { target: "lb.example.net", followsHealth: true } },
        healthCheck: { type: "TCP", address: "192.0.2.1", port: 443, interval: 30, threshold: 3 },
      },
    },
  ],
  conflicts: [{ name: "www.example.org", type: "A", reason: "OwnedByAnother", owner: "prod-us" }],
  ...{ held: [{ name: "a.example.org", type: "A" }], kept: [] },
};

let server: AdminServer;
let url: string;
let asked: unknown[];
let refusal: ApiError | undefined;
beforeEach(async () => {
  asked = [];
  refusal = undefined;
  server = await createAdminServer({
    view: createFakeView(),
    plans: {
      async plan(zones) {
        asked.push(zones);
        return { zones: [ZONE], failures: [{ zone: "lost", provider: "RFC2136", code: "unreachable", message: "m" }], notes: ["n"] };
      },
      async apply(plans) {
        if (refusal !== undefined) throw refusal;
        asked.push(plans);
        return { zones: [{ zone: "example-org", outcome: "Applied", changes: 1, message: "" }] };
      },
    },
    metrics: createMetrics(),
    ...{ listen: { address: "127.0.0.1", port: 0 }, flag: "--admin", token: TOKEN, version: "0.0.0" },
    ...{ log: { error: () => {} }, every: () => () => {} },
  });
  await server.start();
  url = `http://127.0.0.1:${server.address().port}`;
});
afterEach(() => server.stop());

const apply = (body: unknown, authorization = `Bearer ${TOKEN}`): Promise<Response> =>
  fetch(`${url}/v1/plan/apply`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

test("none, one or several zones are asked for; a HEAD lists nothing", async () => {
  for (const query of ["", "?zone=example-org", "?zone=example-org&zone=b"]) await fetch(`${url}/v1/plan${query}`);
  expect(asked).toEqual([[], ["example-org"], ["example-org", "b"]]);
  expect((await fetch(`${url}/v1/plan`, { method: "HEAD" })).status).toBe(404);
  expect((await fetch(`${url}/v1/plan?zon=b`)).status).toBe(400);
});

test("an act needs the token, and takes a plan as it was given", async () => {
  expect((await apply({ zones: [ZONE] }, "Bearer another-token-0123")).status).toBe(401);
  expect(asked).toEqual([]);
  expect(await (await apply({ zones: [ZONE] })).json()).toMatchObject({ zones: [{ outcome: "Applied" }] });
  expect(asked).toEqual([[ZONE]]);
});

test("a plan of many thousand changes is taken", async () => {
  const changes = Array.from({ length: 20_000 }, () => ZONE.changes[0]!);
  expect((await apply({ zones: [{ ...ZONE, changes }] })).status).toBe(200);
});

test("a body that is no plan is told from one, and named", async () => {
  const wrong = { zones: [{ ...ZONE, changes: [{ ...ZONE.changes[0], before: { ttl: "30", values: "192.0.2.1" } }] }] };
  const response = await apply(wrong);
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { error: { code: "bad-request", message: expect.stringMatching(/no plan[\s\S]*changes\[0\]\.before\.ttl/) } },
  ]);
});

test("a replica that is not the writer answers 409", async () => {
  refusal = new ApiError("not-writer", "This replica is not the writer: globalroute-1 is.");
  const response = await apply({ zones: [ZONE] });
  expect([response.status, await response.json()]).toMatchObject([
    409,
    { error: { code: "not-writer", remedy: "Ask the replica that writes." } },
  ]);
});

test("answers are what the OpenAPI document says", async () => {
  const document = z
    .looseObject({ paths: z.record(z.string(), z.unknown()), components: z.looseObject({}) })
    .parse(await (await fetch(`${url}/openapi.json`)).json());
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema({ $id: "doc", components: document.components });
  const plans: unknown = await (await fetch(`${url}/v1/plan`)).json();
  const applied: unknown = await (await apply({ zones: [ZONE] })).json();
  for (const [name, answer] of [
    ["Plans", plans],
    ["PlansToApply", { zones: [ZONE] }],
    ["AppliedPlans", applied],
  ] as const)
    expect(ajv.validate({ $ref: `doc#/components/schemas/${name}` }, answer), `${name}: ${ajv.errorsText()}`).toBe(true);
  expect(document.paths).toMatchObject({
    "/v1/plan": { get: { tags: ["state"] } },
    "/v1/plan/apply": {
      post: {
        security: [{ adminToken: [] }],
        requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/PlansToApply" } } } },
      },
    },
  });
});
