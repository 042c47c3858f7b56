import { expect, test } from "vitest";
import { ADDRESS_PATTERN, parseAddress } from "./address.ts";

test.each([
  ["192.0.2.10", "192.0.2.10"],
  ["127.0.10.1", "127.0.10.1"],
  ["2001:DB8:0:0::10", "2001:db8::10"],
  ["lb.example.org", "lb.example.org"],
])("%s is read as %s", (text, value) => {
  expect(parseAddress(text)).toEqual({ value });
  expect(text).toMatch(new RegExp(ADDRESS_PATTERN));
});

test.each([
  ["192.0.2.10:443", "address-syntax", "Write 192.0.2.10:"],
  ["[2001:db8::1]:443", "address-syntax", "Write 2001:db8::1:"],
  ["lb.example.org:443", "address-syntax", "Write lb.example.org:"],
  ["https://lb.example.org", "address-syntax", "bare address"],
  ["192.0.2.0/24", "address-syntax", "single addresses"],
  ["192.0.2.300", "address-syntax", "0 to 255"],
  ["192.0.2.010", "address-syntax", "leading zeros"],
  ["2001:db8::1::2", "address-syntax", "2001:db8::10"],
  ["LB.example.org", "address-syntax", "lb.example.org"],
  ["*.example.org", "address-syntax", "one whole host name"],
  ["0.0.0.0", "address-unusable", "clients of the site"],
  ["::", "address-unusable", "clients of the site"],
  ["255.255.255.255", "address-unusable", "clients of the site"],
  ["224.0.0.1", "address-unusable", "clients of the site"],
  ["ff02::1", "address-unusable", "clients of the site"],
  ["::ffff:192.0.2.1", "address-unusable", "192.0.2.1."],
])("%s is refused as %s", (text, code, remedy) => {
  expect(parseAddress(text)).toMatchObject({ fault: { code, remedy: expect.stringContaining(remedy) } });
});
