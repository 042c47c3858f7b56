import { expect, test } from "vitest";
import { type Network, parseNetwork } from "../../src/model/ip.ts";
import { type AddressPolicy, forbiddenAddress } from "./address-check.ts";

const allowing = (...texts: string[]): AddressPolicy => ({ allow: texts.flatMap((text): Network[] => [parseNetwork(text)!]), refuse: [] });
const strict = allowing();

const cases: readonly { address: string; to: string | undefined }[] = [
  { address: "192.0.2.1", to: undefined },
  { address: "10.1.2.3", to: undefined }, // clusters live in private networks
  { address: "2001:db8::1", to: undefined },
  { address: "fd12:3456::1", to: undefined },
  { address: "127.0.0.1", to: "loopback" },
  { address: "127.255.255.255", to: "loopback" },
  { address: "128.0.0.0", to: undefined },
  { address: "::1", to: "loopback" },
  { address: "::ffff:127.0.0.1", to: "loopback" },
  { address: "::ffff:7f00:1", to: "loopback" },
  { address: "::127.0.0.1", to: "loopback" },
  { address: "64:ff9b::127.0.0.1", to: "loopback" },
  { address: "64:ff9b::192.0.2.1", to: undefined },
  { address: "::ffff:192.0.2.1", to: undefined },
  { address: "169.254.169.254", to: "metadata service" },
  { address: "169.254.170.2", to: "metadata service" },
  { address: "::ffff:169.254.169.254", to: "metadata service" },
  { address: "fd00:ec2::254", to: "metadata service" },
  { address: "fd20:ce::254", to: "metadata service" },
  { address: "168.63.129.16", to: "metadata service" },
  { address: "169.254.1.1", to: "link-local" },
  { address: "fe80::1", to: "link-local" },
  { address: "febf::1", to: "link-local" },
  { address: "fec0::1", to: undefined },
  { address: "224.0.0.1", to: "multicast" },
  { address: "ff02::1", to: "multicast" },
  { address: "0.0.0.0", to: "unspecified" },
  { address: "0.1.2.3", to: "unspecified" },
  { address: "::", to: "unspecified" },
  { address: "::ffff:0.0.0.0", to: "unspecified" },
  { address: "255.255.255.255", to: "broadcast or reserved" },
  { address: "::ffff:255.255.255.255", to: "broadcast or reserved" },
  { address: "shop.example.org", to: "no IP address" },
  { address: "127.1", to: "no IP address" },
  { address: "2130706433", to: "no IP address" },
  { address: "", to: "no IP address" },
];
test.each(cases)("$address: $to", ({ address, to }) => expect(forbiddenAddress(address, 80, strict)).toBe(to));

test("an allowed network opens its addresses and no others", () => {
  const policy = allowing("127.0.10.0/24");
  expect(forbiddenAddress("127.0.10.1", 80, policy)).toBeUndefined();
  expect(forbiddenAddress("::ffff:127.0.10.1", 80, policy)).toBeUndefined();
  expect(forbiddenAddress("127.0.11.1", 80, policy)).toBe("loopback");
  expect(forbiddenAddress("::1", 80, policy)).toBe("loopback");
});

test("API servers are refused at their port, in every form of their address, unless their network is allowed", () => {
  const apiServers = () => [{ address: "198.51.100.7", port: 6443 }];
  expect(forbiddenAddress("198.51.100.7", 6443, { ...strict, apiServers })).toBe("API server");
  expect(forbiddenAddress("::ffff:198.51.100.7", 6443, { ...strict, apiServers })).toBe("API server");
  expect(forbiddenAddress("198.51.100.7", 443, { ...strict, apiServers })).toBeUndefined();
  expect(forbiddenAddress("198.51.100.8", 6443, { ...strict, apiServers })).toBeUndefined();
  expect(forbiddenAddress("198.51.100.7", 6443, { ...allowing("198.51.100.0/24"), apiServers })).toBeUndefined();
});

test("our own listeners are refused, allowed network or not, in every form of their address", () => {
  const policy: AddressPolicy = {
    ...allowing("127.0.0.0/8", "::/0"),
    refuse: [
      { address: "127.0.0.1", port: 8053 },
      { address: "2001:db8::5", port: 443 },
    ],
  };
  expect(forbiddenAddress("127.0.0.1", 8053, policy)).toBe("our own listener");
  expect(forbiddenAddress("::ffff:127.0.0.1", 8053, policy)).toBe("our own listener");
  expect(forbiddenAddress("2001:DB8:0::5", 443, policy)).toBe("our own listener");
  expect(forbiddenAddress("127.0.0.1", 8054, policy)).toBeUndefined();
  expect(forbiddenAddress("2001:db8::6", 443, policy)).toBeUndefined();
});
