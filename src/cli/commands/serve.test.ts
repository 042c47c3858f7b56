/** The whole server in this process: real probes, real sockets, a folder that changes. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode, encode } from "dns-packet";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createObjectsFolder, type ObjectsFolder } from "../../../test/support/objects-folder.ts";
import { captureIo, runCli } from "../../../test/support/run-cli.ts";
import { eventSchema } from "../../admin/api-schemas.ts";
import { main } from "../main.ts";

let folder: ObjectsFolder;
let state: string;
const endings: (() => unknown)[] = [];

beforeEach(() => {
  folder = createObjectsFolder();
  state = mkdtempSync(join(tmpdir(), "globalroute-state-"));
  endings.push(() => rmSync(state, { recursive: true }), folder.remove);
});
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** A healthy site on 127.0.0.1, and the route to it. */
async function startSite(): Promise<void> {
  const site = createServer((_request, response) => void response.end("ok")).listen(0, "127.0.0.1");
  await once(site, "listening");
  endings.push(() => site.close());
  routeTo(portOf(site));
}

const routeTo = (port: number): string =>
  folder.write(
    "shop.yaml",
    `apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: shop}
spec:
  hosts: [shop.example.org]
  backends: [{name: eu, cluster: eu-west, addresses: [127.0.0.1]}]
  health: {interval: 1s, timeout: 500ms, fall: 1, probe: {port: ${port}, path: /healthz}}
`,
  );

function portOf(server: Server | TcpServer): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Takes a port of 127.0.0.1; the caller may give it back. */
async function takePort(): Promise<TcpServer> {
  const holder = createTcpServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  endings.push(() => holder.close());
  return holder;
}

interface Running {
  readonly done: Promise<number>;
  readonly signal: (name: "SIGINT" | "SIGTERM") => void;
  readonly aborted: number[];
  /** Puts the command's clock forward. */
  readonly elapse: (milliseconds: number) => void;
  readonly log: () => string;
  /** Facts of the log line "serving". */
  readonly serving: { readonly dns: readonly string[]; readonly admin: string };
}

/** Starts `serve` on free ports and waits for the log line that says that it serves. */
async function start(...more: string[]): Promise<Running> {
  const listeners = new Map<string, () => void>();
  const aborted: number[] = [];
  let ahead = 0;
  let text = "";
  const { promise, resolve } = Promise.withResolvers<Running["serving"]>();
  const listening = Promise.withResolvers<void>();
  const { io } = captureIo({
    now: () => Date.now() + ahead,
    stderr: {
      write: (line) => {
        text += line;
        if (line.includes('"serving"')) resolve(JSON.parse(line));
      },
    },
    onSignal: (name, listener) => {
      listeners.set(name, listener);
      if (name === "SIGTERM") listening.resolve();
      return () => listeners.delete(name);
    },
    abort: (code) => aborted.push(code),
  });
  const signal = (name: string): void => listeners.get(name)?.();
  const free = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state", state, "--probe-allow", "127.0.0.0/8"];
  const done = main(["serve", "--config", folder.path, ...free, ...more], io);
  const serving = await Promise.race([promise, done.then((code) => Promise.reject(new Error(`ended with ${code}: ${text}`)))]);
  await listening.promise; // it comes right behind the log line
  endings.push(async () => {
    signal("SIGTERM");
    await done;
  });
  const elapse = (milliseconds: number): void => {
    ahead += milliseconds;
  };
  return { done, signal, aborted, elapse, log: () => text, serving };
}

/** Addresses, the serial of a SOA record, or texts of class CH that the server answers. */
async function ask(server: string, name: string, type: "A" | "SOA" | "TXT" = "A"): Promise<readonly unknown[]> {
  const socket = createSocket("udp4");
  const [address, port] = server.split(":");
  socket.send(encode({ type: "query", id: 7, questions: [{ name, type, class: type === "TXT" ? "CH" : "IN" }] }), Number(port), address);
  const [message] = await once(socket, "message");
  socket.close();
  return (decode(message).answers ?? []).map((answer) => (answer.type === "SOA" ? answer.data.serial : "data" in answer && answer.data));
}

