/** Everything that a signed zone answers is secure for those who check: delv and kdig, and two resolvers with validation on. Over both transports. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Rcode, Type } from "../../../src/dns/wire/codes.ts";
import { decodeMessage } from "../../../src/dns/wire/decode-message.ts";
import { encodeQuery } from "../../../src/dns/wire/encode-query.ts";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { askUdp } from "../../support/dns-client.ts";
import { type Resolver, startResolver } from "../../support/resolvers.ts";
import { EAST, GONE, type SignedServer, startSignedServer, WEST } from "../../support/signed-server.ts";
import { validators } from "../../support/validators.ts";

const run = promisify(execFile);
const MIN = 1;
const MAX = 3;

const positive: readonly { name: string; question: readonly [string, string]; answers: readonly string[] }[] = [
  { name: "a route", question: ["shop.example.org", "A"], answers: [EAST] },
  { name: "HTTPS with hints", question: ["web.example.org", "HTTPS"], answers: [`1 . alpn="h2" ipv4hint=${EAST}`] },
  { name: "a route that fails open", question: ["short.example.org", "A"], answers: [GONE] },
  { name: "a host of a wildcard", question: ["one.apps.example.org", "A"], answers: [EAST] },
  { name: "a static RRset", question: ["example.org", "MX"], answers: ["10 mail.example.net."] },
];

const negative: readonly { name: string; question: readonly [string, string] }[] = [
  { name: "NODATA", question: ["shop.example.org", "MX"] },
  { name: "NODATA of an address family", question: ["shop.example.org", "AAAA"] },
  { name: "NODATA of a host of a wildcard", question: ["two.apps.example.org", "TXT"] },
  { name: "a missing name", question: ["missing.example.org", "A"] },
  { name: "a missing name below a missing name", question: ["a.b.c.missing.example.org", "A"] },
  { name: "an empty non-terminal", question: ["ent.example.org", "A"] },
  { name: "no DS of a delegated name", question: ["child.example.org", "DS"] },
];

const isRrsig = (rdata: string): boolean => /^[A-Z0-9]+ 13 \d+ \d+ \d{14} /.test(rdata);

describe.each(["fast", "dgram"])("over %s", (transport) => {
  let signed: SignedServer;
  /** Trust anchors for delv. */
  let folder: string;
  const anchor = (name: string, text: string): void => writeFileSync(join(folder, name), `trust-anchors { example.org. ${text}; };\n`);

  beforeAll(async () => {
    signed = await startSignedServer("--dns-transport", transport);
    folder = mkdtempSync(join(tmpdir(), "globalroute-delv-"));
    const quoted = (record: string): string => record.replace(/(\S+)$/, '"$1"');
    anchor("ds", quoted(signed.ds.replace(/^.*\sDS\s/, "static-ds ")));
    anchor("dnskey", quoted(signed.dnskey.replace(/^.*\sDNSKEY\s/, "static-key ")));
    anchor("other", `static-ds 1 13 2 "${"ab".repeat(32)}"`);
    const at = async (name: string): Promise<number | undefined> => (await dig(signed.server.dnsPort, `${name}.example.org`)).ttls[0];
    await vi.waitFor(async () => expect([await at("shop"), await at("short")]).toEqual([MAX, MIN]), { timeout: 20_000, interval: 100 });
  });
  afterAll(async () => {
    await signed?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  describe.skipIf(!requireComponent("dns-clients", "delv"))("delv", () => {
    const delv = async (anchors: string, ...question: readonly string[]): Promise<string> => {
      const server = ["@127.0.0.1", "-p", String(signed.server.dnsPort), "-a", join(folder, anchors), "+root=example.org"];
      const { stdout, stderr } = await run("delv", [...server, ...question]);
      return stdout + stderr;
    };

    test.each(positive)("$name", async ({ question, answers }) => {
      const text = await delv("ds", ...question);
      expect(text).toContain("; fully validated");
      for (const answer of answers) expect(text).toContain(answer);
    });
    test.each(negative)("$name", async ({ question }) =>
      expect(await delv("ds", ...question)).toContain("; negative response, fully validated"),
    );
    test("with our DNSKEY as trust anchor", async () =>
      expect(await delv("dnskey", "shop.example.org", "A")).toContain("; fully validated"));
    test("another key is not trusted", async () => expect(await delv("other", "shop.example.org", "A")).not.toContain("fully validated"));
  });

  test.skipIf(!requireComponent("dns-clients", "kdig"))("kdig sees signatures with DO and none without", async () => {
    const kdig = async (...args: readonly string[]): Promise<string> =>
      (await run("kdig", ["@127.0.0.1", "-p", String(signed.server.dnsPort), ...args])).stdout;
    const records = (text: string): readonly string[] => text.split("\n").filter((line) => /^\S+\s+\d+\s+IN\s/.test(line));
    const kinds = (text: string): readonly string[] => records(text).map((line) => line.split(/\s+/)[3]!);
    for (const transportFlag of ["+notcp", "+tcp"]) {
      const answer = await kdig("+dnssec", transportFlag, "shop.example.org", "A");
      expect(kinds(answer)).toEqual(["A", "RRSIG"]);
      expect(records(answer)[1]).toMatch(new RegExp(`\\s${MAX}\\s+IN\\s+RRSIG\\s+A 13 3 ${MAX} `)); // TTL, and original TTL
      const short = await kdig("+dnssec", transportFlag, "short.example.org", "A");
      expect(records(short)[1]).toMatch(new RegExp(`\\s${MIN}\\s+IN\\s+RRSIG\\s+A 13 3 ${MAX} `));
      const missing = await kdig("+dnssec", transportFlag, "gone.example.org", "A");
      expect([missing.includes("status: NOERROR"), kinds(missing)]).toEqual([true, ["SOA", "RRSIG", "NSEC", "RRSIG"]]);
      const plain = await kdig("+nodnssec", transportFlag, "gone.example.org", "A");
      expect([plain.includes("status: NXDOMAIN"), kinds(plain)]).toEqual([true, ["SOA"]]);
    }
  });

  test("RFC 9824 §5: a missing name is NOERROR with DO, NXDOMAIN with CO and NXDOMAIN without DO", async () => {
    const at = { address: "127.0.0.1", port: signed.server.dnsPort };
    const ask = async (edns: { dnssecOk?: boolean; compactOk?: boolean }) => {
      const reply = decodeMessage(await askUdp(at, encodeQuery({ id: 1, name: "nobody.example.org", type: Type.A, edns })))!;
      return [reply.rcode, reply.authorities.find(({ type }) => type === Type.NSEC)?.data];
    };
    const nsec = "\\000.nobody.example.org. RRSIG NSEC NXNAME";
    expect(await ask({ dnssecOk: true })).toEqual([Rcode.NOERROR, nsec]);
    expect(await ask({ dnssecOk: true, compactOk: true })).toEqual([Rcode.NXDOMAIN, nsec]);
    expect(await ask({})).toEqual([Rcode.NXDOMAIN, undefined]);
  });

  describe.each(validators("").map(({ name, component, command }, i) => ({ name, component, command, i })))(
    "$name",
    ({ component, command, i }) => {
      const isThere = requireComponent(component, command);
      let resolver: Resolver;
      beforeAll(async () => {
        if (isThere) resolver = await startResolver(validators(signed.ds)[i]!, "example.org", signed.server.dnsPort, "ns1.example.org");
      });
      afterAll(() => resolver?.stop());

      const secure = async (question: readonly string[]) => {
        const reply = await dig(resolver.port, "+dnssec", ...question);
        return { status: reply.status, isSecure: reply.flags.includes("ad"), answers: reply.answers.filter((one) => !isRrsig(one)) };
      };

      test.skipIf(!isThere).each(positive)("$name is secure", async ({ question, answers }) => {
        expect(await secure(question)).toEqual({ status: "NOERROR", isSecure: true, answers });
      });
      test.skipIf(!isThere).each(negative)("$name is secure", async ({ question }) => {
        expect(await secure(question)).toEqual({ status: "NOERROR", isSecure: true, answers: [] });
      });

      test.skipIf(!isThere)("answers of the longest and the shortest TTL are secure, and again after two TTLs", async () => {
        for (let round = 0; round < 2; round++) {
          if (round > 0) await setTimeout(2 * MAX * 1000 + 100);
          for (const [name, ttl, address] of [
            ["shop", MAX, EAST],
            ["short", MIN, GONE],
          ] as const) {
            const reply = await dig(resolver.port, "+dnssec", `${name}.example.org`, "A");
            expect(reply.flags, `${name}, round ${round}`).toContain("ad");
            expect(reply.answers.filter((one) => !isRrsig(one))).toEqual([address]);
            expect(Math.max(...reply.ttls)).toBeLessThanOrEqual(ttl);
          }
        }
      });

      test.skipIf(!isThere)("each client's own answer is secure", async () => {
        for (let round = 0; round < 2; round++) {
          expect(await secure(["+subnet=198.51.100.0/24", "shop.example.org", "A"])).toEqual({
            status: "NOERROR",
            isSecure: true,
            answers: [WEST],
          });
          expect(await secure(["+subnet=192.0.2.0/24", "shop.example.org", "A"])).toEqual({
            status: "NOERROR",
            isSecure: true,
            answers: [EAST],
          });
        }
      });

      test.skipIf(!isThere)("a failover, and the way back, are secure too", async () => {
        for (const [isUp, address] of [
          [false, WEST],
          [true, EAST],
        ] as const) {
          signed.sites.set(EAST, isUp);
          const expected = { status: "NOERROR", isSecure: true, answers: [address] };
          await vi.waitFor(async () => expect(await secure(["first.example.org", "A"])).toEqual(expected), {
            timeout: 15_000,
            interval: 100,
          });
        }
      });
    },
  );
});
