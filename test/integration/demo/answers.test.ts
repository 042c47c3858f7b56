/** Who is sent where, as dig and kdig see it, against an oracle that reads the geo data by itself. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireComponent } from "../../support/component.ts";
import { type Demo, startDemo } from "../../support/demo.ts";
import { dig } from "../../support/dig.ts";
import { defaultOracleWorld, nearestAnswer, oracleSites } from "../../support/oracle/demo-world.ts";

const run = promisify(execFile);
const world = defaultOracleWorld();
const sites = oracleSites(["eu-west", "us-east", "ap-northeast", "sa-east"]);
const addressOf = (name: string | undefined): string | undefined => sites.find((site) => site.name === name)?.address;

describe.skipIf(!(requireComponent("dns-clients", "dig") && requireComponent("dns-clients", "kdig")))("the demo", () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await startDemo();
  });
  afterAll(() => demo?.stop());

  const clients = [
    { where: "DE", subnet: "91.64.0.0/24", nearest: "eu-west" },
    { where: "US", subnet: "12.1.0.0/16", nearest: "us-east" },
    { where: "JP", subnet: "126.0.0.0/24", nearest: "ap-northeast" },
    { where: "BR", subnet: "200.147.0.0/20", nearest: "sa-east" },
    { where: "ZA", subnet: "41.0.0.0/24", nearest: "sa-east" },
    { where: "AU", subnet: "1.128.0.0/24", nearest: "ap-northeast" },
  ];

  test.each(clients)("a client in $where ($subnet) gets $nearest, with the scope that the geo data allows", async ({ subnet, nearest }) => {
    const answer = await dig(demo.dnsPort, `+subnet=${subnet}`, "shop.demo.example", "A");
    const right = nearestAnswer(world, sites, subnet.split("/")[0] ?? "");
    expect(right.order[0]).toBe(nearest);
    expect(answer).toMatchObject({ status: "NOERROR", answers: [addressOf(nearest)], ttls: [5], subnet: `${subnet}/${right.scope}` });
    expect(answer.flags).toContain("aa");
  });

  test.each(clients)("a client in $where gets the same over TCP", async ({ subnet, nearest }) => {
    const answer = await dig(demo.dnsPort, "+tcp", `+subnet=${subnet}`, "shop.demo.example", "A");
    expect(answer.answers).toEqual([addressOf(nearest)]);
  });

  test("an IPv6 client network (FAMILY 2) is placed too", async () => {
    const answer = await dig(demo.dnsPort, "+subnet=2a02:8100::/48", "shop.demo.example", "A");
    expect(answer.answers).toEqual([addressOf("eu-west")]);
    expect(answer.subnet).toBe(`2a02:8100::/48/${nearestAnswer(world, sites, "2a02:8100::").scope}`);
  });

  test("without a client subnet the resolver's own address counts, and none is echoed", async () => {
    const answer = await dig(demo.dnsPort, "+nosubnet", "shop.demo.example", "A");
    expect(answer.subnet).toBeUndefined();
    expect(answer.answers).toHaveLength(1);
  });

  test("source 0 asks us not to look at the client: scope 0", async () => {
    const answer = await dig(demo.dnsPort, "+subnet=0/0", "shop.demo.example", "A");
    expect(answer.subnet).toBe("0.0.0.0/0/0");
    expect(answer.answers).toHaveLength(1);
  });

  test("AAAA is NODATA with the SOA, not NXDOMAIN", async () => {
    const answer = await dig(demo.dnsPort, "+subnet=91.64.0.0/24", "shop.demo.example", "AAAA");
    expect(answer).toMatchObject({ status: "NOERROR", answers: [] });
    expect(answer.authority).toHaveLength(1);
    expect(answer.authority[0]).toMatch(/^demo\.example\. 5 IN SOA ns1\.demo\.example\. hostmaster\.demo\.example\. /);
  });

  test("a name that is not there is NXDOMAIN, a name of others is refused", async () => {
    expect(await dig(demo.dnsPort, "nobody.demo.example", "A")).toMatchObject({ status: "NXDOMAIN" });
    expect(await dig(demo.dnsPort, "example.org", "A")).toMatchObject({ status: "REFUSED" });
  });

  test("kdig agrees, over UDP and TCP", async () => {
    for (const transport of ["+notcp", "+tcp"]) {
      const { stdout } = await run("kdig", [
        "@127.0.0.1",
        "-p",
        String(demo.dnsPort),
        transport,
        "+subnet=91.64.0.0/24",
        "shop.demo.example",
        "A",
      ]);
      expect(stdout).toContain("status: NOERROR");
      expect(stdout).toMatch(/shop\.demo\.example\.\s+5\s+IN\s+A\s+127\.0\.10\.1\n/);
      expect(stdout).toContain(`CLIENT-SUBNET: 91.64.0.0/24/${nearestAnswer(world, sites, "91.64.0.0").scope}\n`);
    }
  });

  test("a sticky client network keeps its site", async () => {
    const ask = async (): Promise<readonly string[]> =>
      (await dig(demo.dnsPort, "+subnet=198.51.100.0/24", "app.demo.example", "A")).answers;
    const first = await ask();
    expect(first).toHaveLength(1);
    for (let i = 0; i < 10; i++) expect(await ask()).toEqual(first);
  });
});
