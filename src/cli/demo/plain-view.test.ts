import { expect, test } from "vitest";
import { eventLine, openingLines, siteLine } from "./plain-view.ts";
import { SITES } from "./world.ts";

const sites = SITES.map((site, i) => ({ ...site, port: 8080, pid: 4710 + i }));

test("the opening names each cluster with address and process, then the listeners, then what to try", () => {
  const lines = openingLines({
    sites,
    dns: [
      { address: "127.0.0.1", port: 5300 },
      { address: "::1", port: 5300 },
    ],
    proxy: "http://127.0.0.1:8088",
    admin: "http://127.0.0.1:8053",
    config: "/tmp/x/config",
    self: "globalroute",
  });
  expect(lines.slice(0, 5)).toEqual([
    "eu-west       127.0.10.1:8080  pid 4710  Dublin",
    "us-east       127.0.10.2:8080  pid 4711  N. Virginia",
    "ap-northeast  127.0.10.3:8080  pid 4712  Tokyo",
    "sa-east       127.0.10.4:8080  pid 4713  São Paulo",
    "eu-central    127.0.10.5:8080  pid 4714  Frankfurt",
  ]);
  expect(lines).toContain("DNS      127.0.0.1:5300  [::1]:5300");
  expect(lines).toContain("HTTP     http://127.0.0.1:8088");
  expect(lines).toContain("admin    http://127.0.0.1:8053");
  expect(lines.filter((line) => line.startsWith("  dig @127.0.0.1 -p 5300 "))).toHaveLength(3);
  expect(lines.at(-2)).toContain("globalroute demo down eu-west");
});

test("a site that is down has no process", () => {
  expect(siteLine({ ...sites[0]!, pid: undefined })).toBe("eu-west       127.0.10.1:8080  down  Dublin");
});

test("an event is one line with its time of day", () => {
  const at = new Date(2026, 10, 21, 9, 5, 7).getTime();
  const event = { id: 1, at, kind: "Failover", object: "GlobalRoute default/shop", message: "clients moved", details: {} } as const;
  expect(eventLine(event)).toBe("09:05:07 Failover GlobalRoute default/shop: clients moved");
});
