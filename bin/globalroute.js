#!/usr/bin/env node
// Plain JavaScript that any Node since 18 can parse: it only finds a Node that can run the program, then hands over.
import { existsSync } from "node:fs";

const [major, minor] = process.versions.node.split(".").map(Number);

if (major > 22 || (major === 22 && minor >= 19)) {
  const checkout = new URL("../src/cli/main.ts", import.meta.url);
  const { main } = await import(existsSync(checkout) ? checkout.href : new URL("../src/cli/main.js", import.meta.url).href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  await runUnderNewerNode();
}

/** Runs this same file under the Node that npm installed beside it, as if it had been started with that Node. */
async function runUnderNewerNode() {
  const node = await bundledNode();
  if (node === undefined) {
    process.stderr.write(
      `globalroute: Node ${process.versions.node} is too old: 22.19 or newer is needed.\n` +
        "Install Node 24, or run `npm ci` in the checkout on Linux (x64, arm64), which brings one.\n",
    );
    process.exitCode = 2;
    return;
  }
  const { spawn } = await import("node:child_process");
  const { fileURLToPath } = await import("node:url");
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });

  // A terminal sends Ctrl-C and its hang-up to the whole process group: forwarding those too would count as a second request to stop.
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const signals = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2"];
  for (const signal of signals) {
    process.on(signal, () => {
      if (signal === "SIGTERM" || signal === "SIGUSR2" || !onTerminal) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    process.stderr.write(`globalroute: ${node} cannot be started: ${error.message}. Run \`npm ci\` again.\n`);
    process.exitCode = 2;
  });
  child.on("exit", (code, signal) => {
    for (const name of signals) process.removeAllListeners(name);
    if (signal === null) process.exitCode = code ?? 1;
    else process.kill(process.pid, signal);
  });
}

/** Path of the Node that npm brought, or undefined when there is none for this platform. */
async function bundledNode() {
  const { createRequire } = await import("node:module");
  const { dirname, join } = await import("node:path");
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/package.json`);
    const node = join(dirname(manifest), "bin", "node");
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined; // not installed: the caller says the remedy
  }
}
