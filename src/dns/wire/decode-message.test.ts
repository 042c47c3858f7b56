import dnsPacket from "dns-packet";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeMessage } from "./decode-message.ts";

const packet: dnsPacket.Packet = {
  id: 7,
  type: "response",
  flags: dnsPacket.AUTHORITATIVE_ANSWER,
  questions: [{ name: "example.org", type: "MX", class: "IN" }],
  answers: [
    { name: "example.org", type: "MX", ttl: 60, data: { preference: 10, exchange: "mail.example.org" } },
    { name: "example.org", type: "A", ttl: 60, data: "192.0.2.1" },
  ],
  authorities: [{ name: "example.org", type: "NS", ttl: 60, data: "ns1.example.org" }],
  additionals: [{ name: "mail.example.org", type: "AAAA", ttl: 60, data: "2001:db8::1" }],
};

test("reads what dns-packet writes", () => {
  const decoded = decodeMessage(dnsPacket.encode(packet));
  expect(decoded).toMatchObject({ id: 7, rcode: 0, opcode: 0, questions: [{ name: "example.org", type: 15, class: 1 }] });
  expect(decoded?.flags).toBe(0x8400);
  expect(decoded?.answers.map(({ name, ttl, data }) => `${name} ${ttl} ${data}`)).toEqual([
    "example.org 60 10 mail.example.org.",
    "example.org 60 192.0.2.1",
  ]);
  expect(decoded?.authorities[0]?.data).toBe("ns1.example.org.");
  expect(decoded?.additionals[0]?.data).toBe("2001:db8::1");
});

test("a prefix of a message is no message, nor is one with bytes left over", () => {
  const bytes = dnsPacket.encode(packet);
  for (let length = 0; length < bytes.length; length++) expect(decodeMessage(bytes.subarray(0, length))).toBeUndefined();
  expect(decodeMessage(Buffer.concat([bytes, Buffer.of(0)]))).toBeUndefined();
});

test("no mutation of a message crashes decoding", () => {
  const bytes = dnsPacket.encode(packet);
  const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(edits, (list) => {
      const mutated = Uint8Array.from(bytes);
      for (const [at, value] of list) mutated[at] = value;
      decodeMessage(mutated);
    }),
    { numRuns: 5000 },
  );
});

test("an extended RCODE, client subnet and extended error come out of OPT", () => {
  const option = [0, 8, 0, 7, 0, 1, 24, 20, 192, 0, 2, 0, 15, 0, 4, 0, 14, 0x68, 0x69]; // 192.0.2.0/24 scope 20; EDE 14 "hi"
  const bytes = Uint8Array.from([0, 1, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 41, 4, 208, 1, 0, 0x80, 0, 0, option.length, ...option]);
  const decoded = decodeMessage(bytes);
  expect(decoded?.rcode).toBe(16);
  expect(decoded?.edns).toMatchObject({ udpSize: 1232, version: 0, dnssecOk: true, extendedErrors: [{ code: 14, text: "hi" }] });
  expect(decoded?.edns?.clientSubnet).toEqual({ family: 1, source: 24, scope: 20, address: Uint8Array.of(192, 0, 2) });
});
