import type { NetworkInterfaceInfo } from "node:os";
import { expect, test } from "vitest";
import { expandWildcards } from "./local-addresses.ts";

const has = (address: string): NetworkInterfaceInfo => {
  const rest = { address, netmask: "", mac: "", internal: false, cidr: null };
  return address.includes(":") ? { ...rest, family: "IPv6", scopeid: 0 } : { ...rest, family: "IPv4" };
};
const interfaces = {
  lo: [has("127.0.0.1"), has("::1")],
  eth0: [has("192.0.2.1"), has("2001:db8::1"), has("fe80::1"), has("169.254.3.4")],
  gone: undefined,
};

test("0.0.0.0 is every IPv4 address, :: every IPv6 one, link-local ones left out", () => {
  expect(expandWildcards([{ address: "0.0.0.0", port: 53 }], interfaces).map(({ address }) => address)).toEqual(["127.0.0.1", "192.0.2.1"]);
  expect(expandWildcards([{ address: "::", port: 53 }], interfaces).map(({ address }) => address)).toEqual(["::1", "2001:db8::1"]);
});

test("an address named and meant by a wildcard is opened once; another port is another listener", () => {
  const listen = [
    { address: "192.0.2.1", port: 53 },
    { address: "0.0.0.0", port: 53 },
    { address: "192.0.2.1", port: 54 },
  ];
  expect(expandWildcards(listen, interfaces).map(({ address, port }) => `${address} ${port}`)).toEqual([
    "192.0.2.1 53",
    "127.0.0.1 53",
    "192.0.2.1 54",
  ]);
});
