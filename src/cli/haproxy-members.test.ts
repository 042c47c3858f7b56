import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HaproxyFleetSpec, HaproxyMemberSpec } from "../model/inventory.ts";
import { parseNetwork } from "../model/ip.ts";
import { createHaproxyMembers, type HaproxyMembersOptions } from "./haproxy-members.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "globalroute-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const member = (more: Partial<HaproxyMemberSpec> = {}): HaproxyMemberSpec => ({
  ...{ name: "one", place: "lisbon", reload: "Master", listen: [{ address: "192.0.2.80", port: 80 }] },
  ...more,
});
const fleet = (...members: readonly HaproxyMemberSpec[]): HaproxyFleetSpec => ({
  ...{ type: "HAProxy", name: "office", endpointCaFile: "/ca.pem", trustedHops: 0, members },
  places: [{ name: "lisbon", location: { latitude: 0, longitude: 0, label: "" } }],
});
const start = (more: Partial<HaproxyMembersOptions> = {}) =>
  createHaproxyMembers({
    ...{ folder, addresses: { allow: [], refuse: [] }, onStatus: () => {} },
    ports: { now: () => 0, random: () => 0.5, setTimer: () => () => {} },
    ...more,
  });

test("each member has a folder of its own, which only we and our group can read", async () => {
  const members = start();
  expect(members.use([fleet(member(), member({ name: "two" }))])).toEqual(new Map([["office", []]]));
  for (const name of ["one", "two"]) expect(statSync(join(folder, "office", name)).mode & 0o007).toBe(0);
  expect(members.status("office")).toEqual([
    { name: "one", place: "lisbon", state: "Unreachable" },
    { name: "two", place: "lisbon", state: "Unreachable" },
  ]);
  await members.close();
});

test("without the operator's folder nothing is written, and that is told", async () => {
  const members = start({ folder: undefined });
  expect(members.use([fleet(member())]).get("office")).toEqual([
    "This server writes no HAProxy's configuration. Start it with --haproxy-dir DIR.",
  ]);
  expect(members.status("office")).toEqual([]);
  members.update("office", [], []);
  await members.close();
});

test.each(["127.0.0.1", "169.254.169.254", "::1"])(
  "an object cannot have us connect to %s unless the operator allows it",
  async (address) => {
    const spec = fleet(member({ admin: { address, port: 9999 } }));
    const members = start();
    expect(members.use([spec]).get("office")?.[0]).toMatch(
      /^HAProxy one: .* is not connected to \(.*\)\. Correct admin, or allow its network with --probe-allow\.$/,
    );
    expect(existsSync(join(folder, "office"))).toBe(false);
    await members.close();
    const allowing = start({
      addresses: { allow: [parseNetwork(address.includes(":") ? `${address}/128` : `${address}/32`)!], refuse: [] },
    });
    expect(allowing.use([spec]).get("office")).toEqual([]);
    await allowing.close();
  },
);

test.skipIf(!existsSync("/proc/self"))(
  "a folder below /proc is told, not waited for: there Node's own way of making folders never ends",
  async () => {
    const members = start({ folder: "/proc/globalroute" });
    expect(members.use([fleet(member())]).get("office")?.[0]).toMatch(
      /^Its folder below \/proc\/globalroute cannot be made: ENOENT.*--haproxy-dir\.$/,
    );
    await members.close();
  },
);

test("a folder that cannot be made is told, and other fleets go on", async () => {
  writeFileSync(join(folder, "office"), "a file");
  const members = start();
  const problems = members.use([fleet(member()), { ...fleet(member()), name: "lab" }]);
  expect(problems.get("office")?.[0]).toMatch(/^Its folder below .* cannot be made: /);
  expect(problems.get("lab")).toEqual([]);
  await members.close();
});
