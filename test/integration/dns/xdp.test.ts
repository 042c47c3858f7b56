/** DNS over AF_XDP on `lo` of a network namespace: the kernel's verifier, rings and loopback are the real ones. Needs root. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { Rcode, Type } from "../../../src/dns/wire/codes.ts";
import { requireComponent } from "../../support/component.ts";
import type { XdpScene } from "../../support/xdp-scene.ts";

const script = fileURLToPath(new URL("../../support/xdp-scene.ts", import.meta.url));
const SETTINGS = "for name in route_localnet accept_local; do echo 1 > /proc/sys/net/ipv4/conf/lo/$name; done";

describe.skipIf(process.getuid?.() !== 0 || !requireComponent("namespaces", "unshare"))("AF_XDP", () => {
  let scene: XdpScene;
  beforeAll(async () => {
    const inside = `ip link set lo up; ${SETTINGS}; exec "$@"`;
    const { stdout } = await promisify(execFile)("unshare", ["--net", "sh", "-c", inside, "sh", process.execPath, script], {
      timeout: 60_000,
    });
    scene = JSON.parse(stdout.trim().split("\n").at(-1)!) as XdpScene;
  }, 70_000);

  test("answers are those of the other transports, byte for byte, over IPv4 and IPv6", () => {
    expect(scene.different).toEqual([]);
    expect(scene.compared).toBe(64);
  });

  test("queries pass by the kernel's UDP sockets", () => {
    expect(scene.perQuery.v4).toBeLessThan(1.1);
    expect(scene.perQuery.v6).toBeLessThan(1.1);
    expect(scene.told).toEqual(["lo"]);
  });

  test("what another thread must sign is answered from the right address and port", () => {
    expect(scene.denial).toEqual({ rcode: Rcode.NOERROR, types: [Type.SOA, Type.RRSIG, Type.NSEC] });
  });

  test("while a worker is being replaced sockets answer, and then it reads its queue again", () => {
    expect(scene.killed.asked).toBeGreaterThan(400);
    expect(scene.killed.lost).toBeLessThanOrEqual(64); // what it held in its hands
    expect(scene.killed.perQueryAfterwards).toBeLessThan(1.1);
  });

  test("where it cannot be had it is said once, with the reason, and sockets answer", () => {
    expect(scene.fallback).toEqual({
      error: "AF_XDP cannot be had on nosuch0 (there is no network interface nosuch0): its queries come through sockets",
      answered: true,
    });
  });

  test("nothing stays at the interface when the server has stopped", () => {
    expect(scene.isClean).toBe(true);
  });
});