/** Reads the stream until an event of a kind has come `times`; returns the message of the last. */
async function waitFor(admin: string, kind: string, times = 1): Promise<string> {
  const response = await fetch(`http://${admin}/v1/stream?after=0`);
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const data = [...text.matchAll(new RegExp(`event: ${kind}\\ndata: (.*)\\n\\n`, "g"))][times - 1]?.[1];
    if (data !== undefined) return eventSchema.parse(JSON.parse(data)).message;
  }
  throw new Error(`the stream ended before ${kind}`);
}

describe("a server", () => {
  test("answers by the folder, follows it, and ends clean when asked", async () => {
    await startSite();
    const { serving, done, signal, log } = await start();
    expect(await ask(serving.dns[0]!, "shop.example.org")).toEqual(["127.0.0.1"]);
    expect(await waitFor(serving.admin, "EndpointHealthy")).toContain("eu-west");
    const status = await runCli(["status", "--server", `http://${serving.admin}`]);
    expect(status.stdout).toMatch(/eu-west +Active +Healthy/);
    expect((await (await fetch(`http://${serving.admin}/metrics`)).text()).split("\n")).toEqual(
      expect.arrayContaining([
        'globalroute_dns_queries_total{rcode="NOERROR",type="A",transport="udp"} 1',
        expect.stringMatching(/^globalroute_probe_duration_seconds_count\{cluster="eu-west",result="ok"\} [1-9]/),
        expect.stringMatching(/^globalroute_endpoint_healthy\{cluster="eu-west",address="127\.0\.0\.1:\d+"\} 1$/),
        expect.stringMatching(/^process_resident_memory_bytes \d+$/),
      ]),
    );

    const drained = await runCli(["drain", "eu-west", "--reason", "test", "--for", "1h", "--server", `http://${serving.admin}`], {
      now: Date.now,
    });
    expect(drained.stdout).toContain(`Written: ${folder.path}/overrides/drain-eu-west.yaml`);
    expect(await waitFor(serving.admin, "OverrideBegan")).toContain("Drain MemberCluster eu-west: test");

    const [serial] = await ask(serving.dns[0]!, "example.org", "SOA");
    expect(serial).toBeGreaterThanOrEqual(Math.floor(Date.now() / 1000) - 60); // seconds since the epoch: restarts never go back
    folder.write("us-east.yaml", readFileSync(join(folder.path, "us-east.yaml"), "utf8").replace("us-east-1", "us-east-2"));
    await waitFor(serving.admin, "TablePublished", 2);
    expect((await ask(serving.dns[0]!, "example.org", "SOA"))[0]).toBe(serial); // nothing in the zone has changed
    folder.write(
      "shop.yaml",
      readFileSync(join(folder.path, "shop.yaml"), "utf8").replace("[shop.example.org]", "[shop.example.org, new.example.org]"),
    );
    await waitFor(serving.admin, "TablePublished", 3);
    // the threads that answer take it over a moment after it was published
    await expect.poll(async () => (await ask(serving.dns[0]!, "example.org", "SOA"))[0]).toBeGreaterThan(Number(serial));

    signal("SIGTERM");
    expect(await done).toBe(0);
    await expect(fetch(`http://${serving.admin}/healthz`)).rejects.toThrow();
    expect(
      log()
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).msg),
    ).toEqual(expect.arrayContaining(["serving", "stopping", "stopped"]));
    expect(log()).not.toContain(readFileSync(join(state, "admin.token"), "utf8").trim());
  });

  test("keeps its token over a restart, and starts on a broken folder with what it served before", async () => {
    await startSite();
    const first = await start();
    const token = readFileSync(join(state, "admin.token"), "utf8");
    first.signal("SIGINT");
    await first.done;
    folder.write("broken.yaml", "kind: [\n");
    const second = await start();
    expect(await ask(second.serving.dns[0]!, "shop.example.org")).toEqual(["127.0.0.1"]);
    expect(await (await fetch(`http://${second.serving.admin}/readyz`)).json()).toMatchObject({
      ready: true,
      degraded: expect.arrayContaining(["config-rejected"]),
    });
    expect(readFileSync(join(state, "admin.token"), "utf8")).toBe(token);
    // The objects cannot be used as they are, and still an operator can act.
    const drained = await runCli(["drain", "eu-west", "--reason", "test", "--for", "1h", "--server", `http://${second.serving.admin}`], {
      now: Date.now,
    });
    expect(drained.code).toBe(0);
    expect(await waitFor(second.serving.admin, "OverrideBegan")).toContain("Drain MemberCluster eu-west: test");
  });

  test("has its state folder to itself for as long as it runs, and others may read it", async () => {
    await startSite();
    const { serving, done, signal } = await start();
    const second = ["serve", "--config", folder.path, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state", state];
    const { code, stderr } = await runCli(second, { now: Date.now });
    expect([code, stderr]).toEqual([
      1,
      `globalroute: the state folder ${state} is in use by process ${process.pid}. End that server, or give this one a folder of its own with --state.\n`,
    ]);
    const confirmed = await runCli(["confirm", "--state", state, "--server", `http://${serving.admin}`]);
    expect(confirmed).toMatchObject({ code: 1, stdout: "Nothing was held back.\n" });
    signal("SIGTERM");
    await done;
    await start();
  });

  test("cookies, NSID and rate limits are as the options say, on every thread, and counted", async () => {
    await startSite();
    const { serving } = await start(
      "--rate-limit",
      "5",
      "--rate-limit-exempt",
      "none",
      "--nsid",
      "edge-1",
      "--version-bind",
      "none of them",
    );
    expect(await ask(serving.dns[0]!, "id.server", "TXT")).toEqual([[Buffer.from("edge-1")]]);
    expect(await ask(serving.dns[0]!, "version.bind", "TXT")).toEqual([[Buffer.from("none of them")]]);
    expect(readFileSync(join(state, "cookie.secret"), "utf8")).toMatch(/^[0-9a-f]{32}\n$/);
    const socket = createSocket("udp4");
    const [address, port] = serving.dns[0]!.split(":");
    for (let id = 0; id < 40; id++)
      socket.send(encode({ type: "query", id, questions: [{ name: "shop.example.org", type: "A" }] }), Number(port), address);
    await once(socket, "message");
    socket.close();
    await expect
      .poll(async () => await (await fetch(`http://${serving.admin}/metrics`)).text())
      .toMatch(/dns_rate_limited_total\{action="slipped"\} 1\d/);
  });

  test("never probes itself, whatever a route says", async () => {
    const holder = await takePort();
    const port = portOf(holder);
    await new Promise((resolve) => holder.close(resolve));
    routeTo(port);
    const { serving } = await start("--admin", `127.0.0.1:${port}`);
    expect(await waitFor(serving.admin, "EndpointUnhealthy")).toContain("forbidden-address");
  });

  test("a second signal ends the process at once", async () => {
    await startSite();
    const { signal, aborted, done, elapse } = await start();
    signal("SIGINT");
    elapse(2000);
    signal("SIGTERM");
    expect(aborted).toEqual([1]);
    await done;
  });
});

