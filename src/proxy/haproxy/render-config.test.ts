/** What HAProxy makes of the text, test/integration/proxy/haproxy.test.ts asks it; here: that nothing can break out of it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { edgeBackend, edgePlanOf, haproxyHttp, haproxyOptions, haproxyRoute } from "../../../test/support/haproxy/haproxy-routes.ts";
import { DEFAULT_HTTP, type HaproxyHttp } from "./http-rules.ts";
import { type HaproxyRoute, layoutOf } from "./layout.ts";
import { fingerprintOf, mapText, renderConfig } from "./render-config.ts";
import type { Seat } from "./seats.ts";

const PLAN = edgePlanOf([edgeBackend("a", ["192.0.2.1"])], [edgeBackend("b", ["2001:db8::1"])]);
const render = (routes: readonly HaproxyRoute[], present: ReadonlyMap<string, readonly Seat[]> = new Map(), more = {}) =>
  renderConfig(layoutOf({ routes, classes: [] }), present, { ...haproxyOptions, ...more });

test("a route: an outer backend, and a backend for each rank with room for more", () => {
  const text = render([haproxyRoute(PLAN, { sticky: "ClientSubnet" })]);
  expect(text.slice(text.indexOf("backend shop:web\n"))).toBe(`backend shop:web
    balance first
    retries 2
    retry-on conn-failure empty-response response-timeout 502 503 504
    timeout server 16000ms
    http-request set-timeout server 10000ms if { srv_is_up(shop:web/direct1) } { method GET HEAD OPTIONS PUT DELETE } !{ stopping }
    http-request set-timeout server 10000ms if { srv_is_up(shop:web/direct2) } { method GET HEAD OPTIONS PUT DELETE } !{ stopping }
    use-server direct1 if { srv_is_up(shop:web/direct1) } !{ stopping }
    use-server direct2 if { srv_is_up(shop:web/direct2) } !{ stopping }
    use-server serving if { nbsrv(shop:web_serving) gt 0 } { srv_uweight(shop:web/direct1) eq 0 } { srv_uweight(shop:web/direct2) eq 0 } || { stopping }
    use-server next if { nbsrv(shop:web_next) gt 0 } || { stopping }
    server serving unix@/run/globalroute/serving.sock weight 0
    server next unix@/run/globalroute/next.sock
    server last unix@/run/globalroute/last.sock
    server direct1 192.0.2.1:80 weight 1 check inter 30s fastinter 1s downinter 1s rise 1 fall 3 observe layer4 error-limit 3 on-error mark-down
    server direct2 127.0.0.1:1 disabled weight 0 check inter 30s fastinter 1s downinter 1s rise 1 fall 3 observe layer4 error-limit 3 on-error mark-down
backend shop:web_serving
    balance hash src,ipmask(24,48)
    hash-type consistent sdbm avalanche
    default-server check inter 30s fastinter 1s downinter 1s rise 1 fall 3 observe layer4 error-limit 3 on-error mark-down
    server s1 192.0.2.1:80 weight 256
    server s2 [2001:db8::1]:80 disabled
    server-template s 3-4 127.0.0.1:1 disabled
backend shop:web_next
    balance roundrobin
    server s1 [2001:db8::1]:80 weight 256
    server-template s 2-2 127.0.0.1:1 disabled
backend shop:web_last
    balance roundrobin
    server s1 192.0.2.1:80 weight 256
    server-template s 2-2 127.0.0.1:1 disabled
`);
});

/** Lines of a plan's own backend and of its first rank that a route that says nothing does not have, and the other way round. */
function differing(more: Partial<HaproxyRoute>): readonly string[] {
  const linesOf = (text: string): readonly string[] =>
    text.slice(text.indexOf("backend shop:web\n"), text.indexOf("backend shop:web_next\n")).split("\n");
  const [plain, own] = [linesOf(render([haproxyRoute(PLAN)])), linesOf(render([haproxyRoute(PLAN, more)]))];
  return [...plain.filter((line) => !own.includes(line)).map((line) => `-${line}`), ...own.filter((line) => !plain.includes(line))];
}

const IDEMPOTENT = "{ method GET HEAD OPTIONS PUT DELETE }";
const waits = (sign: string, time: string): readonly string[] =>
  ["direct1", "direct2"].map(
    (name) => `${sign}    http-request set-timeout server ${time} if { srv_is_up(shop:web/${name}) } ${IDEMPOTENT} !{ stopping }`,
  );

