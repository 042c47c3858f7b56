/** The demo's control socket: `demo up` and `demo down` in another shell ask the supervisor here. One JSON line each way. */
import { chmodSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";

const request = z.object({ act: z.enum(["up", "down"]), cluster: z.string() });
const reply = z.object({ ok: z.boolean(), message: z.string() });
export type ControlRequest = z.infer<typeof request>;
/** `message` is one sentence for the person who asked. */
export type ControlReply = z.infer<typeof reply>;

export interface ControlServer {
  /** Path of the socket. */
  readonly path: string;
  close(): Promise<void>;
}

const LONGEST_LINE = 1024;

/** Opens the socket, for its owner only, in a fresh folder: a state folder's own path may be longer than a socket's may be (108 bytes). */
export async function openControl(act: (request: ControlRequest) => Promise<ControlReply>): Promise<ControlServer> {
  const path = join(mkdtempSync(join(tmpdir(), "globalroute-demo-")), "control.sock");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.setEncoding("utf8");
    socket.on("error", () => {}); // the asker went away; the act is done or refused all the same
    let line = "";
    socket.on("data", (chunk: string) => {
      line += chunk;
      if (line.length > LONGEST_LINE) socket.destroy();
      else if (line.endsWith("\n")) void answer(line, act).then((answered) => socket.end(`${JSON.stringify(answered)}\n`));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    path,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          rmSync(dirname(path), { recursive: true, force: true });
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function answer(line: string, act: (request: ControlRequest) => Promise<ControlReply>): Promise<ControlReply> {
  try {
    return await act(request.parse(JSON.parse(line)));
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

/** Removes what a demo that was killed left of its socket; its folder too, if nothing else is in it. */
export function sweepControl(path: string): void {
  rmSync(path, { force: true });
  try {
    rmdirSync(dirname(path));
  } catch {
    // gone already, or not only the demo's
  }
}

/** Asks a running demo. @returns undefined when nobody listens: the demo that wrote the path is gone */
export function askControl(path: string, asked: ControlRequest): Promise<ControlReply | undefined> {
  return new Promise((resolve) => {
    let line = "";
    const socket = connect(path, () => socket.write(`${JSON.stringify(asked)}\n`));
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      line += chunk;
    });
    socket.on("error", () => resolve(undefined));
    socket.on("close", () => resolve(line === "" ? undefined : reply.parse(JSON.parse(line))));
  });
}

/** True when a demo listens at the path. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
