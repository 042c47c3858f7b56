/** A real Envoy whose only configuration is where our control plane is. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { builtCommand } from "../component.ts";
import { type AtEnd, tempFolder } from "../temp-folder.ts";

export interface RealEnvoy {
  readonly process: ChildProcess;
  /** Of its listener, once it has one. */
  listenerPort(): Promise<number>;
  /** Of its admin interface: the text at a path. */
  admin(path: string): Promise<string>;
  /** What it wrote on stderr. */
  log(): string;
}

export interface EnvoyOptions {
  readonly id: string;
  readonly region: string;
  /** Of our control plane on 127.0.0.1. */
  readonly adsPort: number;
  readonly variant: "GRPC" | "DELTA_GRPC";
  /** Files with which it speaks TLS to the control plane. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly ca: string };
}

const PATIENCE = 20_000;

/** Inside a test: it ends with it; or with an end of its own. */
export async function startEnvoy(options: EnvoyOptions, atEnd: AtEnd = onTestFinished): Promise<RealEnvoy> {
  const folder = await tempFolder(atEnd);
  const config = join(folder, "bootstrap.json");
  const adminFile = join(folder, "admin");
  await writeFile(config, JSON.stringify(bootstrap(options)));
  const args = ["-c", config, "--admin-address-path", adminFile, "--concurrency", "1", "--disable-hot-restart", "-l", "warning"];
  const child = spawn(builtCommand("envoy"), args, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "exit");
  atEnd(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  let text = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const patiently = async <T>(what: string, look: () => Promise<T | undefined>): Promise<T> => {
    const end = performance.now() + PATIENCE;
    for (;;) {
      const found = await look().catch(() => undefined);
      if (found !== undefined) return found;
      if (performance.now() > end || child.exitCode !== null) throw new Error(`envoy: no ${what}. It wrote:\n${text}`);
      await sleep(20);
    }
  };
  const adminAddress = await patiently("admin interface", async () => (await readFile(adminFile, "utf8")).trim() || undefined);
  const admin = async (path: string): Promise<string> => (await request(`http://${adminAddress}${path}`)).body.text();
  return {
    process: child,
    admin,
    listenerPort: () =>
      patiently("listener", async () => {
        const { listener_statuses: [listener] = [] } = listeners.parse(JSON.parse(await admin("/listeners?format=json")));
        return listener?.local_address.socket_address.port_value;
      }),
    log: () => text,
  };
}

const listeners = z.object({
  listener_statuses: z.array(z.object({ local_address: z.object({ socket_address: z.object({ port_value: z.number() }) }) })).optional(),
});

function bootstrap({ id, region, adsPort, variant, tls }: EnvoyOptions): object {
  const fromAds = { ads: {}, resource_api_version: "V3" };
  const address = { socket_address: { address: "127.0.0.1", port_value: adsPort } };
  return {
    node: { id, cluster: "edge", locality: { region } },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    dynamic_resources: {
      ads_config: { api_type: variant, transport_api_version: "V3", grpc_services: [{ envoy_grpc: { cluster_name: "control-plane" } }] },
      cds_config: fromAds,
      lds_config: fromAds,
    },
    static_resources: {
      clusters: [
        {
          name: "control-plane",
          connect_timeout: "1s",
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: { cluster_name: "control-plane", endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
          ...(tls === undefined ? {} : { transport_socket: mutualTls(tls) }),
        },
      ],
    },
  };
}

const mutualTls = ({ certificate, key, ca }: NonNullable<EnvoyOptions["tls"]>): object => ({
  name: "envoy.transport_sockets.tls",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    common_tls_context: {
      tls_certificates: [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }],
      validation_context: { trusted_ca: { filename: ca } },
      alpn_protocols: ["h2"],
    },
  },
});
