import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CliRun, runCli } from "../../../test/support/run-cli.ts";
import { COUNTRY_FILE } from "../../../test/support/world/compile-test-world.ts";
import { demoManifests } from "../demo/world.ts";
import type { Io } from "../io.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "simulate-"));
  for (const [name, text] of demoManifests(8080)) write(name, text);
  write("small.mmdb", COUNTRY_FILE);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string | Buffer): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

/** Few clients of five countries: what is looked at here is the command, not the world. */
const simulate = (...args: readonly string[]): Promise<CliRun> =>
  runCli(["simulate", ...(args.includes("--mmdb") ? [] : ["--mmdb", "small.mmdb"]), "--clients", "2000", ...args], { cwd: folder });
const shop = (): string => readFileSync(join(folder, "route-shop.yaml"), "utf8");

describe("bad usage and bad input end with 2", () => {
  test.each<{ name: string; args: readonly string[]; says: RegExp }>([
    { name: "nothing to do", args: [], says: /nothing would change\. Say what: --down CLUSTER/ },
    { name: "no such cluster", args: ["--down", "eu-wets"], says: /there is no MemberCluster called eu-wets\. Did you mean eu-west\?/ },
    { name: "no such route", args: ["--down", "eu-west", "--route", "shpo"], says: /no one GlobalRoute called shpo/ },
    { name: "two configurations", args: ["--policy", "a", "--compare", "b"], says: /do not go together/ },
    {
      name: "a server and a folder",
      args: ["--down", "x", "--config", ".", "--server", "http://127.0.0.1:1"],
      says: /cannot be used with/,
    },
    { name: "an empty name", args: ["--down", "eu-west,,us-east"], says: /Write names of clusters/ },
    { name: "no clients", args: ["--down", "eu-west", "--clients", "0"], says: /Write a number from 1/ },
    { name: "no percent", args: ["--down", "eu-west", "--max-changed", "101"], says: /from 0 to 100/ },
    { name: "no such folder", args: ["--down", "eu-west", "--config", "/nowhere"], says: /does not exist/ },
    { name: "no such list", args: ["--down", "eu-west", "--clients", "none.csv"], says: /none\.csv cannot be read \(ENOENT\)/ },
    { name: "no such geo file", args: ["--down", "eu-west", "--mmdb", "none.mmdb"], says: /none\.mmdb.*does not exist/ },
  ])("$name", async ({ args, says }) => {
    const { code, stderr, stdout } = await simulate(...args);
    expect(stderr).toMatch(says);
    expect([code, stdout]).toEqual([2, ""]);
  });

  test("a file is told with its line", async () => {
    write("peak.csv", "country,requests_per_second\nUK,5\n");
    write("clients.csv", "network,weight\n192.0.2.300,5\n");
    expect((await simulate("--down", "eu-west", "--at-load", "peak.csv")).stderr).toContain('peak.csv:2: "UK" is not a country. Write GB');
    expect((await simulate("--down", "eu-west", "--clients", "clients.csv")).stderr).toContain(
      'clients.csv:2: "192.0.2.300" is no address',
    );
  });

  test("objects with errors are told as validate tells them", async () => {
    const bad = write("bad.txt", shop().replace("order: Nearest", "order: Nearst"));
    const { code, stderr } = await simulate("--policy", bad);
    expect(code).toBe(2);
    expect(stderr).toMatch(/bad\.txt:\d+:\d+: error: GlobalRoute default\/shop/);
  });
});

describe("a running server", () => {
  const says = (path: string): Partial<Io> => ({
    fetch: async () =>
      Response.json({
        ...{ clusters: [], table: { version: 1, age: 0 }, config: { path, problems: [] }, overrides: [], degraded: [] },
        routes: [
          {
            ...{ namespace: "default", name: "shop", hosts: [], order: "Nearest", sticky: false, servedBy: [], lastFailover: null },
            backends: ["eu-west", "us-east"].map((name) => ({
              ...{ name, cluster: name, addresses: [], standing: "Unhealthy", since: null, reason: "", weight: 100, failbackAt: null },
              health: name === "us-east" ? "Unhealthy" : "Healthy",
            })),
          },
        ],
      }),
  });
  const ask = (path: string): Promise<CliRun> => {
    const args = ["--server", "http://127.0.0.1:1", "--down", "eu-west", "--route", "shop", "--mmdb", "small.mmdb", "--clients", "500"];
    return runCli(["simulate", ...args, "--output", "json"], { cwd: folder, ...says(path) });
  };

  test("its folder is taken, and what it has found unhealthy is out before and after", async () => {
    const { code, stdout } = await ask(folder);
    const { routes, notes } = JSON.parse(stdout);
    expect(code).toBe(0);
    const us = routes[0].clusters.find(({ cluster }: { cluster: string }) => cluster === "us-east");
    expect([us.before.weight, us.after.weight]).toEqual([0, 0]);
    expect(notes).toContain("unhealthy already, says the server: default/shop/us-east");
  });

  test("a folder of another machine is bad input", async () => {
    const { code, stderr } = await ask("/on/another/machine");
    expect(code).toBe(2);
    expect(stderr).toContain("which is no folder of this machine");
  });
});

