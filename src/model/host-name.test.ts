import fc from "fast-check";
import { expect, test } from "vitest";
import { HOST_PATTERN, parseHost, WILDCARD_HOST_PATTERN } from "./host-name.ts";

const wild = { wildcard: true };

test.each([
  "example.org",
  "a.b-c.example.org",
  "xn--bcher-kva.example",
  "*.example.org",
  "3com.example",
  "localhost",
  `${"a".repeat(63)}.example`,
])("%s is a host", (host) => expect(parseHost(host, wild)).toEqual({ value: host }));

test.each([
  ["Shop.Example.org", "host-uppercase", "Write shop.example.org."],
  ["bücher.example", "host-idn", "xn--bcher-kva.example."],
  ["*.bücher.example", "host-idn", "*.xn--bcher-kva.example."],
  ["bücher:80.example", "host-idn", "A-labels"],
  ["example.org.", "host-syntax", "Write example.org:"],
  ["https://example.org", "host-syntax", "no scheme"],
  ["example.org:443", "host-syntax", "port"],
  ["example..org", "host-syntax", "one dot"],
  ["-a.example.org", "host-syntax", "hyphen"],
  ["a_b.example.org", "host-syntax", "letters, digits and hyphens"],
  [`${"a".repeat(64)}.example`, "host-syntax", "63"],
  [`${"a.".repeat(126)}example`, "host-syntax", "253"],
  ["a.*.example.org", "host-syntax", "whole first label"],
  ["*shop.example.org", "host-syntax", "whole first label"],
  ["*", "host-syntax", "whole first label"],
  ["192.0.2.1", "host-syntax", "shop.example.org"],
  ["shop example.org", "host-syntax", "white space"],
  ["", "host-syntax", "shop.example.org"],
])("%j is refused as %s and told the remedy", (host, code, remedy) => {
  expect(parseHost(host, wild)).toMatchObject({ fault: { code, remedy: expect.stringContaining(remedy) } });
});

test("a wildcard is refused where one name is needed", () => {
  expect(parseHost("*.example.org", { wildcard: false })).toMatchObject({ fault: { code: "host-syntax", message: "is a wildcard" } });
});

test("the API server's patterns are never stricter than the decoder", () => {
  const letters = fc.constantFrom("a", "z", "0", "-", ".", "*", "A", "_", "ü");
  fc.assert(
    fc.property(fc.string({ unit: letters, maxLength: 12 }), (text) => {
      if ("value" in parseHost(text, wild)) expect(text).toMatch(new RegExp(WILDCARD_HOST_PATTERN));
      if ("value" in parseHost(text, { wildcard: false })) expect(text).toMatch(new RegExp(HOST_PATTERN));
    }),
    { numRuns: 2000 },
  );
});
