import { expect, test } from "vitest";
import { laxity } from "../../../../test/support/http1/compare.ts";
import { readWithNode } from "../../../../test/support/http1/node-reader.ts";
import { readResponses } from "../../../../test/support/http1/our-reader.ts";
import { RESPONSE_CASES } from "../../../../test/support/http1/response-cases.ts";
import { HEAD_LIMITS } from "./fields.ts";
import { frameResponse, newFraming } from "./framing.ts";
import { newResponseHead, parseResponseHead } from "./response-head.ts";

const binary = (text: string): Buffer => Buffer.from(text, "latin1");

test.each(RESPONSE_CASES)("$name", ({ bytes, ours, node }) => {
  const { messages, end } = readResponses([binary(bytes)]);
  if (typeof ours === "string") expect(end).toBe(ours);
  else expect(messages.map(({ line, body }) => [Number(line), body])).toEqual(ours);
  const theirs = readWithNode("responses", binary(bytes));
  expect(theirs.error === undefined ? "takes" : "refuses").toBe(node);
  expect(laxity({ messages, end }, theirs)).toBeUndefined();
});

test("the outcome does not depend on how the bytes are cut into pieces", () => {
  for (const { name, bytes } of RESPONSE_CASES) {
    const whole = readResponses([binary(bytes)]);
    expect(readResponses(Array.from(binary(bytes), (byte) => Buffer.of(byte))), name).toEqual(whole);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(readResponses([binary(bytes.slice(0, cut)), binary(bytes.slice(cut))]), `${name}, cut at ${cut}`).toEqual(whole);
    }
  }
});

test("a response to HEAD has no body, and the length that it would have", () => {
  const bytes = binary("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  const head = newResponseHead(HEAD_LIMITS);
  const framing = newFraming();
  expect(parseResponseHead(head, bytes, bytes.length)).toBe("done");
  expect(frameResponse(framing, head.fields, bytes, { minor: head.minor, status: head.status, toHead: true })).toBeUndefined();
  expect(framing).toMatchObject({ body: "none", length: 5 });
});