describe("what is printed", () => {
  test("who moves, for people, without colours and in few columns", async () => {
    const { code, stdout } = await simulate("--down", "eu-west");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^eu-west down \(the demo\) for 2,000 clients of the world, \d+\.\d million people\n/);
    expect(stdout).toMatch(/default\/eu {2}eu\.demo\.example\n {2}0\.\d % of clients move\n/);
    expect(stdout).toMatch(/ {2}Germany +eu-west → us-east +\d+ %/);
    expect(stdout).toMatch(/note: the geo databases hold no network of AD, AE, .* and 2\d\d more: their people are left out/);
    expect(stdout).toMatch(
      /\n\d+(\.\d)? % of clients would move, over all routes; at most \d+(\.\d)? % of one route's; no Require rule would be broken\.\n$/,
    );
    expect(stdout).not.toContain("\u001b");
    for (const line of stdout.split("\n")) if (!line.startsWith("note:")) expect(line.length).toBeLessThanOrEqual(120);
  });

  test("a policy file: who would get another answer, and a threshold for CI", async () => {
    const policy = write(
      "new.txt",
      shop().replace("cluster: sa-east, addresses: [127.0.10.4]", "cluster: eu-central, addresses: [127.0.10.5]"),
    );
    const run = (...more: readonly string[]) => simulate("--config", folder, "--policy", policy, "--output", "json", ...more);
    const { total, routes, ...others } = JSON.parse((await run()).stdout);
    const page = readFileSync(new URL("../../../docs/simulate.md", import.meta.url), "utf8");
    const form = /^`\{(scenario[^`]*)`/m.exec(page)?.[1] ?? "";
    for (const member of [...Object.keys(others), ...Object.keys(routes[0])]) expect(form).toMatch(new RegExp(`\\b${member}\\b`));
    expect(routes.map((route: { route: string; changed: { share: number } }) => [route.route, route.changed.share > 0])).toEqual([
      ["default/app", false],
      ["default/eu", false],
      ["default/shop", true],
    ]);
    const percent = 100 * total.mostChanged;
    expect((await run("--max-changed", String(Math.floor(percent)))).code).toBe(1);
    expect((await run("--max-changed", String(Math.ceil(percent)))).code).toBe(0);
  });

  test("the same folder is no change", async () => {
    const { code, stdout } = await simulate("--config", folder, "--compare", folder, "--max-changed", "0");
    expect(code).toBe(0);
    expect(stdout).toContain("nobody moves; 0 % would get another answer");
    expect(stdout).toContain("At most 0 % of a route's clients would get another answer; --max-changed is 0 %.");
  });

  test("host names among addresses count as an address of each family", async () => {
    const named = write("named.txt", shop().replaceAll(/addresses: \[127\.0\.10\.(\d)\]/g, "addresses: [site$1.example.org]"));
    const { stdout } = await simulate("--config", folder, "--policy", named, "--down", "eu-west", "--route", "shop", "--output", "json");
    const { routes, notes } = JSON.parse(stdout);
    expect(routes[0].modes.after).toEqual({ Usable: expect.anything() });
    expect(notes).toContainEqual(expect.stringContaining("nothing is resolved here"));
  });

  test("a list of clients with load, against capacity", async () => {
    const sized = write("sized.txt", shop().replaceAll(/(addresses: \[[^\]]*\])/g, "$1, capacity: 100"));
    write("mix.csv", "network,requests_per_second\n198.51.100.64/27,90\n198.51.100.7,30\n");
    const args = ["--config", folder, "--policy", sized, "--down", "us-east,ap-northeast,sa-east", "--route", "default/shop"];
    const { stdout } = await simulate(...args, "--clients", "mix.csv");
    expect(stdout).toMatch(/eu-west +25 % +100 % +\+75\.0 +30 → 120 +100\/s +120 %/);
    expect(stdout).toContain("Overloaded: eu-west at default/shop, 120 % of its capacity.");
  });
});

test("the report is one page that asks nobody for anything", async () => {
  write("load.csv", "country,requests_per_second\nIE,5\n*,100\n");
  const hostile = write("a<script>.txt", shop());
  const run = await simulate("--config", folder, "--policy", hostile, "--down", "eu-west", "--at-load", "load.csv", "--report", "out.html");
  expect([run.code, run.stderr]).toEqual([0, "globalroute: out.html is written.\n"]);
  const page = readFileSync(join(folder, "out.html"), "utf8");
  expect(page).not.toMatch(/<(?:script|link|img|iframe)|https?:|url\(|@import/i);
  // Every picture has a name, every name that is referred to is there, once.
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);
  expect(new Set(ids).size).toBe(ids.length);
  const wanted = [...page.matchAll(/(?:aria-labelledby|href)="#?([^"]+)"/g)].flatMap(([, names]) => names!.split(" "));
  expect(wanted.filter((id) => !ids.includes(id))).toEqual([]);
  expect([...page.matchAll(/<svg(?![^>]*(?:aria-labelledby|aria-hidden))/g)]).toEqual([]);
  expect(page).toContain("Germany to us-east: ");
});
