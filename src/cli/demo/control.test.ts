import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { askControl, type ControlRequest, type ControlServer, isListening, openControl, sweepControl } from "./control.ts";

const asked: ControlRequest[] = [];
let server: ControlServer;
const open = async (): Promise<string> => {
  asked.length = 0;
  server = await openControl(async (request) => {
    asked.push(request);
    if (request.cluster === "broken") throw new Error("broken cannot start");
    return { ok: true, message: `${request.cluster} is ${request.act}` };
  });
  return server.path;
};
afterEach(() => server.close());

test("an act is carried out and answered, over a socket that only its owner may use", async () => {
  const path = await open();
  expect(await askControl(path, { act: "down", cluster: "eu-west" })).toEqual({ ok: true, message: "eu-west is down" });
  expect(asked.pop()).toEqual({ act: "down", cluster: "eu-west" });
  expect(statSync(path).mode & 0o077).toBe(0);
  expect(statSync(dirname(path)).mode & 0o077).toBe(0);
});

test("a failed act comes back as its message", async () => {
  expect(await askControl(await open(), { act: "up", cluster: "broken" })).toEqual({ ok: false, message: "broken cannot start" });
});

test.each(["{}\n", "nonsense\n", '{"act": "explode", "cluster": "eu-west"}\n'])("%j is refused", async (line) => {
  const path = await open();
  const reply = await new Promise<string>((resolve) => {
    let text = "";
    const socket = connect(path, () => socket.write(line));
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text));
  });
  expect(JSON.parse(reply)).toMatchObject({ ok: false });
  expect(asked).toEqual([]);
});

test("an endless line is cut off", async () => {
  const path = await open();
  const closed = new Promise((resolve) => {
    const socket = connect(path, () => socket.write("x".repeat(5000)));
    socket.on("error", () => {});
    socket.on("close", resolve);
  });
  await closed;
});

test("after the end nobody listens and the socket's folder is gone, even with a silent client connected", async () => {
  const path = await open();
  expect(await isListening(path)).toBe(true);
  const silent = connect(path);
  await new Promise((resolve) => silent.once("connect", resolve));
  await server.close();
  expect(await isListening(path)).toBe(false);
  expect(await askControl(path, { act: "up", cluster: "eu-west" })).toBeUndefined();
  expect(existsSync(dirname(path))).toBe(false);
});

test("what a killed demo left is swept away, and nothing else", async () => {
  const path = await open();
  await server.close();
  mkdirSync(dirname(path));
  writeFileSync(path, "");
  sweepControl(path);
  expect(existsSync(dirname(path))).toBe(false);
  mkdirSync(dirname(path));
  writeFileSync(join(dirname(path), "thesis.txt"), "");
  sweepControl(path);
  expect(existsSync(join(dirname(path), "thesis.txt"))).toBe(true);
  rmSync(dirname(path), { recursive: true });
});
