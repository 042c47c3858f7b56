/**
 * A signed zone on a BIND of somebody else delegates zones that we answer, and GlobalRoute keeps the delegation: through servers that are not there
 * yet, keys that come, change and go, and objects that are removed. What holds is what a validating resolver finds. Needs root, for port 53.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TsigKey } from "../../../src/dns/transfer/tsig.ts";
import { requireComponent } from "../../support/component.ts";
import { type DigAnswer, dig } from "../../support/dig.ts";
import { createObjectsFolder, type ObjectsFolder } from "../../support/objects-folder.ts";
import { type Primary, startBindPrimary } from "../../support/providers/primaries.ts";
import { startResolver } from "../../support/resolvers.ts";
import { runCli } from "../../support/run-cli.ts";
import { type Server, startServer } from "../../support/serve.ts";
import { validators } from "../../support/validators.ts";

const KEY: TsigKey = {
  name: "globalroute.example.org",
  algorithm: "hmac-sha256",
  secret: new TextEncoder().encode("a secret of thirty-two bytes here"),
};
/** Our server has the first two; nobody has the third. */
const [FIRST, SECOND, NOBODY] = ["127.0.75.2", "127.0.75.3", "127.0.75.4"] as const;
const CHILD = "apps.example.org";

const head = (kind: string, name: string): string =>
  `---\napiVersion: globalroute.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}}\n`;

interface ChildZone {
  readonly name?: string;
  readonly second?: string;
  /** Members of `dnssec`, in flow style. */
  readonly dnssec?: string;
  /** Member `delegation`, in flow style. */
  readonly delegation?: string | undefined;
}
const childZone = ({ name = "apps", second = SECOND, dnssec, delegation = "{parent: example-org}" }: ChildZone = {}): string =>
  `${head("DNSZone", name)}spec:
  domain: ${name}.example.org
  ${delegation === "" ? "" : `delegation: ${delegation}`}
  provider:
    type: Embedded
    embedded:
      nameservers: [ns1.${name}.example.org, ns2.${name}.example.org]
      soa: {ttl: 1s, minimum: 1s}
      records:
      - {name: ns1, type: A, ttl: 1s, values: [${FIRST}]}
      - {name: ns2, type: A, ttl: 1s, values: [${second}]}
      - {name: www, type: A, ttl: 1s, values: [192.0.2.80]}
${dnssec === undefined ? "" : `      dnssec: ${dnssec}\n`}`;

const isHere =
  process.getuid?.() === 0 &&
  [requireComponent("bind", "named"), requireComponent("dns-clients", "dig"), requireComponent("unbound", "unbound")].every((one) => one);

