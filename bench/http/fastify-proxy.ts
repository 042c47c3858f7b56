/** `node bench/http/fastify-proxy.ts PORT UPSTREAM-PORT`: what somebody writes who needs a small proxy in Node: Fastify with @fastify/http-proxy, as they come. */
import httpProxy from "@fastify/http-proxy";
import fastify from "fastify";

const [port, upstreamPort] = process.argv.slice(2);
const server = fastify();
await server.register(httpProxy, { upstream: `http://127.0.0.1:${upstreamPort}` });
await server.listen({ host: "127.0.0.1", port: Number(port) });
