import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import { readCertificates } from "../../test/support/tls/certificates.ts";
import { ownConnection, podNamespace } from "./own-kubeconfig.ts";

const { ca, cert, key } = readCertificates();
const base64 = (text: string): string => Buffer.from(text).toString("base64");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "own-kubeconfig-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(cluster: object, user: object, context: object = {}): string {
  const path = join(folder, "config");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: "https://hub.example.org:6443/", "certificate-authority-data": base64(ca), ...cluster } }],
    users: [{ name: "u", user }],
    contexts: [
      { name: "x", context: { cluster: "c", user: "u", namespace: "web", ...context } },
      { name: "y", context: { cluster: "c", user: "u" } },
    ],
    "current-context": "x",
  };
  writeFileSync(path, stringify(config));
  return path;
}

test("a token, and the namespace of the context", async () => {
  const { connection, namespace } = await ownConnection({ kubeconfig: write({ "tls-server-name": "kubernetes" }, { token: "t" }) }, {});
  expect(connection).toMatchObject({ server: "https://hub.example.org:6443", serverName: "kubernetes" });
  expect(connection.guard).toBeUndefined();
  expect(namespace).toBe("web");
  expect(await connection.credential(false)).toEqual({ ca, token: "t" });
});

test("another context", async () => {
  expect((await ownConnection({ kubeconfig: write({}, { token: "t" }), context: "y" }, {})).namespace).toBeUndefined();
});

test("a client certificate, from files beside the kubeconfig as well", async () => {
  writeFileSync(join(folder, "cert.pem"), cert);
  writeFileSync(join(folder, "key.pem"), key);
  const { connection } = await ownConnection({ kubeconfig: write({}, { "client-certificate": "cert.pem", "client-key": "key.pem" }) }, {});
  expect(await connection.credential(false)).toEqual({ ca, cert, key });
});

test("a command is run once, and again when the server refuses what it gave", async () => {
  const count = join(folder, "count");
  const script = `printf x >>'${count}'; printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t%s"}}' "$(wc -c <'${count}' | tr -d ' ')"`;
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "sh", args: ["-c", script], interactiveMode: "Never" };
  const { connection } = await ownConnection({ kubeconfig: write({}, { exec }) }, {});
  expect((await connection.credential(false)).token).toBe("t1");
  expect((await connection.credential(false)).token).toBe("t1");
  expect((await connection.credential(true)).token).toBe("t2");
});

test("a kubeconfig that changed is read again when the server refuses", async () => {
  const { connection } = await ownConnection({ kubeconfig: write({}, { token: "old" }) }, {});
  write({}, { token: "new" });
  expect((await connection.credential(false)).token).toBe("old");
  expect((await connection.credential(true)).token).toBe("new");
});

const refused: readonly { readonly name: string; readonly cluster: object; readonly says: string; readonly context?: string }[] = [
  { name: "a proxy", cluster: { "proxy-url": "http://proxy.example.org" }, says: "proxy-url is not supported" },
  { name: "no verification", cluster: { "insecure-skip-tls-verify": true }, says: "insecure-skip-tls-verify is not supported" },
  { name: "a context that is not there", cluster: {}, context: "z", says: 'there is no context "z". Name one with --context.' },
];
test.each(refused)("$name is refused", async ({ cluster, context, says }) => {
  const options = { kubeconfig: write(cluster, { token: "t" }), ...(context === undefined ? {} : { context }) };
  await expect(ownConnection(options, {})).rejects.toThrow(says);
});

test("without a kubeconfig there must be a pod", async () => {
  await expect(ownConnection({}, {})).rejects.toThrow("Give one with --kubeconfig FILE.");
});

test("a file that is not there or is a folder is named, with why and what to do", async () => {
  const file = join(folder, "none");
  await expect(ownConnection({ kubeconfig: file }, {})).rejects.toThrow(
    `${file} cannot be read (ENOENT: no such file or directory). Give a kubeconfig with --kubeconfig FILE.`,
  );
  await expect(ownConnection({ kubeconfig: folder }, {})).rejects.toThrow(`${folder} cannot be read (EISDIR: `);
});

test.each([
  { name: "an alias", text: "users:\n- {name: u, user: {token: *s3cret}}\n", says: "it is no YAML, see line 2. Mend it" },
  { name: "no mapping", text: "a: s3cret: b\n", says: "it is no YAML, see line 1." },
  { name: "nothing", text: "", says: "it is no YAML. Mend it" },
  { name: "a cluster without address", text: "clusters: [{name: s3cret, cluster: {}}]", says: "clusters[0].cluster.server is missing." },
  { name: "an address that is no text", text: "clusters: [{name: c, cluster: {server: [s3cret]}}]", says: "is no kubeconfig: " },
])("a kubeconfig with $name: nothing of it is told", async ({ text, says }) => {
  const file = join(folder, "config");
  writeFileSync(file, text);
  const error: unknown = await ownConnection({ kubeconfig: file }, {}).catch((reason) => reason);
  expect(error).toMatchObject({ message: expect.stringContaining(`${file} is no kubeconfig: `) });
  expect(error).toMatchObject({ message: expect.stringContaining(says) });
  expect(inspect(error)).not.toContain("s3cret");
});

test("the pod's namespace stands in a file, if there is one", async () => {
  const file = join(folder, "namespace");
  writeFileSync(file, "globalroute-system\n");
  expect(await podNamespace(file)).toBe("globalroute-system");
  expect(await podNamespace(join(folder, "none"))).toBeUndefined();
});
