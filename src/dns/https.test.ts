/** HTTPS records of routes (RFC 9460): golden bytes, and the same addresses as the A and AAAA answers. */
import { expect, test } from "vitest";
import { dnsWorld, ROUTES } from "../../test/support/dns-world.ts";
import { hex } from "../../test/support/hex.ts";
import { Standing } from "../routing/table.ts";
import { answer, newAnswerContext, useTables } from "./answer.ts";
import { Transport } from "./counters.ts";
import { newSource, setSource } from "./source.ts";
import { Rcode, Type } from "./wire/codes.ts";
import { encodeQuery } from "./wire/encode-query.ts";

const WEB = ROUTES.findIndex(({ name }) => name === "web");

const WEST = "198.51.100.53"; // bound to west by a Require rule
const EAST = "192.0.2.200"; // prefers east

/** The reply to a plain query, without header and question. */
function ask(tables: ReturnType<typeof dnsWorld>, type: number, from = WEST) {
  const context = newAnswerContext({ now: () => 1_800_000_000_000, random: () => 0.5 });
  useTables(context, tables);
  const source = newSource(Transport.UDP);
  setSource(source, from);
  const query = encodeQuery({ id: 1, name: "web.example.org", type, edns: { udpSize: 1232 } });
  const out = new Uint8Array(1232);
  const length = answer(query, query.length, source, out, context);
  return { rcode: out[3]! & 15, count: out[7]!, records: out.slice(12 + 17 + 4, length) };
}

test("alpn, then the IPv4 and IPv6 addresses of the client's cluster", () => {
  const { count, records } = ask(dnsWorld(), Type.HTTPS);
  expect(count).toBe(1);
  const wanted = hex(`
    c00c 0041 0001 0000003c 002f                 # owner, HTTPS, IN, TTL 60, RDLENGTH 47
    0001 00                                      # priority 1, target .
    0001 000c 02 6832 08 687474702f312e31        # alpn h2, http/1.1
    0004 0004 cb007101                           # ipv4hint 203.0.113.1
    0006 0010 20010db8000000000000000000000031   # ipv6hint 2001:db8::31`);
  expect(records.subarray(0, wanted.length)).toEqual(wanted);
});

test("a family whose backend is out goes elsewhere alone, as its address record does", () => {
  const tables = dnsWorld();
  const { hot, state } = tables.routing;
  const east = hot.routeBackends[WEB]! + ROUTES[WEB]!.backends.findIndex(({ cluster }) => cluster === "east");
  state.standing[2 * east] = Standing.Unhealthy;
  const { records } = ask(tables, Type.HTTPS, EAST);
  const hints = 12 + 3 + 16;
  expect(records.subarray(hints, hints + 8)).toEqual(hex("0004 0004 cb007101 # west's IPv4"));
  expect(records.subarray(hints + 8, hints + 28)).toEqual(hex("0006 0010 20010db80000000000000000000000e1 # east's IPv6"));
});

test("with nothing to answer it is SERVFAIL, like A and AAAA", () => {
  const tables = dnsWorld();
  const { hot, state } = tables.routing;
  for (let row = 2 * hot.routeBackends[WEB]!; row < 2 * hot.routeBackends[WEB + 1]!; row++) state.standing[row] = Standing.Excluded;
  for (const type of [Type.A, Type.AAAA, Type.HTTPS]) expect(ask(tables, type).rcode).toBe(Rcode.SERVFAIL);
});
