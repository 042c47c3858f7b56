/** Cookies, rate limiting, NSID and CH names, asked by dig and kdig over either transport. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newCookieSecrets } from "../../../src/dns/cookies.ts";
import { readLimited } from "../../../src/dns/counters.ts";
import { SEED_WORDS } from "../../../src/dns/rate-limit.ts";
import { encodeQuery } from "../../../src/dns/wire/encode-query.ts";
import { requireComponent } from "../../support/component.ts";
import { dig } from "../../support/dig.ts";
import { openUdp } from "../../support/dns-client.ts";
import { type RunningDns, startDns } from "../../support/dns-process.ts";

const run = promisify(execFile);
const LIMIT = 20;

const settings = {
  workers: 1,
  cookies: newCookieSecrets(Buffer.from("e5e973e5a6b2a43f48e7dc849e37bfcf", "hex")),
  nsid: Buffer.from("edge-1"),
  versionBind: Buffer.from("GlobalRoute"),
  rateLimit: {
    limit: LIMIT,
    sourceLimit: 50 * LIMIT,
    slip: 2,
    exempt: [],
    seed: new Int32Array(SEED_WORDS).map((_, i) => Math.imul(i + 1, 0x9e3779b1)),
  },
};

describe.skipIf(!requireComponent("dns-clients", "dig")).each(["dgram", "fast"] as const)("%s", (transport) => {
  let dns: RunningDns;
  beforeAll(async () => {
    dns = await startDns({ settings, transport });
  });
  afterAll(() => dns.server.stop());

  const ask = (...args: readonly string[]) => dig(dns.v4, "+norecurse", ...args);
  const cookieOf = (text: string): string => /COOKIE: ([0-9a-f]+)/.exec(text)?.[1] ?? "";

  test("dig finds our cookie good, and keeps it", async () => {
    const first = await ask("+cookie=0102030405060708", "shop.example.org");
    expect(first).toMatchObject({ status: "NOERROR", answers: ["192.0.2.1"] });
    expect(first.text).toMatch(/COOKIE: 0102030405060708[0-9a-f]{32} \(good\)/);
    const cookie = cookieOf(first.text);
    expect(cookieOf((await ask(`+cookie=${cookie}`, "shop.example.org")).text)).toBe(cookie);
    const forged = `${cookie.slice(0, -1)}${cookie.endsWith("0") ? "1" : "0"}`;
    expect(cookieOf((await ask(`+cookie=${forged}`, "shop.example.org")).text)).not.toBe(forged);
  });

  test("over IPv6 and TCP too", async () => {
    expect((await dig(dns.v6, "@::1", "+cookie=0102030405060708", "shop.example.org")).text).toContain("(good)");
    expect((await ask("+tcp", "+cookie=0102030405060708", "shop.example.org")).text).toContain("(good)");
  });

  test("a malformed cookie is FORMERR", async () => {
    expect((await ask("+nocookie", "+ednsopt=10:0102", "+noednsnegotiation", "shop.example.org")).status).toBe("FORMERR");
  });

  test("a query without a question gets a cookie (RFC 7873 §5.4)", async () => {
    const reply = await ask("+header-only", "+cookie=0102030405060708");
    expect(reply).toMatchObject({ status: "NOERROR", answers: [] });
    expect(reply.text).toMatch(/QUERY: 0, ANSWER: 0/);
    expect(reply.text).toContain("(good)");
  });

  test("NSID with cookie and client subnet beside it", async () => {
    const reply = await ask("+nsid", "+cookie=0102030405060708", "+subnet=198.51.100.7/32", "shop.example.org");
    expect(reply).toMatchObject({ answers: ["203.0.113.1"], subnet: "198.51.100.7/32/24" });
    expect(reply.text).toMatch(/NSID: 65 64 67 65 2d 31 \("edge-1"\)/);
    expect(reply.text).toContain("(good)");
    expect((await ask("shop.example.org")).text).not.toContain("NSID");
  });

  test("names of class CH", async () => {
    expect((await ask("version.bind", "CH", "TXT")).answers).toEqual(['"GlobalRoute"']);
    expect((await ask("id.server", "CH", "TXT")).answers).toEqual(['"edge-1"']);
    expect((await ask("authors.bind", "CH", "TXT")).status).toBe("REFUSED");
  });

  test("kdig reads the same", async () => {
    const args = ["@127.0.0.1", "-p", String(dns.v4), "+norecurse", "+retry=0", "+timeout=3"];
    const { stdout } = await run("kdig", [...args, "+nsid", "+cookie=0102030405060708", "shop.example.org"]);
    expect(stdout).toMatch(/COOKIE: 0102030405060708[0-9A-F]{32}\n/);
    expect(stdout).toMatch(/NSID: 656467652D31 "edge-1"/);
    expect(stdout).not.toMatch(/malformed|WARNING/i);
  });

  test("beyond the limit: dropped or sent to TCP, where dig gets its answer; with a cookie there is no limit", async () => {
    const client = await openUdp({ address: "127.0.0.1", port: dns.v4 });
    const flood = async () => {
      const queries = Array.from({ length: 10 * LIMIT }, (_, id) => encodeQuery({ id, name: "plain.example.org", type: 1 }));
      const settled = await Promise.allSettled(queries.map((query) => client.ask(query, 500)));
      return settled.flatMap((one) => (one.status === "fulfilled" ? [(one.value[2]! & 2) === 0 ? "whole" : "truncated"] : []));
    };
    try {
      const before = readLimited(dns.server.counters()).reduce((total, { count }) => total + count, 0);
      const replies = await flood();
      const whole = replies.filter((one) => one === "whole").length;
      // the flood takes a while, in which the bucket refills
      expect(whole).toBeGreaterThanOrEqual(LIMIT);
      expect(whole).toBeLessThanOrEqual(2 * LIMIT);
      const limited = 10 * LIMIT - whole;
      expect(replies.length - whole).toBeGreaterThanOrEqual(Math.floor(limited / 2) - 1);
      expect(replies.length - whole).toBeLessThanOrEqual(Math.ceil(limited / 2));
      expect(readLimited(dns.server.counters()).reduce((total, { count }) => total + count, 0) - before).toBe(limited);

      const replenished = flood(); // the bucket is empty again while dig asks
      const cookie = cookieOf((await ask("+tcp", "+cookie=0102030405060708", "plain.example.org")).text);
      const free = await Promise.all(Array.from({ length: 5 }, () => ask("+notcp", "+ignore", `+cookie=${cookie}`, "plain.example.org")));
      expect(free.map(({ answers, flags }) => [answers.length, flags.includes("tc")])).toEqual(new Array(5).fill([1, false]));
      await replenished;
    } finally {
      client.close();
    }
  });
});
