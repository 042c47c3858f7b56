import { describe, expect, test } from "vitest";
import { luaFaults, readSettings } from "./lua-setup.ts";

const GOOD = {
  "enable-lua-records": "yes",
  launch: "gsqlite3,geoip",
  "geoip-database-files": "mmdb:/var/lib/geo/countries.mmdb",
  "edns-subnet-processing": "yes",
  "lua-records-exec-limit": "1000",
};
const faults = (more: Readonly<Record<string, string>>, needs: { isEnabledInZone?: boolean; isGeographic?: boolean } = {}) =>
  luaFaults(new Map(Object.entries({ ...GOOD, ...more })), "example.org", { isEnabledInZone: false, isGeographic: true, ...needs });

describe("what a server lacks for LUA records", () => {
  test("nothing, when all is set", () => expect(faults({})).toEqual([]));
  test("nothing is held against one that does not tell", () =>
    expect(luaFaults(new Map(), "example.org", { isEnabledInZone: false, isGeographic: true })).toEqual([]));

  const cases: readonly { name: string; more: Readonly<Record<string, string>>; isFatal: boolean; remedy: string }[] = [
    { name: "they are off", more: { "enable-lua-records": "no" }, isFatal: true, remedy: "Set enable-lua-records=yes" },
    { name: "no geoip backend", more: { launch: "gmysql" }, isFatal: true, remedy: "Add geoip to launch" },
    { name: "no mmdb file", more: { "geoip-database-files": "" }, isFatal: true, remedy: "Name the mmdb files" },
    { name: "too few steps", more: { "lua-records-exec-limit": "100" }, isFatal: true, remedy: "lua-records-exec-limit to 1000" },
    { name: "ECS is not read", more: { "edns-subnet-processing": "no" }, isFatal: false, remedy: "Set edns-subnet-processing=yes." },
  ];
  test.each(cases)("$name", ({ more, isFatal, remedy }) =>
    expect(faults(more)).toMatchObject([{ isFatal, remedy: expect.stringContaining(remedy) }]),
  );

  test("off for the server and on for the zone, as its operator says", () =>
    expect(faults({ "enable-lua-records": "no" }, { isEnabledInZone: true })).toEqual([]));
  test("no geo data are needed by scripts that do not ask where clients are", () =>
    expect(faults({ launch: "gmysql", "edns-subnet-processing": "no" }, { isGeographic: false })).toEqual([]));
  test("a limit of 0 is none", () => expect(faults({ "lua-records-exec-limit": "0" })).toEqual([]));
});

test("settings as the API tells them", () => {
  const told = [{ name: "launch", type: "ConfigSetting", value: "gsqlite3" }, { name: 1 }, null];
  expect(readSettings(told)).toEqual(new Map([["launch", "gsqlite3"]]));
  expect(readSettings({})).toBeUndefined();
});
