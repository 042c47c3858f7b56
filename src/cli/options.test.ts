import { describe, expect, test } from "vitest";
import { captureIo } from "../../test/support/run-cli.ts";
import { parseCidr, parseListenAddress, parsePeriod, stateFolder } from "./options.ts";
import { parseVantageLocation } from "./vantage-location.ts";

describe("listen addresses", () => {
  test.each([
    ["127.0.0.1:8053", { address: "127.0.0.1", port: 8053 }],
    ["[::1]:0", { address: "::1", port: 0 }],
    ["0.0.0.0:53", { address: "0.0.0.0", port: 53 }],
  ])("%s", (text, address) => expect(parseListenAddress(text)).toEqual(address));
  test.each(["", ":53", "127.0.0.1", "127.0.0.1:", "[127.0.0.1]:53", "::1:53", "[::1]", "127.0.0.1:65536", "127.0.0.1:5x", "host:53"])(
    "%j is none",
    (text) => expect(() => parseListenAddress(text)).toThrow(/ADDRESS:PORT/),
  );
});

test.each([
  ["192.0.2.0/24", "192.0.2.0/24"],
  ["127.0.0.1", "127.0.0.1/32"],
  ["2001:DB8:0::/48", "2001:db8::/48"],
])("the network %s is %s", (text, cidr) => expect(parseCidr(text)).toBe(cidr));

test("a period is above zero", () => {
  expect(parsePeriod("1h30m")).toBe(5_400_000);
  expect(() => parsePeriod("0s")).toThrow(/longer/);
});

test.each([
  { name: "the option, from the working folder", option: "state", env: { HOME: "/home/a", XDG_STATE_HOME: "/x" }, folder: "/work/state" },
  { name: "XDG_STATE_HOME", option: undefined, env: { HOME: "/home/a", XDG_STATE_HOME: "/x" }, folder: "/x/globalroute" },
  {
    name: "the home folder, when that is empty",
    option: undefined,
    env: { HOME: "/home/a", XDG_STATE_HOME: "" },
    folder: "/home/a/.local/state/globalroute",
  },
])("the state folder: $name", ({ option, env, folder }) => expect(stateFolder(option, captureIo({ cwd: "/work", env }).io)).toBe(folder));

describe("where the vantage is", () => {
  test("a region of the table", () =>
    expect(parseVantageLocation("aws/eu-west-1")).toMatchObject({ country: "IE", continent: "EU", label: "aws eu-west-1" }));
  test("coordinates", () =>
    expect(parseVantageLocation("-33.9,151.2")).toEqual({ latitude: -33.9, longitude: 151.2, label: "-33.9,151.2" }));
  test.each(["aws", "aws/eu-west-1/a", "1;2", "90.5,0", "0,180.5", "aws/nowhere"])("%s is none", (text) =>
    expect(() => parseVantageLocation(text)).toThrow(),
  );
});
