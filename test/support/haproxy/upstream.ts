/**
 * A cluster's replica, as a process that tests kill and stop: `node upstream.ts ADDRESS PORT NAME`. Answers with its name, or with the status that
 * `/become/STATUS` asked for, and prints a line for each request: method, path, what the header x-id said, and x-globalroute- headers.
 */
import { createServer } from "node:http";

const [address, port, name] = process.argv.slice(2);
let status = 200;

createServer((request, response) => {
  const [, become] = /^\/become\/(\d{3})$/.exec(request.url ?? "") ?? [];
  if (become !== undefined) {
    status = Number(become);
    response.end();
    return;
  }
  const internal = Object.keys(request.headers).filter((header) => header.startsWith("x-globalroute"));
  process.stdout.write(`${request.method} ${request.url} ${request.headers["x-id"]} ${internal.join()}\n`);
  request.resume();
  request.on("end", () => {
    response.statusCode = status;
    response.end(name);
  });
}).listen(Number(port), address, () => process.stdout.write("listening\n"));
