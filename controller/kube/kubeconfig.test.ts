import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { parseNetwork } from "../../src/model/ip.ts";
import { readCertificates } from "../../test/support/tls/certificates.ts";
import { readKubeconfig } from "./kubeconfig.ts";

const { ca, cert, key } = readCertificates();
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const TOKEN = "eyJhbGciOi.s3cret.sig-_";

const config = (cluster: object = {}, user: object = {}, rest: object = {}): string =>
  stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: "https://api.example.org:6443", "certificate-authority-data": base64(ca), ...cluster } }],
    users: [{ name: "u", user: { token: TOKEN, ...user } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
    ...rest,
  });

test("a token", async () => {
  const read = readKubeconfig(config({ "tls-server-name": "kubernetes" }), { allow: [] });
  if (!("ok" in read)) throw new Error(read.problem.message);
  expect(read.ok).toMatchObject({ server: "https://api.example.org:6443", serverName: "kubernetes", guard: { allow: [] } });
  expect(read.ok.allowHttp).toBeUndefined();
  expect(await read.ok.credential(false)).toEqual({ ca, token: TOKEN });
});

test("a client certificate", async () => {
  const user = { token: undefined, "client-certificate-data": base64(cert), "client-key-data": base64(key) };
  const read = readKubeconfig(config({}, user), { allow: [] });
  expect("ok" in read ? await read.ok.credential(true) : read.problem).toEqual({ ca, cert, key });
});

test("JSON is YAML, and what asks for nothing is no request", () => {
  const harmless = config({ "insecure-skip-tls-verify": false, "proxy-url": "" }, { exec: null, username: "" });
  expect(readKubeconfig(JSON.stringify(parse(harmless)), { allow: [] })).toHaveProperty("ok");
  expect(readKubeconfig(harmless, { allow: [] })).toHaveProperty("ok");
});

test("a path is kept, slashes at its end are not", () => {
  const read = readKubeconfig(config({ server: "https://rancher.example.org/k8s/clusters/c-1//" }), { allow: [] });
  expect("ok" in read ? read.ok.server : read.problem).toBe("https://rancher.example.org/k8s/clusters/c-1");
});

