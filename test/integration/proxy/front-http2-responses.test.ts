/** Responses that endpoints send in HTTP/1.1 and that `node:http2` would rather not: whatever one says, the others go on. */
import { once } from "node:events";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { afterEach, expect, test } from "vitest";
import { CA, SHOP, startFrontWorld } from "../../support/http1/front-world.ts";

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Answer {
  readonly interim: readonly IncomingHttpHeaders[];
  readonly fields: IncomingHttpHeaders;
  readonly body: string;
  readonly rstCode: number | undefined;
}

/** What a client gets when the endpoint says just this. */
async function answerTo(bytes: string): Promise<Answer> {
  const world = await startFrontWorld((_, response) => void response.socket!.end(bytes, "latin1"));
  const client = connect(`https://127.0.0.1:${world.proxy.port}`, { servername: SHOP, ca: CA });
  client.on("error", () => {});
  closers.push(world.close, () => client.destroy());
  const interim: IncomingHttpHeaders[] = [];
  let fields: IncomingHttpHeaders = {};
  let body = "";
  const stream = client.request({ ":authority": SHOP });
  stream.on("headers", (more) => interim.push(more));
  stream.on("response", (head) => (fields = head));
  stream.on("data", (piece: Buffer) => (body += piece.toString("latin1")));
  stream.on("error", () => {});
  await once(stream, "close");
  return { interim, fields, body, rstCode: stream.rstCode };
}

const SINGLE = ["Content-Type", "Date", "ETag", "Location", "Retry-After", "Age"];
const twice = SINGLE.map((name) => `${name}: a\r\n${name}: b\r\n`).join("");

test("fields of which there should be one and are two pass as they came", async () => {
  const answer = await answerTo(`HTTP/1.1 200 OK\r\n${twice}Content-Length: 2\r\n\r\nhi`);
  expect(answer).toMatchObject({ fields: { ":status": 200 }, body: "hi", rstCode: 0 });
});

test("so do those of an interim response, whatever they are called", async () => {
  const answer = await answerTo(`HTTP/1.1 103 Early Hints\r\n${twice}Constructor: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi`);
  expect(answer).toMatchObject({ interim: [{ ":status": 103, constructor: "a" }], fields: { ":status": 200 }, body: "hi", rstCode: 0 });
});

test("205 has no content, though the endpoint sends some", async () => {
  const withLength = await answerTo("HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nhi");
  expect(withLength).toMatchObject({ fields: { ":status": 205 }, body: "", rstCode: 0 });
  const inChunks = await answerTo("HTTP/1.1 205 Reset Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
  expect(inChunks).toMatchObject({ fields: { ":status": 205 }, body: "", rstCode: 0 });
});
