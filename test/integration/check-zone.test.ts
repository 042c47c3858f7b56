/**
 * `globalroute check zone` against a real parent (BIND) and real servers of the zones below it, ours and Knot, each at its own loopback address.
 * First all is well; then one fault after the other is planted, and its step is the one that fails.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ZoneCheck } from "../../src/dns/check/check-zone.ts";
import type { Step } from "../../src/dns/check/step.ts";
import { requireComponent } from "../support/component.ts";
import { freePort } from "../support/free-port.ts";
import { runCli } from "../support/run-cli.ts";
import { type Server, startServer } from "../support/serve.ts";
import { startKnotZones, startNamedZones, startSilent, startUdpOnly, type ZoneServer } from "../support/zone-servers.ts";

const PARENT = "127.0.0.1";
/** Two addresses of our server. */
const [OURS, OURS_TOO] = ["127.0.71.2", "127.0.71.3"];
const [KNOT, SECOND] = ["127.0.71.4", "127.0.71.5"];
/** Where a copy without any knowledge of client subnets is. */
const COPY = "127.0.71.6";

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

/** Clients of an eighth of the world go west. Nobody is healthy there, so that all are answered (fail-open). */
const route = (name: string, host: string): string => `${head("GlobalRoute", name)}spec:
  hosts: [${host}]
  ttl: {min: 5s, max: 30s}
  backends:
  - {name: east, cluster: east, addresses: [192.0.2.10]}
  - {name: west, cluster: west, addresses: [192.0.2.20]}
  routing:
    order: Weighted
    rules: [{name: west, mode: Require, unknownPlace: Skip, clients: {subnets: ["192.0.0.0/3"]}, to: {clusters: [west]}}]
`;
const clusters = `${head("MemberCluster", "east")}spec: {location: {cloud: aws, region: us-east-1}}
${head("MemberCluster", "west")}spec: {location: {cloud: aws, region: us-west-2}}
`;
const embedded = (name: string, second: string, more = ""): string => `${head("DNSZone", name)}spec:
  domain: ${name}.example.org
  provider:
    type: Embedded
    embedded:
      nameservers: [ns1.${name}.example.org, ns2.${name}.example.org]
      records:
      - {name: ns1, type: A, values: [${OURS}]}
      - {name: ns2, type: A, values: [${second}]}
${more}`;

const isHere = [requireComponent("bind", "named"), requireComponent("knot", "knotd"), requireComponent("dns-clients", "dig")].every(
  (one) => one,
);

