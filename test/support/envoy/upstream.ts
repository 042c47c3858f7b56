/**
 * `node upstream.ts ADDRESS PORT [CERTIFICATE KEY]`: an HTTP server, over TLS if files are named, in a process of its own so that it can be killed or stopped. It answers with its address, or 503
 * after `POST /break` and until `POST /mend`; it tells on stdout when it listens.
 */
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";

const [address = "127.0.0.1", port = "0", certificate, key] = process.argv.slice(2);
let isBroken = false;
const answer: RequestListener = (request, response) => {
  request.resume();
  request.on("end", () => {
    if (request.url === "/break" || request.url === "/mend") isBroken = request.url === "/break";
    response.writeHead(isBroken && request.url !== "/break" ? 503 : 200, { "content-type": "text/plain" }).end(address);
  });
};
const server =
  certificate === undefined || key === undefined
    ? createServer(answer)
    : createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, answer);
server.listen(Number(port), address, () => process.stdout.write("listening\n"));
