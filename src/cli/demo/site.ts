/**
 * One site of the demo, run as a process of its own by the supervisor: `site.ts NAME PLACE ADDRESS PORT`. It tells the supervisor over the
 * IPC channel that it listens, or why it cannot, and ends when that channel closes: when its parent is gone, however it went.
 */
import { createServer } from "node:http";
import { LISTENING } from "./world.ts";

function run(name: string, place: string, address: string, port: number): void {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "text/plain; charset=utf-8");
    if (request.url === "/healthz") response.end("ok\n");
    else response.end(`${name} (${place}) at ${address}:${port}, process ${process.pid}, asked for ${request.headers.host ?? "nobody"}\n`);
  });
  server.on("error", (error: NodeJS.ErrnoException) => {
    process.send?.(error.code ?? error.message);
    process.disconnect?.();
  });
  server.listen(port, address, () => process.send?.(LISTENING));
  process.on("disconnect", () => process.exit(0));
  process.on("SIGINT", () => {}); // Ctrl-C reaches the whole process group; the supervisor decides when its sites end
  process.title = `globalroute-demo-${name}`;
}

const [name = "", place = "", address = "", port = ""] = process.argv.slice(2);
run(name, place, address, Number(port));