test.each<[string, HaproxyHttp, readonly string[]]>([
  ["the defaults", DEFAULT_HTTP, []],
  [
    "a shorter patience",
    haproxyHttp(2_000),
    [
      ...["-    timeout server 16000ms", ...waits("-", "10000ms"), "    timeout server 8000ms", ...waits("", "2000ms")],
      "    timeout server 2000ms",
    ],
  ],
  [
    "a patience longer than a minute counts for all methods",
    haproxyHttp(90_000),
    [
      ...["-    timeout server 16000ms", ...waits("-", "10000ms"), "    timeout server 96000ms", ...waits("", "90000ms")],
      ...[`    http-request set-timeout server 90000ms if !${IDEMPOTENT}`, "    timeout server 90000ms"],
      `    http-request set-timeout server 90000ms if !${IDEMPOTENT}`,
    ],
  ],
  [
    "no statuses: what HAProxy itself finds wrong is told to the first pass without one",
    haproxyHttp(10_000, { codes: [] }),
    [
      ...[
        "-    retry-on conn-failure empty-response response-timeout 502 503 504",
        "    retry-on conn-failure empty-response response-timeout",
      ],
      ...[502, 503, 504].map((status) => `    errorfile ${status} /dev/null`),
    ],
  ],
  [
    "no attempts: only what could not be sent goes elsewhere, and the first pass alone waits",
    haproxyHttp(2_000, { attempts: 0 }),
    [
      ...[
        "-    retry-on conn-failure empty-response response-timeout 502 503 504",
        "-    timeout server 16000ms",
        ...waits("-", "10000ms"),
      ],
      ...["    retry-on conn-failure", "    timeout server 2000ms", ...waits("", "2000ms"), "    timeout server 8000ms"],
    ],
  ],
  [
    "bounds",
    haproxyHttp(10_000, {}, { limits: { bodyBytes: 100, concurrentRequests: 5 } }),
    [
      "    http-request set-var(txn.underway) be_conn(shop:web)",
      "    http-request return status 503 hdr retry-after 1 if { var(txn.underway) -m int gt 5 }",
      "    http-request wait-for-body time 30s at-least 101 if !{ req.hdr(content-length) -m found } !{ internal.htx.has_eom }",
      "    http-request deny deny_status 413 if { req.body_size gt 100 }",
      "    http-request return status 411 if !{ req.hdr(content-length) -m found } !{ internal.htx.has_eom }",
    ],
  ],
])("what a route says of its requests: %s", (_, http, lines) => expect(differing({ http })).toEqual(lines));

test("requests of a route are counted over all of its plans", () => {
  const text = render([
    haproxyRoute(PLAN, {
      groups: [{ name: "office", classes: ["office"], plan: PLAN }],
      http: haproxyHttp(10_000, {}, { limits: { concurrentRequests: 5 } }),
    }),
  ]);
  const count = `    http-request set-var(txn.underway) be_conn(shop:web)
    http-request set-var(txn.underway) be_conn(shop:web:office),add(txn.underway)
`;
  expect(text.split(count)).toHaveLength(3);
});

test.each([
  ["several endpoints serve", edgePlanOf([edgeBackend("a", ["192.0.2.1"]), edgeBackend("b", ["192.0.2.2"])])],
  ["nobody serves", edgePlanOf([edgeBackend("a", ["-192.0.2.1"])])],
])("%s: none is direct", (_, plan) =>
  expect(render([haproxyRoute(plan)])).toContain("    server direct1 127.0.0.1:1 disabled weight 0 check"),
);

test("servers of a running HAProxy keep their endpoints, and never become fewer", () => {
  const free: Seat = { address: "127.0.0.1", port: 1, isReady: false };
  const present = [free, free, { address: "192.0.2.1", port: 80, isReady: true }, ...Array.from({ length: 13 }, () => free)];
  const text = render([haproxyRoute(PLAN)], new Map([["shop:web_serving", present]]));
  expect(text).toContain(
    "server s1 [2001:db8::1]:80 disabled\n    server s2 127.0.0.1:1 disabled\n    server s3 192.0.2.1:80 weight 256\n",
  );
  expect(text).toContain("server-template s 4-16 127.0.0.1:1 disabled");
});