describe.skipIf(!isHere)("a delegation that is kept", () => {
  let parent: Primary;
  let folder: ObjectsFolder;
  let state: string;
  let server: Server;
  let anchor: string;
  const keys: string[] = [];

  const parentZone = (policy: string): string => `${head("DNSZone", "example-org")}spec:
  domain: example.org
  owner: prod-eu
  policy: ${policy}
  provider:
    type: RFC2136
    rfc2136:
      server: {host: 127.0.0.1, port: ${parent.port}}
      key: {name: ${KEY.name}, file: writer.key}
`;
  const atParent = (name: string, type: string): Promise<DigAnswer> => dig(parent.port, "+norecurse", "+dnssec", name, type);
  /** Names of the NS that the parent sends resolvers to, sorted. */
  const referral = async (child = CHILD): Promise<readonly string[]> =>
    (await atParent(child, "NS")).authority.flatMap((line) => / NS (\S+)$/.exec(line)?.[1] ?? []).sort();
  const dsTags = async (): Promise<readonly string[]> =>
    (await atParent(CHILD, "DS")).answers.flatMap((one) => /^(\d+) 13 2 /.exec(one)?.[1] ?? []).sort();
  const degraded = async (): Promise<string> => (await fetch(`${server.admin}/readyz`)).text();
  async function becomes<T>(look: () => Promise<T>, wanted: T, seconds = 20): Promise<void> {
    for (let tries = 0; ; tries++) {
      const found = await look().catch((error: unknown) => error);
      if (JSON.stringify(found) === JSON.stringify(wanted)) return;
      if (tries > seconds * 5) throw new Error(`never ${JSON.stringify(wanted)}, but ${JSON.stringify(found)}:\n${server.log()}`);
      await setTimeout(200);
    }
  }
  /** What a validating resolver with empty caches says of www in the zone: `NOERROR secure 192.0.2.80`. */
  async function resolved(name = `www.${CHILD}`): Promise<string> {
    const [unbound] = validators(anchor);
    const resolver = await startResolver(unbound!, "example.org", parent.port, "www.example.org");
    try {
      const { status, flags, answers } = await dig(resolver.port, "+dnssec", name, "A");
      return [status, flags.includes("ad") ? "secure" : "insecure", ...answers.filter((one) => /^[\d.]+$/.test(one))].join(" ");
    } finally {
      await resolver.stop();
    }
  }
  const newKey = async (name: string): Promise<string> => {
    const { stdout } = await runCli(["dnssec", "keygen", "--domain", CHILD, "--out", join(folder.path, name)]);
    return /\sDS\s(\d+) /.exec(stdout)![1]!;
  };

  beforeAll(async () => {
    const records = `geo NS ns1.geo\ngeo NS ns9.geo\nns1.geo A ${FIRST}\nns9.geo A ${NOBODY}\n`;
    parent = await startBindPrimary(KEY, { records, isSigned: true });
    state = mkdtempSync(join(tmpdir(), "globalroute-state-"));
    const dnskeys = join(state, "dnskeys");
    for (let tries = 0; ; tries++) {
      const { answers } = await dig(parent.port, "example.org", "DNSKEY");
      writeFileSync(dnskeys, answers.map((one) => `example.org. 3600 IN DNSKEY ${one}\n`).join(""));
      const { stdout } = await promisify(execFile)("dnssec-dsfromkey", ["-2", "-f", dnskeys, "example.org"]).catch(() => ({ stdout: "" }));
      const signed = (await atParent("example.org", "SOA")).text.includes("RRSIG");
      anchor = stdout.trim();
      if (anchor !== "" && signed) break;
      if (tries > 50) throw new Error(`the parent is not signed:\n${parent.log()}`);
      await setTimeout(200);
    }
    folder = createObjectsFolder();
    folder.write("writer.key", Buffer.from(KEY.secret).toString("base64"));
    folder.write("shop.yaml", "# no routes\n");
    folder.write("zone.yaml", parentZone("UpsertOnly"));
    folder.write("apps.yaml", childZone({ second: NOBODY }));
    const listen = [FIRST, SECOND].flatMap((address) => ["--listen", `${address}:53`]);
    server = await startServer("--config", folder.path, "--state", state, ...listen, "--json");
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await parent?.stop();
    folder?.remove();
    rmSync(state, { recursive: true, force: true });
  });

  test("waits for a server that does not answer, and says so", async () => {
    await becomes(async () => (await degraded()).includes("delegation-waiting"), true);
    expect(await referral()).toEqual([]);
    expect(server.log()).toContain(`ns2.${CHILD} (${NOBODY}) refused the connection: nothing listens there`);
    const { stdout } = await runCli(["plan", "example-org", "--server", server.admin]);
    expect(stdout).toContain(`waits: the delegation of ${CHILD}: ns2.${CHILD} (${NOBODY})`);
  });

  test("is made when all of them answer, with glue, and the zone is found", async () => {
    folder.write("apps.yaml", childZone());
    await becomes(referral, [`ns1.${CHILD}.`, `ns2.${CHILD}.`]);
    expect((await atParent(CHILD, "NS")).text).toMatch(new RegExp(`ns2\\.${CHILD}\\.\\s+1\\s+IN\\s+A\\s+${SECOND}`));
    expect((await atParent("apps._delegations._globalroute.example.org", "TXT")).answers.join()).toContain("globalroute/owner=prod-eu");
    expect(await resolved()).toBe("NOERROR insecure 192.0.2.80");
    await becomes(async () => (await degraded()).includes("delegation-waiting"), false);
  });

  test("what somebody else delegates is left to them, until it is asked for", async () => {
    folder.write("geo.yaml", childZone({ name: "geo" }));
    await becomes(async () => server.log().includes("not ours and left alone: geo.example.org NS (Foreign)"), true);
    expect(await referral("geo.example.org")).toEqual(["ns1.geo.example.org.", "ns9.geo.example.org."]);
    folder.write("geo.yaml", childZone({ name: "geo", delegation: "{parent: example-org, adopt: true}" }));
    await becomes(() => referral("geo.example.org"), ["ns1.geo.example.org.", "ns2.geo.example.org."]);
    expect((await atParent("ns9.geo.example.org", "A")).text).not.toContain(NOBODY);
  });

  test("gets a DS when the zone is signed, and the chain is whole at each step of a rollover", async () => {
    keys.push(await newKey("one.pem"), await newKey("two.pem"));
    const dnssec = (one: string | undefined, two: string | undefined): string => {
      const entries = [
        ["one", one],
        ["two", two],
      ].filter(([, status]) => status !== undefined);
      return `{keys: [${entries.map(([name, status]) => `{name: ${name}, file: ${name}.pem, state: ${status}}`).join(", ")}]}`;
    };
    const steps = [
      { keys: dnssec("Active", undefined), ds: [keys[0]!] },
      { keys: dnssec("Active", "Published"), ds: [...keys].sort() },
      { keys: dnssec("Published", "Active"), ds: [...keys].sort() },
      { keys: dnssec("Retired", "Active"), ds: [keys[1]!] },
      { keys: dnssec(undefined, "Active"), ds: [keys[1]!] },
    ];
    for (const step of steps) {
      folder.write("apps.yaml", childZone({ dnssec: step.keys }));
      await becomes(dsTags, step.ds);
      expect(await resolved()).toBe("NOERROR secure 192.0.2.80");
    }
    expect(server.log()).toContain("it comes when the zone's keys have been seen for");
  }, 120_000);

  test("is what `check zone` finds in order, and `plan` has nothing to do", async () => {
    const where = ["--parent", `127.0.0.1:${parent.port}`, "--resolver", `127.0.0.1:${parent.port}`, "--config", folder.path];
    const { stdout } = await runCli(["check", "zone", CHILD, ...where, "--output", "json"], { now: Date.now });
    const { steps } = JSON.parse(stdout) as { readonly steps: readonly { readonly name: string; readonly status: string }[] };
    expect(
      steps.filter(({ status }) => status === "failed"),
      stdout,
    ).toEqual([]);
    const drifted = await runCli(["check", "zone", CHILD, ...where, "--drift", "--output", "json"], { now: Date.now });
    expect((JSON.parse(drifted.stdout) as { readonly steps: readonly object[] }).steps.at(-1)).toMatchObject({
      name: "drift",
      status: "ok",
    });
    for (const name of ["parent", "nameservers", "glue", "dnssec"])
      expect(steps.find((step) => step.name === name)?.status, stdout).toBe("ok");
    expect((await runCli(["plan", "example-org", "--server", server.admin])).stdout).toContain("no changes");
  });

  test("loses its DS before the zone loses its keys", async () => {
    const { stdout } = await runCli(["status", "--server", server.admin]);
    expect(stdout).not.toContain("delegation-waiting");
    folder.write("apps.yaml", childZone({ dnssec: "{keys: [{name: two, file: two.pem}], delegation: Insecure}" }));
    await becomes(dsTags, []);
    expect(await resolved()).toBe("NOERROR insecure 192.0.2.80");
    folder.write("apps.yaml", childZone());
    await setTimeout(1000);
    expect(await resolved()).toBe("NOERROR insecure 192.0.2.80");
  });

  test("stays when nobody asks for it any more, until somebody confirms that it goes", async () => {
    folder.write("apps.yaml", childZone({ delegation: "" }));
    folder.write("geo.yaml", "# gone\n");
    await setTimeout(2000);
    expect(await referral()).toEqual([`ns1.${CHILD}.`, `ns2.${CHILD}.`]);
    folder.write("zone.yaml", parentZone("Sync"));
    await becomes(async () => (await degraded()).includes("removals-held"), true);
    expect(await referral()).toEqual([`ns1.${CHILD}.`, `ns2.${CHILD}.`]);
    await runCli(["confirm", "--server", server.admin, "--state", state]);
    await becomes(referral, []);
    await becomes(() => referral("geo.example.org"), []);
    expect((await atParent("www.example.org", "A")).answers[0]).toContain("192.0.2.99");
  });
});
