import { Command } from "commander";
import { expect, test } from "vitest";
import { addProxyOptions, type ProxyFlags, proxyOptions } from "./proxy-options.ts";

function parse(...args: readonly string[]) {
  const command = addProxyOptions(new Command()).exitOverride();
  command.parse(args, { from: "user" });
  return proxyOptions(command.opts<ProxyFlags>(), "/srv");
}

test("nothing is passed on unless somebody says where", () => expect(parse()).toBeUndefined());

test("paths are those below the working directory", () => {
  const given = parse("--proxy-tls", "127.0.0.1:8443", "--proxy-certificates", "certificates", "--proxy-upstream-ca", "ca.pem");
  expect(given).toMatchObject({ tls: { certificates: "/srv/certificates" }, upstreamCa: "/srv/ca.pem" });
});

const useless: readonly (readonly [told: string, ...args: string[]])[] = [
  ["--proxy-tls and --proxy-certificates go together", "--proxy-tls", "127.0.0.1:8443"],
  ["--proxy-protocol-from means nothing by itself", "--proxy", "127.0.0.1:8080", "--proxy-protocol-from", "192.0.2.0/24"],
  ["--proxy-protocol means nothing by itself. Give --proxy or --proxy-tls too.", "--proxy-protocol"],
  ["--proxy-upstream-ca means nothing by itself. Give --proxy or --proxy-tls too.", "--proxy-upstream-ca", "ca.pem"],
];
test.each(useless)("refused: %s", (told, ...args) => expect(() => parse(...args)).toThrow(told));
