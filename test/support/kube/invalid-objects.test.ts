/** The fake API server refuses what a real one does, in the same words (test/e2e/invalid-objects.test.ts asks a real one). */
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type FakeApiServer, startFakeApiServer } from "./fake-api-server.ts";
import { good, type PostedObject, refusedByController, refusedByServer } from "./invalid-objects.ts";

const failure = z.object({ message: z.string() });
let server: FakeApiServer;
beforeAll(async () => {
  server = await startFakeApiServer({});
});
afterAll(() => server.close());

async function post(object: PostedObject) {
  const { kind, metadata } = object;
  const folder = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
  const answer = await fetch(
    `${server.url}/apis/globalroute.dev/v1alpha1${folder}/${kind.toLowerCase()}s?dryRun=All&fieldValidation=Strict`,
    {
      method: "POST",
      headers: { authorization: `Bearer ${server.adminToken}`, "content-type": "application/json" },
      body: JSON.stringify(object),
    },
  );
  return { status: answer.status, body: await answer.json() };
}

test.each(refusedByServer)("refused: $name", async ({ object, field, says }) => {
  const { status, body } = await post(object);
  expect(status).toBe(422);
  const { message } = failure.parse(body);
  expect(message).toContain(field);
  expect(message).toContain(says);
  expect(message).not.toContain("evaluating rule");
});

test("what only the controller can tell is taken", async () => {
  for (const object of [...good, ...refusedByController.flatMap(({ objects }) => objects)]) {
    expect(await post(object), object.metadata.name).toMatchObject({ status: 201 });
  }
});