describe("a start that cannot succeed says why, and leaves nothing open", () => {
  const serve = (...more: string[]) =>
    runCli(["serve", "--config", folder.path, "--state", state, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", ...more], {
      now: Date.now,
    });

  test("a name in broken objects cannot begin a line of its own", async () => {
    folder.write(
      "broken.yaml",
      'apiVersion: globalroute.dev/v1alpha1\nkind: MemberCluster\nmetadata: {name: "a\\n/etc/b.yaml:1:1: error"}\n',
    );
    for (const { code, stderr } of [await serve(), await runCli(["explain", "a", "--client", "::1", "--config", folder.path])]) {
      expect(code).toBe(2);
      expect(stderr).toContain("MemberCluster a\ufffd/etc/b.yaml");
    }
  });

  test("objects with errors: exit 2 and every problem with its place", async () => {
    const broken = folder.write("broken.yaml", "kind: [\n");
    const { code, stderr } = await serve();
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`globalroute: .*${folder.path}[\\s\\S]*${broken}:\\d+:\\d+: error: `));
  });

  test("no folder: exit 2", async () => {
    const { code, stderr } = await serve("--config", join(folder.path, "missing"));
    expect([code, stderr]).toEqual([2, expect.stringContaining("[path-missing]")]);
  });

  test("a folder of comments: exit 2", async () => {
    for (const name of ["eu-west", "us-east", "zone", "shop"]) folder.write(`${name}.yaml`, "# nothing yet\n");
    const { code, stderr } = await serve();
    expect([code, stderr]).toEqual([2, expect.stringMatching(/holds no object, only comments\. Write .*\[folder-empty\]/)]);
  });

  test("a state folder that cannot be made: exit 1, its path and a remedy", async () => {
    for (const path of ["/proc/globalroute", "/proc/globalroute/state", join(folder.path, "shop.yaml"), "/proc"]) {
      const { code, stderr } = await serve("--state", path);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(new RegExp(`the state folder ${path} cannot be used: E.*\\. Make it writable, or .*--state\\.`)),
      ]);
    }
  });

  test("a file of cookie secrets that cannot be used: exit 2, and no secret in the message", async () => {
    const file = join(state, "cookies");
    writeFileSync(file, "00112233445566778899aabbccddee\n");
    const { code, stderr } = await serve("--cookie-secret", file);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/cookies: has something else than one or two lines of 32 hex digits\./)]);
    expect(stderr).not.toContain("0011");
    expect(await serve("--cookie-secret", join(state, "none"))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("does not exist"),
    });
  });

  test("a geo database that is none: exit 2", async () => {
    const { code, stderr } = await serve("--mmdb", join(folder.path, "shop.yaml"));
    expect([code, stderr]).toEqual([2, expect.stringContaining("shop.yaml")]);
  });

  test.each(["--listen", "--admin", "--metrics"])("a port that is taken: exit 1, its address, and the flag %s", async (flag) => {
    const taken = `127.0.0.1:${portOf(await takePort())}`;
    const { code, stderr } = await (flag === "--listen"
      ? runCli(["serve", "--config", folder.path, "--state", state, "--listen", taken, "--admin", "127.0.0.1:0"], { now: Date.now })
      : serve(flag, taken));
    expect(code).toBe(1);
    expect(stderr).toContain(`${taken} is in use`);
    expect(stderr).toContain(`with ${flag}.`);
  });
});

