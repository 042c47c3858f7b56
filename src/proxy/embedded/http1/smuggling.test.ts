import { createServer } from "node:http";
import { duplexPair } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import { laxity } from "../../../../test/support/http1/compare.ts";
import { readWithNode } from "../../../../test/support/http1/node-reader.ts";
import { readRequests } from "../../../../test/support/http1/our-reader.ts";
import { REQUEST_CASES } from "../../../../test/support/http1/request-cases.ts";

const CLOSED = "(closed)";
const binary = (text: string): Buffer => Buffer.from(text, "latin1");

describe("ours", () => {
  test.each(REQUEST_CASES)("$name", ({ bytes, ours }) => {
    const { messages, end } = readRequests([binary(bytes)]);
    if (typeof ours === "string") expect(end).toBe(ours);
    else
      expect({ bodies: messages.map(({ body }) => body), isSound: end === "more" || end === "closed" }).toEqual({
        bodies: ours,
        isSound: true,
      });
  });

  test("the outcome does not depend on how the bytes are cut into pieces", () => {
    for (const { name, bytes } of REQUEST_CASES) {
      const whole = readRequests([binary(bytes)]);
      const single = Array.from(binary(bytes), (byte) => Buffer.of(byte));
      if (bytes.length < 2000) expect(readRequests(single), name).toEqual(whole);
      for (let cut = 1; cut < bytes.length; cut += bytes.length < 2000 ? 1 : 997) {
        expect(readRequests([binary(bytes.slice(0, cut)), binary(bytes.slice(cut))]), `${name}, cut at ${cut}`).toEqual(whole);
      }
    }
  });
});

describe("a server of node:http", () => {
  const server = createServer({ requireHostHeader: true }, (request, response) => {
    request.on("error", () => {});
    request.resume().on("end", () => response.end("taken"));
  });
  afterAll(() => server.close());

  /** What the client gets for these bytes, {@link CLOSED} behind it if the server closes; "" while it waits for more. */
  async function ask(bytes: Buffer): Promise<string> {
    const [client, side] = duplexPair();
    let got = "";
    client.on("data", (piece: Buffer) => (got += piece.toString("latin1"))).on("error", () => {});
    side.on("close", () => (got += CLOSED));
    side.on("error", () => {});
    server.emit("connection", side);
    client.write(bytes);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    const seen = got; // without our own end
    client.destroy();
    side.destroy();
    return seen;
  }

  test.each(REQUEST_CASES)("$name", async ({ bytes, node }) => {
    const got = await ask(binary(bytes));
    const last = [...got.matchAll(/^HTTP\/1\.1 (\d+)/gm)].at(-1)?.[1];
    const refuses = last === undefined ? got === CLOSED : last !== "200";
    expect(got === "" ? "waits" : refuses ? "refuses" : "takes").toBe(node);
  });
});

test("nothing is taken that node:http refuses or reads otherwise; what is refused on top of that has a reason", () => {
  for (const { name, bytes } of REQUEST_CASES) {
    expect(laxity(readRequests([binary(bytes)]), readWithNode("requests", binary(bytes))), name).toBeUndefined();
  }
});
