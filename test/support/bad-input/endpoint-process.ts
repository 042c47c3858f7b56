/** An endpoint in a process of its own, which reads what it gets and says "ok". Says its port. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const endpoint = createServer((incoming, response) => incoming.resume().on("end", () => response.end("ok")));
endpoint.listen(0, "127.0.0.1");
await once(endpoint, "listening");
process.on("disconnect", () => process.exit());
process.send?.((endpoint.address() as AddressInfo).port);
