/** The plugin with a kubectl that is a small shell script: it writes down how it was called and answers as the real one does. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFakeView } from "../../test/support/fake-view.ts";
import { captureIo } from "../../test/support/run-cli.ts";
import type { Io } from "./io.ts";
import { runPlugin } from "./kubectl-plugin.ts";
import { main } from "./main.ts";

let folder: string;
let env: Record<string, string>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubectl-"));
  env = { PATH: `${folder}${delimiter}${process.env.PATH}` };
});
afterEach(() => rmSync(folder, { recursive: true }));

/** @param answers script for each of kubectl's commands */
function fakeKubectl(answers: Readonly<Record<string, string>>): void {
  const cases = Object.entries(answers).map(([command, script]) => `*' ${command} '*) ${script} ;;`);
  const script = `#!/bin/sh\necho "$*" >>'${join(folder, "calls")}'\ncase " $* " in\n${cases.join("\n")}\n*) echo "unknown: $*" >&2; exit 1 ;;\nesac\n`;
  writeFileSync(join(folder, "kubectl"), script);
  chmodSync(join(folder, "kubectl"), 0o755);
}
const calls = (): readonly string[] => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");

const pod = (name: string, ready: boolean, more: { readonly admin?: string; readonly deletionTimestamp?: string } = {}) => ({
  metadata: { name, ...(more.deletionTimestamp === undefined ? {} : { deletionTimestamp: more.deletionTimestamp }) },
  spec: { containers: [{ args: ["controller", ...(more.admin === undefined ? [] : [`--admin=${more.admin}`])] }] },
  status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
});
const pods = (...items: readonly unknown[]): string => `echo '${JSON.stringify({ items })}'`;

/** Stays until it is killed, as the real one does. */
const forwardTo = (port: number): string => `echo 'Forwarding from 127.0.0.1:${port} -> 8053'; exec sleep 60`;

async function plugin(args: readonly string[]) {
  const { io, stdout, stderr } = captureIo({ env });
  const code = await main(["kubectl", ...args], io);
  return { code, stdout: stdout.join(""), stderr: stderr.join("") };
}

/** What a writing command would have been given. */
async function handedOn(args: readonly string[], flags: { readonly kubeconfig?: string; readonly context?: string } = {}) {
  const seen: (readonly string[])[] = [];
  const run = async (given: readonly string[], _: Io): Promise<0> => {
    seen.push(given);
    return 0;
  };
  await runPlugin(args, { namespace: "globalroute-system", ...flags }, captureIo({ env }).io, run);
  return seen[0];
}