describe("explain --config", () => {
  test("decides as a server would, without one, and says that nothing was probed", async () => {
    const { code, stdout } = await runCli([
      "explain",
      "shop.example.org",
      "--client",
      "81.2.69.160",
      "--config",
      folder.path,
      "--output",
      "json",
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      place: { country: "GB" },
      clusters: ["eu-west"],
      addresses: ["192.0.2.1"],
      candidates: [{ cluster: "eu-west", health: "Unknown" }, { cluster: "us-east" }],
      notes: expect.arrayContaining([expect.stringContaining("nothing was probed")]),
    });
  });

  test.each([
    { name: "objects with errors", args: () => ["--config", folder.write("broken.yaml", "kind: [\n")], code: 2, says: /has errors/ },
    {
      name: "a geo database that is none",
      args: () => ["--config", folder.path, "--mmdb", join(folder.path, "zone.yaml")],
      code: 2,
      says: /zone\.yaml/,
    },
    { name: "a geo database without a folder", args: () => ["--mmdb", "x"], code: 2, says: /--mmdb goes with --config/ },
    {
      name: "a folder and a server",
      args: () => ["--config", folder.path, "--server", "http://127.0.0.1:1"],
      code: 2,
      says: /cannot be used with/,
    },
  ])("$name", async ({ args, code, says }) => {
    const run = await runCli(["explain", "shop.example.org", "--client", "192.0.2.1", ...args()]);
    expect([run.code, run.stderr]).toEqual([code, expect.stringMatching(says)]);
  });

  test.each([
    { host: "other.example.org", says: "The only host is: shop.example.org." },
    { host: "shp.example.org", says: "Did you mean shop.example.org? The only host is: shop.example.org." },
  ])("a host that no route has: $host", async ({ host, says }) => {
    const run = await runCli(["explain", host, "--client", "192.0.2.1", "--config", folder.path]);
    expect(run).toEqual({ code: 1, stdout: "", stderr: `globalroute: No route has the host ${host}. ${says}\n` });
  });
});
