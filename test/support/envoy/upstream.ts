/**
 * `node upstream.ts ADDRESS PORT [CERTIFICATE KEY]`: an HTTP server, over TLS if files are named, in a process of its own so that it can be killed or stopped. It answers with its address, or 503
 * after `POST /break` and until `POST /mend`; `/slow` comes in two halves. It tells on stdout when it listens, and the x-id of each POST that has one.
 */
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";

/** Between the halves, ms. */
const PAUSE = 200;

const [address = "127.0.0.1", port = "0", certificate, key] = process.argv.slice(2);
let isBroken = false;
const answer: RequestListener = (request, response) => {
  if (request.method === "POST" && request.headers["x-id"] !== undefined) process.stdout.write(`${request.headers["x-id"]}\n`);
  request.resume();
  request.on("end", () => {
    if (request.url === "/break" || request.url === "/mend") isBroken = request.url === "/break";
    response.writeHead(isBroken && request.url !== "/break" ? 503 : 200, { "content-type": "text/plain" });
    if (request.url !== "/slow" || isBroken) {
      response.end(address);
      return;
    }
    response.write(address.slice(0, 5));
    setTimeout(() => response.end(address.slice(5)), PAUSE);
  });
};
const server =
  certificate === undefined || key === undefined
    ? createServer(answer)
    : createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, answer);
server.listen(Number(port), address, () => process.stdout.write("listening\n"));
