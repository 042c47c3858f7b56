/** The commands that read a running server: real HTTP against a view that keeps state. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { FAKE_TOKEN, startFakeServer } from "../../../test/support/fake-server.ts";
import type { FakeView } from "../../../test/support/fake-view.ts";
import { type CliRun, runCli } from "../../../test/support/run-cli.ts";
import type { AdminServer } from "../../admin/server.ts";
import type { Io } from "../io.ts";

let view: FakeView;
let admin: AdminServer;
let url: string;

beforeEach(async () => {
  ({ view, admin, url } = await startFakeServer());
});
afterEach(() => admin.stop());

const run = (args: readonly string[], io: Partial<Io> = {}): Promise<CliRun> => runCli([...args, "--server", url], io);

describe("status", () => {
  test("of a server without objects is no empty table", async () => {
    const { status } = view;
    view.status = () => ({ ...status(), clusters: [], routes: [], overrides: [] });
    const { code, stdout } = await run(["status"]);
    expect([code, stdout.split("\n").slice(-2)]).toEqual([0, ["no routes: nothing but the records of zones is answered", ""]]);
  });

  test("of a server without routes says so behind its clusters", async () => {
    const { status } = view;
    view.status = () => ({ ...status(), routes: [], overrides: [] });
    expect((await run(["status"])).stdout).toMatch(/eu-west .*\n[\s\S]*\n\nno routes: nothing but the records of zones is answered\n$/);
  });

  test("shows clusters, who is served where, and what is degraded", async () => {
    view.degraded = ["geo-stale"];
    view.setHealth("eu-west", "Unhealthy");
    const { code, stdout } = await run(["status"]);
    expect(code).toBe(0);
    expect(stdout.replaceAll(url, "http://SERVER")).toBe(`http://SERVER  ready  table 7, 34 s old
objects  /etc/globalroute
degraded: geo-stale

CLUSTER  STATE   HEALTH     ENDPOINTS  PROBE    SINCE     LOCATION       REASON
eu-west  Active  Unhealthy  0/1                 90 s ago  aws eu-west-1  timeout
us-east  Active  Healthy    2/2        12.3 ms  90 s ago  38.95,-77.45

default/shop  shop.example.org  (Nearest)
  BACKEND  CLUSTER  STANDING   WEIGHT  SERVES  COUNTRIES             SINCE     REASON
  eu-west  eu-west  Unhealthy  100     nobody                        90 s ago  timeout
  us-east  us-east  Usable     100     100 %   CN IN US ID PK NG +2  90 s ago
  last failover eu-west → us-east, 0 s ago: eu-west is Unhealthy
`);
  });

  test("shows fleets of proxies, and who of them does not follow", async () => {
    view.patchStatus({
      fleets: [
        {
          ...{ name: "edge", type: "Envoy", problems: ["Envoy lost says no locality.region."] },
          proxies: { connected: 3, current: 1, rejected: 1 },
          members: [
            { name: "e1", place: "paris", state: "Rejected", problem: "no such file", routes: ["default/shop"] },
            { name: "e2", place: "paris", state: "Pending" },
          ],
        },
        {
          ...{ name: "office", type: "HAProxy", problems: [], proxies: { connected: 1, current: 1, rejected: 0 } },
          members: [{ name: "one", place: "lisbon", state: "Current" }],
        },
      ],
    });
    const { code, stdout } = await run(["status"]);
    expect(code).toBe(0);
    expect(stdout.slice(stdout.indexOf("FLEET"))).toBe(`FLEET   TYPE     PROXIES  CURRENT  REJECTED
edge    Envoy    3        1        1
office  HAProxy  1        1        0
  edge: Envoy lost says no locality.region.
  edge/e1 at paris: Rejected, no such file
  edge/e2 at paris: Pending
`);
    expect(JSON.parse((await run(["status", "-o", "json"])).stdout).fleets).toHaveLength(2);
  });

  test("shows problems of the objects, pending failbacks and overrides", async () => {
    const problem = {
      severity: "error",
      code: "field-type",
      file: "a.yaml",
      line: 3,
      column: 5,
      path: "DNSZone x",
      message: "is wrong",
      remedy: "Mend it.",
    } as const;
    const [route] = view.status().routes;
    const at = new Date(Date.parse("2026-11-21T12:00:40Z")).toISOString();
    view.patchStatus({
      config: { path: "/etc/globalroute", problems: [...Array.from({ length: 6 }, () => problem), { ...problem, severity: "warning" }] },
      overrides: [{ name: "default/drain-eu-west", target: "MemberCluster eu-west", action: "Drain", reason: "upgrade", until: at }],
      routes: [
        { ...route!, sticky: true, backends: route!.backends.map((backend, i) => ({ ...backend, failbackAt: i === 0 ? at : "approval" })) },
      ],
    });
    const { stdout } = await run(["status"]);
    expect(stdout).toContain(
      "objects  /etc/globalroute  6 errors, 1 warning\n  a.yaml:3:5: error: DNSZone x: is wrong. Mend it. [field-type]\n",
    );
    expect(stdout).toContain("  … and 2 more problems\n");
    expect(stdout).toContain("(Nearest, sticky)");
    expect(stdout).toMatch(/eu-west .* in 40 s\n/);
    expect(stdout).toMatch(/us-east .* needs approval\n/);
    expect(stdout).toMatch(/^Drain +MemberCluster eu-west +2026-11-21T12:00:40\.000Z +default\/drain-eu-west +upgrade$/m);
  });

  test("exits 1 while the server is not ready, and still shows what there is", async () => {
    admin.shutdownBegan();
    const { code, stdout } = await run(["status"]);
    expect(code).toBe(1);
    expect(stdout).toContain("not ready");
  });

  test.each([
    { format: "json", read: (text: string): unknown => JSON.parse(text) },
    { format: "yaml", read: (text: string): unknown => parse(text) },
  ])("--output $format is the API's answer", async ({ format, read }) => {
    expect(read((await run(["status", "--output", format])).stdout)).toEqual(view.status());
  });

  test.each([
    { name: "on a terminal", isTTY: true, env: {}, colours: true },
    { name: "in a pipe", isTTY: false, env: {}, colours: false },
    { name: "with NO_COLOR", isTTY: true, env: { NO_COLOR: "1" }, colours: false },
    { name: "on a dumb terminal", isTTY: true, env: { TERM: "dumb" }, colours: false },
  ])("$name: colours $colours", async ({ isTTY, env, colours }) => {
    let text = "";
    const stdout = { isTTY, write: (part: string) => (text += part) };
    await run(["status"], { stdout, env });
    expect(text.includes("\u001b[")).toBe(colours);
  });
});

describe("explain", () => {
  test("tells place, rules, tier, answer and every candidate on one screen", async () => {
    const { code, stdout } = await run(["explain", "shop.example.org", "--client", "81.2.69.160"]);
    expect(code).toBe(0);
    expect(stdout).toBe(`shop.example.org A for 81.2.69.160: eu-west at 192.0.2.1

place   country GB (United Kingdom); continent EU; at 51.5, -0.1
route   default/shop
rules   gdpr (Require): country GB is one of clients.countries
tier    1 serves: the first with a usable backend
answer  TTL 30 s, scope /14

TIER  CLUSTER  ADDRESS       HEALTH   DISTANCE       LATENCY  WEIGHT  SHARE  WHY
→ 1   eu-west  192.0.2.1     Healthy    464 km   14 ms model     100  100 %  nearest of the first tier
  –   us-east  198.51.100.1  Healthy   5918 km  119 ms model     100    0 %  rule gdpr excludes it

note: no loaded database carries subdivisions
`);
  });

  test("--output json is the API's answer, and networks and AAAA can be asked for", async () => {
    const { stdout } = await run(["explain", "shop.example.org", "--client", "2001:db8::/56", "--type", "AAAA", "--output", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ client: "2001:db8::/56", family: "AAAA", addresses: ["192.0.2.1"] });
  });

  test("an answer that is drawn anew each time is not told as the only one", async () => {
    const { explain } = view;
    view.explain = (...question) => {
      const answer = explain(...question);
      return answer.ok
        ? { ok: true, explanation: { ...answer.explanation, shares: { "eu-west": 0.5, "us-east": 0.5, tokyo: 0 } } }
        : answer;
    };
    const { stdout } = await run(["explain", "shop.example.org", "--client", "192.0.2.1"]);
    expect(stdout).toMatch(/^[^\n]*: eu-west at 192\.0\.2\.1 this time \(2 clusters share this client's answers\)\n/);
  });

  test("candidates are listed in the order in which they would serve", async () => {
    const { explain } = view;
    view.explain = (...question) => {
      const answer = explain(...question);
      return answer.ok
        ? { ok: true, explanation: { ...answer.explanation, candidates: answer.explanation.candidates.toReversed() } }
        : answer;
    };
    const { stdout } = await run(["explain", "shop.example.org", "--client", "192.0.2.1"]);
    expect(stdout.indexOf("→ 1   eu-west")).toBeLessThan(stdout.indexOf("  –   us-east"));
    expect(stdout).toContain("→ 1   eu-west");
  });

  test("an answer that cannot be given exits 1 and says what the client gets", async () => {
    const { explain } = view;
    view.explain = (...question) => {
      const answer = explain(...question);
      return answer.ok
        ? { ok: true, explanation: { ...answer.explanation, mode: "Nothing", tier: null, clusters: [], addresses: [] } }
        : answer;
    };
    const { code, stdout } = await run(["explain", "shop.example.org", "--client", "192.0.2.1"]);
    expect(code).toBe(1);
    expect(stdout).toContain("nothing can be answered (SERVFAIL)");
    expect(stdout).toContain("tier    no backend may be answered");
  });

  test("a host that no route has exits 1 and names those that there are", async () => {
    const { code, stderr } = await run(["explain", "other.example.org", "--client", "192.0.2.1"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^globalroute: No route has the host other\.example\.org\. Routes have: shop\.example\.org\. `globalroute status`/,
    );
  });

  test("a client that is no address is bad usage, told before any server is asked", async () => {
    const { code, stderr } = await run(["explain", "shop.example.org", "--client", "300.1.1.1"], { fetch: () => expect.unreachable() });
    expect(code).toBe(2);
    expect(stderr).toContain("Write an address or a network");
  });
});

describe("confirm", () => {
  let state: string;
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "globalroute-confirm-"));
    writeFileSync(join(state, "admin.token"), `${FAKE_TOKEN}\n`);
  });
  afterEach(() => rmSync(state, { recursive: true }));

  test("accepts what is held, by the token of the state folder; a second time there is nothing", async () => {
    view.held.push("accepted: 3 routes vanished");
    expect(await run(["confirm", "--state", state])).toEqual({ code: 0, stdout: "accepted: 3 routes vanished\n", stderr: "" });
    expect(await run(["confirm", "--state", state])).toMatchObject({ code: 1, stdout: "Nothing was held back.\n" });
  });

  test("a token that no header can carry is refused before it is sent, and not printed", async () => {
    const { code, stderr } = await run(["confirm"], { env: { GLOBALROUTE_TOKEN: "half-a-secret\nother-half" } });
    expect([code, stderr]).toEqual([2, expect.stringContaining("GLOBALROUTE_TOKEN holds characters that no token has")]);
    expect(stderr).not.toContain("half");
  });

  test("GLOBALROUTE_TOKEN goes before the file", async () => {
    view.held.push("held");
    const { code, stderr } = await run(["confirm", "--state", state], { env: { GLOBALROUTE_TOKEN: "wrong-token-wrong-token" } });
    expect([code, view.held]).toEqual([1, ["held"]]);
    expect(stderr).toMatch(/token is not the server's.*admin\.token/);
  });

  test("without a token it says where one would be", async () => {
    const { code, stderr } = await run(["confirm"], { env: { XDG_STATE_HOME: join(state, "none") } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/none\/globalroute\/admin\.token.*--state.*GLOBALROUTE_TOKEN/);
  });
});

describe("which server", () => {
  test("GLOBALROUTE_SERVER names it, --server goes before that", async () => {
    expect((await runCli(["status"], { env: { GLOBALROUTE_SERVER: `${url}/` } })).code).toBe(0);
    expect((await runCli(["status", "--server", url], { env: { GLOBALROUTE_SERVER: "http://127.0.0.1:1" } })).code).toBe(0);
  });

  test("one that is not there is said with its address and the remedy", async () => {
    await admin.stop();
    const { code, stderr } = await run(["status"]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `globalroute: the server ${url} cannot be reached (ECONNREFUSED). Start one with \`globalroute serve --config DIR\`, or name it with --server URL or GLOBALROUTE_SERVER.\n`,
    );
  });

  test.each([
    {
      name: "speaks another language",
      answer: () => new Response("<html>", { status: 200 }),
      says: /no answer that this version understands/,
    },
    { name: "knows no such path", answer: () => new Response("nope", { status: 404 }), says: /status 404.*admin address/ },
    { name: "is silent", answer: () => Promise.reject(new DOMException("late", "TimeoutError")), says: /did not answer within 10 s/ },
  ])("one that $name is no failure of ours", async ({ answer, says }) => {
    const { code, stderr } = await run(["status"], { fetch: async () => answer() });
    expect(code).toBe(1);
    expect(stderr).toMatch(says);
  });
});
