import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { edgeBackend, edgePlanOf, haproxyOptions, haproxyRoute } from "../../../test/support/haproxy/haproxy-routes.ts";
import { createHaproxyFleet } from "./haproxy-fleet.ts";

test("a folder that is gone is made again for the files", async () => {
  const root = mkdtempSync(join(tmpdir(), "globalroute-test-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, "office", "one");
  const config = { ...haproxyOptions, folder, adminSocket: `${folder}/admin.sock` };
  const ports = { now: () => 0, random: () => 0.5, setTimer: () => () => {} };
  const fleet = createHaproxyFleet({ members: [{ name: "one", config }], ports });
  fleet.update(new Map([["one", { routes: [haproxyRoute(edgePlanOf([edgeBackend("a", ["192.0.2.1"])]))], classes: [] }]]));
  await fleet.close(); // once its files are written
  for (const name of ["hosts.map", "wildcards.map", "clients.map", "plans.map", "haproxy.cfg"])
    expect([name, existsSync(join(folder, name))]).toEqual([name, true]);
});