describe("refused", () => {
  const cases: readonly { name: string; text: string; says: string }[] = [
    { name: "exec", text: config({}, { exec: { command: "sh", args: ["-c", "id"] } }), says: 'exec of user "u" is not used' },
    { name: "auth-provider", text: config({}, { "auth-provider": { name: "gcp" } }), says: "auth-provider of user" },
    { name: "a token file", text: config({}, { tokenFile: "/var/run/secrets/token" }), says: "tokenFile of user" },
    { name: "a certificate file", text: config({}, { "client-certificate": "/etc/cert" }), says: "client-certificate of user" },
    { name: "a key file", text: config({}, { "client-key": "/etc/key" }), says: "client-key of user" },
    { name: "a file of authorities", text: config({ "certificate-authority": "/etc/ca" }), says: 'certificate-authority of cluster "c"' },
    { name: "a proxy", text: config({ "proxy-url": "http://127.0.0.1:8080" }), says: "proxy-url of cluster" },
    { name: "no verification", text: config({ "insecure-skip-tls-verify": true }), says: "insecure-skip-tls-verify of cluster" },
    {
      name: "no verification, as a text",
      text: config({ "insecure-skip-tls-verify": "true" }),
      says: "insecure-skip-tls-verify of cluster",
    },
    { name: "another identity", text: config({}, { as: "system:admin" }), says: "as of user" },
    { name: "other groups", text: config({}, { "as-groups": ["system:masters"] }), says: "as-groups of user" },
    { name: "another UID", text: config({}, { "as-uid": "1" }), says: "as-uid of user" },
    { name: "other extras", text: config({}, { "as-user-extra": { a: ["b"] } }), says: "as-user-extra of user" },
    { name: "a password", text: config({}, { username: "admin", password: "hunter2" }), says: "username of user" },
    { name: "http", text: config({ server: "http://api.example.org" }), says: "server uses http://" },
    { name: "another protocol", text: config({ server: "file:///etc/passwd" }), says: "server uses file://" },
    { name: "a server that is no URL", text: config({ server: "api.example.org:6443 " }), says: "server " },
    {
      name: "a password in the URL",
      text: config({ server: "https://u:p@api.example.org" }),
      says: "server holds a user name or password",
    },
    { name: "a query in the URL", text: config({ server: "https://api.example.org/?a=b" }), says: "server has a query" },
    {
      name: "loopback",
      text: config({ server: "https://127.0.0.1:6443" }),
      says: "server is at 127.0.0.1, a forbidden address (loopback)",
    },
    { name: "loopback, as a number", text: config({ server: "https://2130706433:6443" }), says: "(loopback)" },
    { name: "loopback, in hexadecimal", text: config({ server: "https://0x7f.1" }), says: "(loopback)" },
    { name: "loopback, IPv6", text: config({ server: "https://[::1]:6443" }), says: "(loopback)" },
    { name: "loopback, mapped", text: config({ server: "https://[::ffff:7f00:1]" }), says: "(loopback)" },
    {
      name: "loopback by name",
      text: config({ server: "https://localhost:6443" }),
      says: "server is at localhost, a forbidden address (loopback)",
    },
    { name: "loopback by a longer name", text: config({ server: "https://api.LOCALHOST.:6443" }), says: "(loopback)" },
    { name: "link-local", text: config({ server: "https://169.254.7.7" }), says: "(link-local)" },
    { name: "link-local, IPv6", text: config({ server: "https://[fe80::1]" }), says: "(link-local)" },
    { name: "the metadata service", text: config({ server: "https://169.254.169.254" }), says: "(metadata service)" },
    { name: "the metadata service, IPv6", text: config({ server: "https://[fd00:ec2::254]" }), says: "(metadata service)" },
    { name: "the unspecified address", text: config({ server: "https://0.0.0.0" }), says: "(unspecified)" },
    {
      name: "no authority",
      text: config({ "certificate-authority-data": undefined }),
      says: 'certificate-authority-data of cluster "c" is missing',
    },
    {
      name: "an authority that is no PEM",
      text: config({ "certificate-authority-data": base64("hello") }),
      says: "is no base64 of a PEM text",
    },
    { name: "an authority that is not encoded", text: config({ "certificate-authority-data": ca }), says: "is no base64 of a PEM text" },
    {
      name: "an authority of many beginnings and no end",
      text: config({ "certificate-authority-data": base64("-----BEGIN A-----".repeat(3800)) }),
      says: "is no base64 of a PEM text",
    },
    {
      name: "an authority that ends before it begins",
      text: config({ "certificate-authority-data": base64("-----END A-----\n-----BEGIN A-----\n") }),
      says: "is no base64 of a PEM text",
    },
    {
      name: "an authority of more than 64 KiB",
      text: config({ "certificate-authority-data": base64(ca.padEnd(64 * 1024 + 1, "\n")) }),
      says: "certificate-authority-data is longer than 64 KiB",
    },
    {
      name: "a key of more than 64 KiB",
      text: config({}, { "client-certificate-data": base64(cert), "client-key-data": base64(key.padEnd(64 * 1024 + 1, "\n")) }),
      says: "client-key-data is longer than 64 KiB",
    },
    { name: "half of a pair", text: config({}, { "client-key-data": base64(key) }), says: "client-certificate-data of user" },
    { name: "no identity", text: config({}, { token: "" }), says: 'token of user "u" is missing' },
    { name: "a token with a line break", text: config({}, { token: "a\nb: c" }), says: "is no bearer token" },
    { name: "a token that is no text", text: config({}, { token: 7 }), says: "token is no text" },
    { name: "no current context", text: config({}, {}, { "current-context": "" }), says: "current-context is missing" },
    { name: "a context that is not there", text: config({}, {}, { "current-context": "y" }), says: 'context "y" is missing' },
    { name: "a cluster that is not there", text: config({}, {}, { clusters: [] }), says: 'cluster "c" is missing' },
    {
      name: "two users of one name",
      text: config(
        {},
        {},
        {
          users: [
            { name: "u", user: { token: "a" } },
            { name: "u", user: { exec: {} } },
          ],
        },
      ),
      says: 'users has "u" twice',
    },
    { name: "a list", text: "- a", says: "is no mapping" },
    { name: "no YAML", text: "a: [", says: "is not YAML" },
    { name: "two documents", text: `${config()}---\n${config()}`, says: "is not YAML" },
    { name: "a key twice", text: `${config()}current-context: y\n`, says: "is not YAML" },
    { name: "aliases", text: config().replace("current-context", "a: &a [x]\nb: *a\ncurrent-context"), says: "YAML aliases" },
    { name: "a megabyte", text: `${config()}# ${"x".repeat(1024 * 1024)}`, says: "longer than 1 MiB" },
    { name: "nothing", text: "", says: "is no mapping" },
  ];
  test.each(cases)("$name", ({ text, says }) => {
    const read = readKubeconfig(text, { allow: [] });
    if (!("problem" in read)) throw new Error("it was taken");
    expect(read.problem.message).toContain(says);
    expect(read.problem.remedy).toMatch(/^[A-Z`].*\.$/);
    expect(JSON.stringify(read.problem)).not.toContain(TOKEN);
    expect(JSON.stringify(read.problem)).not.toContain("hunter2");
  });
});

test("a merge key is a key as any other, so that nothing comes in by it", async () => {
  const text = config().replace("      token:", "      <<: {token: other, exec: {command: sh}}\n      token:");
  const read = readKubeconfig(text, { allow: [] });
  expect("ok" in read ? await read.ok.credential(false) : read.problem).toEqual({ ca, token: TOKEN });
});

test("a network that the operator allows is reached", () => {
  const allow = [parseNetwork("127.0.0.0/8")!];
  for (const server of ["https://127.0.0.1:6443", "https://localhost:6443"])
    expect(readKubeconfig(config({ server }), { allow })).toHaveProperty("ok");
  expect(readKubeconfig(config({ server: "https://169.254.169.254" }), { allow })).toHaveProperty("problem");
});
