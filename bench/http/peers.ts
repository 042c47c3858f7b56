/** The proxies that ours is measured beside, each with one thread, and as little to do beside passing requests on as it can be told. */
import { accessSync, constants, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtCommand } from "../../test/support/component.ts";
import { findProgram } from "../dns/contender.ts";
import type { Contender } from "./contender.ts";
import { nginxConfig } from "./nginx-config.ts";

export const INSTALL_PEERS = "npm run components -- haproxy nginx envoy traefik wrk";

const haproxy: Contender = {
  name: "haproxy",
  program: () => findProgram("haproxy"),
  configure({ host, upstreamPort }, folder, port) {
    const file = join(folder, "haproxy.cfg");
    const lines = `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend clients
  bind 127.0.0.1:${port}
  http-request deny deny_status 404 unless { hdr(host) -i ${host} }
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend site
backend site
  server one 127.0.0.1:${upstreamPort}
`;
    writeFileSync(file, lines);
    return { args: ["-db", "-f", file] };
  },
};

const nginx: Contender = {
  name: "nginx",
  program: () => findProgram("nginx"),
  configure({ host, upstreamPort }, folder, port) {
    const http = `upstream site { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port} default_server; return 404; }
  server {
    listen 127.0.0.1:${port};
    server_name ${host};
    location / {
      proxy_pass http://site;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto http;
      proxy_set_header X-Forwarded-Host $host;
    }
  }`;
    return { args: ["-c", nginxConfig(folder, http)] };
  },
};

const envoy: Contender = {
  name: "envoy",
  program: () => built("envoy"),
  configure({ host, upstreamPort }, folder, port) {
    const file = join(folder, "envoy.json");
    const at = (portValue: number): object => ({ socket_address: { address: "127.0.0.1", port_value: portValue } });
    const typed = (type: string, more: object = {}): object => ({ "@type": `type.googleapis.com/envoy.extensions.${type}`, ...more });
    const manager = typed("filters.network.http_connection_manager.v3.HttpConnectionManager", {
      stat_prefix: "clients",
      use_remote_address: true,
      generate_request_id: false,
      route_config: {
        virtual_hosts: [{ name: "site", domains: [host], routes: [{ match: { prefix: "/" }, route: { cluster: "site" } }] }],
      },
      http_filters: [{ name: "router", typed_config: typed("filters.http.router.v3.Router", { suppress_envoy_headers: true }) }],
    });
    const cluster = {
      name: "site",
      type: "STATIC",
      load_assignment: { cluster_name: "site", endpoints: [{ lb_endpoints: [{ endpoint: { address: at(upstreamPort) } }] }] },
    };
    const listener = { name: "clients", address: at(port), filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }] };
    writeFileSync(file, JSON.stringify({ static_resources: { listeners: [listener], clusters: [cluster] } }));
    return { args: ["-c", file, "--concurrency", "1", "--disable-hot-restart", "-l", "warning"] };
  },
};

const traefik: Contender = {
  name: "traefik",
  program: () => built("traefik"),
  configure({ host, upstreamPort }, folder, port) {
    const file = join(folder, "site.yml");
    const http = {
      routers: { site: { rule: `Host(\`${host}\`)`, service: "site", entryPoints: ["clients"] } },
      services: { site: { loadBalancer: { servers: [{ url: `http://127.0.0.1:${upstreamPort}` }] } } },
    };
    writeFileSync(file, JSON.stringify({ http })); // JSON is YAML
    return {
      args: [
        ...[`--entrypoints.clients.address=127.0.0.1:${port}`, `--providers.file.filename=${file}`],
        ...["--log.level=ERROR", "--global.checknewversion=false", "--global.sendanonymoususage=false"],
      ],
      environment: { GOMAXPROCS: "1" },
    };
  },
};

const fastify: Contender = {
  name: "fastify-http-proxy",
  program: () => process.execPath,
  configure: ({ upstreamPort }, _folder, port) => ({
    args: [fileURLToPath(new URL("./fastify-proxy.ts", import.meta.url)), String(port), String(upstreamPort)],
    environment: { NODE_ENV: "production" },
  }),
};

function built(command: string): string | undefined {
  try {
    accessSync(builtCommand(command), constants.X_OK);
    return builtCommand(command);
  } catch {
    return undefined;
  }
}

export const PEERS: readonly Contender[] = [haproxy, nginx, envoy, traefik, fastify];
