/** Which connections to endpoints are used again, and which must not be. */
import { describe, expect, test } from "vitest";
import { ask, proxyWorld, request, response } from "../../../../test/support/http1/proxy-world.ts";
import { ms } from "../../../model/units.ts";

describe("a connection is not used again", () => {
  const cases: readonly { name: string; says: string; status: string }[] = [
    { name: "204 with a length", says: "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", status: "204" },
    { name: "204 with chunks", says: "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", status: "204" },
    { name: "a challenge of NTLM", says: response("no", ["WWW-Authenticate: NTLM"], "401 Unauthorized"), status: "401" },
    {
      name: "a challenge of Negotiate among others",
      says: response("no", ['WWW-Authenticate: Basic realm="a", negotiate'], "401 Unauthorized"),
      status: "401",
    },
    { name: "the last word of Negotiate", says: response("yes", ["WWW-Authenticate: Negotiate oRQwEg=="]), status: "200" },
  ];
  test.each(cases)("after $name", async ({ says, status }) => {
    const world = proxyWorld();
    const client = await ask(world);
    await world.attempts[0]!.say(says);
    expect(client.got()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(world.proxy.connections()).toMatchObject({ open: 0, idle: 0 });
    await client.say(request());
    await world.attempts[1]!.say(response("next"));
    expect(client.got()).toMatch(/next$/);
  });
});

test.each([
  ["204 without a word of a body", "HTTP/1.1 204 No Content\r\n\r\n"],
  ["204 with a length of 0", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"],
  ["304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
  ["a challenge of another kind", response("no", ["WWW-Authenticate: Basic realm=a"], "401 Unauthorized")],
])("a connection is used again after %s", async (_, says) => {
  const world = proxyWorld();
  await ask(world);
  await world.attempts[0]!.say(says);
  expect(world.proxy.connections()).toMatchObject({ open: 1, idle: 1 });
});

test("a response that nobody wants keeps no connection open when the proxy has closed", async () => {
  const world = proxyWorld();
  const client = await ask(world, request(["Connection: close"]));
  await world.attempts[0]!.say("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 10\r\n\r\nhalf ");
  await world.attempts[1]!.say(response("hello"));
  await client.end();
  expect(world.proxy.connections()).toMatchObject({ clients: 0, open: 2 });
  await world.proxy.close(ms(1000));
  expect(world.attempts[0]!.isClosed()).toBe(true);
  expect(world.proxy.connections().open).toBe(0);
  expect(world.clock.pending()).toBe(0);
});
