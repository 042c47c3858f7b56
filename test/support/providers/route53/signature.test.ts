import { expect, test } from "vitest";
import { authenticate, type SignedRequest } from "./signature.ts";

/** Keys and requests of AWS's Signature Version 4 test suite, whose examples get-vanilla and get-vanilla-query-order-key-case these are. */
const CREDENTIAL = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const SCOPE = { service: "service", region: "us-east-1", now: 0 };
const signed = (target: string, signature: string): SignedRequest => ({
  ...{ method: "GET", target, body: Buffer.alloc(0) },
  headers: {
    host: "example.amazonaws.com",
    "x-amz-date": "20150830T123600Z",
    authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  },
});
const VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
const QUERY = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
const find = (id: string) => (id === CREDENTIAL.accessKeyId ? CREDENTIAL : undefined);

test("the suite's signatures are right, and for nothing else", () => {
  expect(authenticate(signed("/", VANILLA), find, SCOPE)).toBe(CREDENTIAL);
  expect(authenticate(signed("/?Param2=value2&Param1=value1", QUERY), find, SCOPE)).toBe(CREDENTIAL);
  expect(() => authenticate(signed("/?Param1=value1", QUERY), find, SCOPE)).toThrow("does not match");
});

test("a secret that the test does not name is not looked at, a session's end is", () => {
  const free = { accessKeyId: "AKIDEXAMPLE" };
  expect(authenticate(signed("/", "0".repeat(64)), () => free, SCOPE)).toBe(free);
  expect(() => authenticate(signed("/", VANILLA), () => ({ ...CREDENTIAL, expiresAt: 0 }), SCOPE)).toThrow("expired");
  expect(() => authenticate(signed("/", VANILLA), () => ({ ...CREDENTIAL, sessionToken: "token" }), SCOPE)).toThrow("invalid");
  expect(() => authenticate(signed("/", VANILLA), find, { ...SCOPE, wallClock: 0 })).toThrow("Signature expired");
});