describe.skipIf(!isHere)("a zone below a parent of BIND", () => {
  let port: number;
  let folder: string;
  let ours: Server;
  /** Presentation form of the DS record of apps.example.org. */
  let ds: string;
  const running: ZoneServer[] = [];

  beforeAll(async () => {
    port = await freePort();
    folder = mkdtempSync(join(tmpdir(), "check-zone-"));
    const config = join(folder, "config");
    mkdirSync(config);
    const { stdout } = await runCli(["dnssec", "keygen", "--domain", "apps.example.org", "--out", join(config, "apps.key")]);
    ds = /\sDS\s(.*)$/m.exec(stdout)![1]!;
    const signed = "      dnssec: {keys: [{name: one, file: apps.key}]}\n";
    const zones = embedded("apps", OURS_TOO, signed) + embedded("geo", COPY);
    writeFileSync(
      join(config, "objects.yaml"),
      clusters + zones + route("shop", "shop.apps.example.org") + route("map", "map.geo.example.org"),
    );
    writeFileSync(join(folder, "writer.key"), Buffer.alloc(32, 7).toString("base64"), { mode: 0o600 });
    const listen = [OURS, OURS_TOO].flatMap((address) => ["--listen", `${address}:${port}`]);
    ours = await startServer("--config", config, "--state", join(folder, "state"), ...listen);
  });
  afterEach(async () => {
    for (const one of running.splice(0).toReversed()) await one.stop();
  });
  afterAll(async () => {
    await ours?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const start = async (server: Promise<ZoneServer>): Promise<void> => void running.push(await server);

  /** The parent zone, with these records of delegations besides its own. */
  const parent = (...records: readonly string[]): Promise<void> => {
    const own = ["@ SOA ns hostmaster 1 3600 600 1209600 300", "@ NS ns", `ns A ${PARENT}`, `elsewhere A ${OURS}`];
    const text = `$TTL 3600\n${[...own, ...records].join("\n")}\n`;
    return start(startNamedZones({ port, zones: { "example.org": text } }));
  };

  async function check(
    name: string,
    ...options: readonly string[]
  ): Promise<{ readonly code: number; readonly failed: readonly string[]; readonly steps: readonly Step[] }> {
    const at = ["--parent", `${PARENT}:${port}`, "--resolver", `${PARENT}:${port}`, "--port", String(port), "--settle", "1s"];
    const { code, stdout, stderr } = await runCli(["check", "zone", `${name}.example.org`, ...at, ...options, "--output", "json"], {
      now: Date.now,
    });
    expect(stderr).toBe("");
    const { zone, ok, steps }: ZoneCheck = JSON.parse(stdout);
    expect([zone, ok]).toEqual([`${name}.example.org`, code === 0]);
    return { code, steps, failed: steps.filter(({ status }) => status === "failed").map((step) => step.name) };
  }

  /** Exactly one step failed: this one, which says so. */
  function expectFault({ code, failed, steps }: Awaited<ReturnType<typeof check>>, name: string, says: RegExp, advises: RegExp): void {
    expect(failed, JSON.stringify(steps, null, 1)).toEqual([name]);
    expect(code).toBe(1);
    const step = steps.find((one) => one.name === name)!;
    expect(step.facts.join("\n")).toMatch(says);
    expect(step.remedy).toMatch(advises);
  }

  describe("answered by GlobalRoute, and signed", () => {
    const objects = (): string[] => ["--config", join(folder, "config")];
    const names = ["apps NS ns1.apps", "apps NS ns2.apps"];
    const glue = [`ns1.apps A ${OURS}`, `ns2.apps A ${OURS_TOO}`];

    test("all is well", async () => {
      await parent(...names, ...glue, `apps DS ${ds}`);
      const { code, steps } = await check("apps", ...objects());
      expect(steps.filter(({ status }) => status !== "ok")).toEqual([]);
      expect(code).toBe(0);
    });

    test("as people see it, and without objects", async () => {
      await parent(...names, ...glue, `apps DS ${ds}`);
      const at = ["--parent", `${PARENT}:${port}`, "--port", String(port)];
      const { code, stdout } = await runCli(["check", "zone", "apps.example.org", ...at], { now: Date.now });
      expect(code, stdout).toBe(0);
      expect(stdout).toMatch(/^✓ dnssec .*DS \d+ leads to the zone's keys/m);
      expect(stdout).toMatch(/^✓ client-subnet .*no host was asked for$/m);
      expect(stdout).toMatch(/^– hosts /m);
      expect(stdout).toMatch(/apps\.example\.org is reached as it should be\n$/);
    });

    test("missing glue", async () => {
      await parent(...names, ...glue.slice(0, 1), `apps DS ${ds}`);
      const found = await check("apps", ...objects());
      expectFault(found, "glue", /ns2\.apps\.example\.org has no glue at the parent/, /`ns2\.apps\.example\.org\. A 127\.0\.71\.3`/);
      expect(found.steps.find(({ name }) => name === "answers")?.facts[0]).toContain("ns2.apps.example.org (127.0.71.3"); // found all the same
    });

    test("glue that is not the zone's", async () => {
      await parent(...names, glue[0]!, `ns2.apps A ${OURS}`, `apps DS ${ds}`);
      expectFault(await check("apps", ...objects()), "glue", /is 127\.0\.71\.2, and the zone says 127\.0\.71\.3/, /Change the glue/);
    });

    test("a name server too many at the parent", async () => {
      await parent(...names, "apps NS elsewhere", ...glue, `apps DS ${ds}`);
      expectFault(
        await check("apps", ...objects()),
        "nameservers",
        /the parent names elsewhere\.example\.org, which is not in DNSZone apps/,
        /Remove `apps\.example\.org\. NS elsewhere\.example\.org\.`/,
      );
    });

    test("a name server too few at the parent", async () => {
      await parent(...names.slice(0, 1), ...glue, `apps DS ${ds}`);
      expectFault(
        await check("apps", ...objects()),
        "nameservers",
        /ns2\.apps\.example\.org is in DNSZone apps/,
        /Add `apps\.example\.org\. NS ns2/,
      );
    });

    test("a DS of another key", async () => {
      await parent(...names, ...glue, `apps DS 1 13 2 ${"ab".repeat(32)}`);
      expectFault(
        await check("apps", ...objects()),
        "dnssec",
        /no DS at the parent is of a key in the zone: the parent has DS 1/,
        new RegExp(`add .*DS ${ds.toLowerCase()}`, "i"),
      );
    });

    test("no DS yet: a warning with the DS", async () => {
      await parent(...names, ...glue);
      const { code, steps } = await check("apps", ...objects());
      expect(code).toBe(0);
      expect(steps.find(({ name }) => name === "dnssec")).toMatchObject({
        status: "warning",
        remedy: expect.stringMatching(new RegExp(`DS ${ds}`, "i")),
      });
    });

    test("not delegated at all", async () => {
      await parent();
      expectFault(
        await check("apps", ...objects(), "--nameserver", `${OURS}:${port}`),
        "parent",
        /\(NXDOMAIN\)/,
        /add `apps\.example\.org\. NS ns1\.apps\.example\.org\.`/,
      );
    });
  });

  test("one server of two knows nothing of client subnets", async () => {
    await parent("geo NS ns1.geo", "geo NS ns2.geo", `ns1.geo A ${OURS}`, `ns2.geo A ${COPY}`);
    const copy = `$TTL 300\n@ SOA ns1 hostmaster 1 3600 600 1209600 30\n@ NS ns1\n@ NS ns2\nns1 A ${OURS}\nns2 A ${COPY}\nmap 30 A 192.0.2.10\n`;
    await start(startKnotZones({ address: COPY, port, zones: { "geo.example.org": copy } }));
    expectFault(
      await check("geo", "--config", join(folder, "config")),
      "client-subnet",
      /ns1\.geo\.example\.org \(127\.0\.71\.2.*\) answers by the client's network.*, and ns2\.geo\.example\.org \(127\.0\.71\.6.*\) ignores it/,
      /GlobalRoute servers/,
    );
  });

  describe("kept on Knot, with a second one beside it", () => {
    const delegation = ["plain NS ns1.plain", "plain NS ns2.plain", `ns1.plain A ${KNOT}`, `ns2.plain A ${SECOND}`];
    const zone = ({ serial = 5, www = "www 30 A 192.0.2.10" } = {}): Readonly<Record<string, string>> => ({
      "plain.example.org": `$TTL 300\n@ SOA ns1 hostmaster ${serial} 3600 600 1209600 30\n@ NS ns1\n@ NS ns2\nns1 A ${KNOT}\nns2 A ${SECOND}\n${www}\n`,
    });
    const knot = (zones = zone()): Promise<void> => start(startKnotZones({ address: KNOT, port, zones }));
    const second = (zones = zone()): Promise<void> => start(startKnotZones({ address: SECOND, port, zones }));

    /** A folder in which the zone is written to Knot. */
    function objects(): string[] {
      const config = join(folder, "plain");
      mkdirSync(config, { recursive: true });
      const provider = `provider: {type: RFC2136, rfc2136: {server: {host: ${KNOT}, port: ${port}}, key: {name: writer, file: ${join(folder, "writer.key")}}}}`;
      const text = `${clusters}${head("DNSZone", "plain")}spec: {domain: plain.example.org, owner: test, ${provider}}\n${route("www", "www.plain.example.org")}`;
      writeFileSync(join(config, "objects.yaml"), text);
      return ["--config", config];
    }

    test("all is well, and the primary is one", async () => {
      await Promise.all([parent(...delegation), knot(), second()]);
      const { code, steps } = await check("plain", ...objects());
      expect(steps.filter(({ status }) => status !== "ok")).toEqual([]);
      expect(steps.at(-1)).toMatchObject({ name: "primary", status: "ok" });
      expect(code).toBe(0);
    });

    test("one server is dead", async () => {
      await Promise.all([parent(...delegation), knot()]);
      expectFault(
        await check("plain", ...objects()),
        "answers",
        /ns2\.plain\.example\.org \(127\.0\.71\.5.*nothing listens there \(UDP and TCP\)/,
        /Start the server/,
      );
    });

    test("one server is silent", async () => {
      await Promise.all([parent(...delegation), knot(), start(startSilent({ address: SECOND, port }))]);
      expectFault(
        await check("plain", ...objects()),
        "answers",
        /ns2\.plain\.example\.org \(127\.0\.71\.5.* did not answer within 2 s \(UDP and TCP\)/,
        /open UDP and TCP port \d+ to it/,
      );
    });

    test("TCP is refused", async () => {
      await Promise.all([parent(...delegation), knot()]);
      await start(startUdpOnly({ address: SECOND, port, to: KNOT }));
      expectFault(
        await check("plain", ...objects()),
        "answers",
        /ns2\.plain\.example\.org \(127\.0\.71\.5.*nothing listens there \(TCP\)/,
        /TCP port|TCP on port/,
      );
    });

    test("a lame server", async () => {
      await Promise.all([parent(...delegation), knot(), second({ "other.example.org": zone()["plain.example.org"]! })]);
      expectFault(
        await check("plain", ...objects()),
        "answers",
        /ns2\.plain\.example\.org.* is lame: it does not serve plain\.example\.org \(REFUSED/,
        /remove `plain\.example\.org\. NS ns2/,
      );
    });

    test("a serial that stays behind", async () => {
      await Promise.all([parent(...delegation), knot(), second(zone({ serial: 3 }))]);
      expectFault(
        await check("plain", ...objects()),
        "serials",
        /ns2\.plain\.example\.org.* has serial 3, 2 behind 5/,
        /NOTIFY and transfer/,
      );
    });

    test("a host that is missing", async () => {
      const zones = zone({ www: "" });
      await Promise.all([parent(...delegation), knot(zones), second(zones)]);
      expectFault(await check("plain", ...objects()), "hosts", /www\.plain\.example\.org A is NXDOMAIN/, /route default\/www/);
    });

    test("a DS, and nothing is signed", async () => {
      await Promise.all([parent(...delegation, `plain DS 1 13 2 ${"ab".repeat(32)}`), knot(), second()]);
      expectFault(await check("plain", ...objects()), "dnssec", /serve the zone unsigned/, /remove `plain\.example\.org\. DS 1 13 2/);
    });

    test("a zone that is written to somewhere else", async () => {
      await Promise.all([parent(...delegation), knot(), second(zone({ serial: 5 }))]);
      const [flag = "", config = ""] = objects();
      const file = join(config, "objects.yaml");
      writeFileSync(
        file,
        `${clusters}${head("DNSZone", "plain")}spec: {domain: plain.example.org, owner: test, provider: {type: RFC2136, rfc2136: {server: {host: ${PARENT}, port: ${port}}, key: {name: writer, file: ${join(folder, "writer.key")}}}}}\n${route("www", "www.plain.example.org")}`,
      );
      expectFault(
        await check("plain", flag, config),
        "primary",
        /^127\.0\.0\.1.* does not serve plain\.example\.org \(no authority/,
        /spec\.provider\.rfc2136\.server of DNSZone plain/,
      );
    });
  });
});