test("status goes through the port of a ready replica, which is let go afterwards", async () => {
  const server = createServer((request, response) => {
    const body = request.url === "/readyz" ? { ready: true, degraded: [] } : createFakeView().status();
    response.setHeader("content-type", "application/json").end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const replicas = pods(
    pod("gr-0", false),
    pod("gr-1", true, { admin: "127.0.0.1:9000" }),
    pod("gr-2", true, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
  );
  fakeKubectl({ get: replicas, "port-forward": forwardTo(port) });

  const run = await plugin(["--context", "hub", "status"]);
  server.close();
  expect(run).toMatchObject({ code: 0, stderr: "" });
  expect(run.stdout).toContain(`http://127.0.0.1:${port}`);
  expect(calls()).toEqual([
    "--context=hub --namespace=globalroute-system get pods --field-selector=status.phase=Running --selector=app.kubernetes.io/name=globalroute,app.kubernetes.io/component=controller --output=json",
    "--context=hub --namespace=globalroute-system port-forward --address=127.0.0.1 pod/gr-1 :9000",
  ]);
});

test("a replica that is not ready is asked when there is no other, on the usual port", async () => {
  fakeKubectl({ get: pods(pod("gr-0", false)), "port-forward": "echo 'error: forbidden' >&2; exit 1" });
  expect(await plugin(["--namespace", "edge", "explain", "shop.example.org"])).toEqual({
    code: 1,
    stdout: "",
    stderr: "globalroute: kubectl port-forward failed (exit 1): error: forbidden\n",
  });
  expect(calls()[1]).toBe("--namespace=edge port-forward --address=127.0.0.1 pod/gr-0 :8053");
});

test.each([
  ["drill", "own"],
  ["status", "same"],
])("%s: the forward is in the %s process group; a Ctrl-C on the terminal reaches all of ours", async (command, group) => {
  const note = `[ "$(cut -d' ' -f5 /proc/$$/stat)" = "$(cut -d' ' -f5 /proc/$PPID/stat)" ] && group=same || group=own; echo $group >>'${join(folder, "groups")}'`;
  fakeKubectl({ get: pods(pod("gr-0", true)), "port-forward": `${note}; ${forwardTo(1)}` });
  let given: readonly string[] = [];
  const run = async (args: readonly string[]): Promise<0> => {
    given = args;
    return 0;
  };
  await runPlugin([command, "x"], { namespace: "edge", context: "hub" }, captureIo({ env }).io, run);
  expect(readFileSync(join(folder, "groups"), "utf8")).toBe(`${group}\n`);
  expect(given).toEqual(command === "drill" ? ["drill", "x", "--context", "hub", "--namespace", "edge"] : ["status", "x"]);
});

test("no replica, no kubectl: the remedy", async () => {
  fakeKubectl({ get: pods() });
  expect(await plugin(["status"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no replica of GlobalRoute runs in namespace globalroute-system. Name another"),
  });
  env = { PATH: folder.replace("kubectl-", "nothing-") };
  expect(await plugin(["status"])).toMatchObject({ code: 2, stderr: expect.stringContaining("Install kubectl, or put it on PATH.") });
});

test("confirm is run in every replica, where its token is", async () => {
  fakeKubectl({
    get: pods(pod("gr-0", true), pod("gr-1", true)),
    exec: `case "$*" in *gr-0*) echo 'Nothing was held back.'; exit 1 ;; *) echo 'routes: 40' ;; esac`,
  });
  expect(await plugin(["confirm"])).toEqual({ code: 0, stdout: "gr-0: Nothing was held back.\ngr-1: routes: 40\n", stderr: "" });
  expect(calls()[1]).toBe("--namespace=globalroute-system exec pod/gr-0 -- node /app/bin/globalroute.js confirm");
});

const NS = ["--namespace", "globalroute-system"];
const writing: readonly { name: string; flags?: { kubeconfig?: string; context?: string }; args: string[]; given: string[] }[] = [
  { name: "where it is installed", args: ["drain", "eu-west"], given: ["drain", "eu-west", ...NS] },
  {
    name: "the plugin's own options",
    flags: { kubeconfig: "/k/a", context: "hub" },
    args: ["drain", "x"],
    given: ["drain", "x", "--kubeconfig", "/k/a", "--context", "hub", ...NS],
  },
  {
    name: "what the command was given goes before",
    flags: { kubeconfig: "/k/a", context: "hub" },
    args: ["undrain", "x", "--kubeconfig=/k/b", "--context", "c", "--namespace", "edge"],
    given: ["undrain", "x", "--kubeconfig=/k/b", "--context", "c", "--namespace", "edge"],
  },
  {
    name: "join has two of them",
    flags: { kubeconfig: "/k/hub" },
    args: ["join", "eu", "--kubeconfig", "/k/eu"],
    given: ["join", "eu", "--kubeconfig", "/k/eu", "--hub-kubeconfig", "/k/hub", ...NS],
  },
  {
    name: "the server that join names is the member's",
    args: ["join", "eu", "--server", "https://192.0.2.1"],
    given: ["join", "eu", "--server", "https://192.0.2.1", ...NS],
  },
  { name: "help needs none", args: ["drain", "--help"], given: ["drain", "--help"] },
  {
    name: "a server that is named is asked",
    args: ["status", "--server", "http://192.0.2.1:8053"],
    given: ["status", "--server", "http://192.0.2.1:8053"],
  },
  { name: "a command that needs no cluster", args: ["validate", "folder"], given: ["validate", "folder"] },
];
test.each(writing)("handed on: $name", async ({ flags, args, given }) => {
  expect(await handedOn(args, flags)).toEqual(given);
});