describe("the fingerprint", () => {
  const of = (more: Partial<HaproxyRoute>, options = {}) =>
    fingerprintOf(layoutOf({ routes: [haproxyRoute(PLAN, more)], classes: [] }), { ...haproxyOptions, ...options });
  const plain = of({});
  test.each<[string, Partial<HaproxyRoute>, object, boolean]>([
    ["stays while endpoints come and go", { plan: edgePlanOf([edgeBackend("z", ["192.0.2.9"])]) }, {}, true],
    ["stays while hosts come and go: they are in a map", { hosts: ["other.example.org"] }, {}, true],
    ["changes with stickiness", { sticky: "ClientSubnet" }, {}, false],
    ["changes with a plan for a class", { groups: [{ name: "office", classes: ["office"], plan: PLAN }] }, {}, false],
    ["changes with TLS to endpoints", { tls: { caFile: "/etc/ca.pem" } }, {}, false],
    ["changes with a timeout", {}, { connectTimeout: 1000 }, false],
    ["changes with what the route says of its requests", { http: haproxyHttp(1000) }, {}, false],
  ])("%s", (_, more, options, same) => expect(of(more, options) === plain).toBe(same));
  test("is what HAProxy tells of itself", () => {
    expect(render([haproxyRoute(PLAN)])).toContain(`    description globalroute ${plain}\n`);
  });
});

/** Lines by what they are: section, or keyword within. */
const shape = (text: string): readonly string[] => text.split("\n").map((line) => /^( *)(\S*)/.exec(line)![0]);

test("whatever objects are called, lines and words are as many as with plain names", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom(
      "a\n    server x 203.0.113.1:80",
      "a b",
      "a'b",
      'a"b',
      "a\\",
      "a#b",
      "%[env(HOME)]",
      "a;b",
      "a/b",
      "",
      "\u2028",
      "$HOME",
    ),
  );
  const http = haproxyHttp(1000, {}, { limits: { bodyBytes: 1, concurrentRequests: 1 } });
  const plain = render([haproxyRoute(PLAN, { http, groups: [{ name: "office", classes: ["office"], plan: PLAN }] })]);
  const words = (text: string): readonly number[] => text.split("\n").map((line) => line.split(" ").length);
  fc.assert(
    fc.property(hostile, hostile, hostile, fc.array(hostile, { maxLength: 3 }), (namespace, name, office, addresses) => {
      const plan = edgePlanOf([edgeBackend("a", [...addresses, "192.0.2.1"])], [edgeBackend("b", ["2001:db8::1"])]);
      const route = haproxyRoute(plan, {
        http,
        namespace,
        name,
        hosts: [name, ...addresses],
        groups: [{ name: office, classes: [office], plan }],
      });
      const text = render([route]);
      expect(shape(text)).toEqual(shape(plain));
      expect(words(text)).toEqual(words(plain));
      expect(text).toMatch(/^[\n\x20-\x7e]*$/);
      const { maps } = layoutOf({ routes: [route], classes: [{ name: office, networks: addresses }] });
      for (const entries of Object.values(maps)) expect(mapText(entries)).toMatch(/^([\x21-\x7e]+ [\x21-\x7e]+\n)*$/);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["a folder with a space", { folder: "/run/a b" }],
  ["a folder with an end of line", { folder: "/run/a\nb" }],
  ["a relative folder", { folder: "run" }],
  ["a certificate with a quote", { listen: [{ address: "192.0.2.80", port: 443, certificate: "/etc/o'clock.pem" }] }],
])("%s is refused", (_, options) => expect(() => render([], new Map(), options)).toThrow(/cannot be/));

test("a path with a space is quoted", () => {
  const text = render([], new Map(), { listen: [{ address: "2001:db8::80", port: 443, certificate: "/etc/my certs/shop.pem" }] });
  expect(text).toContain("    bind [2001:db8::80]:443 ssl crt '/etc/my certs/shop.pem' alpn h2,http/1.1\n");
});

test("behind other proxies the client is whom they name, and the list of proxies goes on", () => {
  const rules = (trustedHops?: number) =>
    render([], new Map(), trustedHops === undefined ? {} : { trustedHops })
      .split("\n")
      .filter((line) => /forwardfor|forwarded-for/.test(line));
  expect(rules()).toEqual(["    option forwardfor", "    http-request set-src req.hdr_ip(x-forwarded-for,-1)"]);
  expect(rules(2)).toEqual([
    "    http-request set-src req.hdr_ip(x-forwarded-for,-2)",
    "    http-request add-header x-forwarded-for %[var(txn.peer)]",
    // the second pass
    "    http-request set-src req.hdr_ip(x-forwarded-for,-1)",
    "    http-request set-src req.hdr_ip(x-forwarded-for,-3)",
  ]);
});

test("run as somebody: the sockets are that user's", () => {
  const text = render([], new Map(), { runAs: { user: "haproxy", group: "edge" } });
  expect(text).toContain("    user haproxy\n    group edge\n");
  expect(text).toContain("    stats socket /run/globalroute/admin.sock user haproxy group edge mode 660 level admin expose-fd listeners\n");
  expect(text).toContain("    bind unix@/run/globalroute/next.sock user haproxy group edge mode 600 name next\n");
});
