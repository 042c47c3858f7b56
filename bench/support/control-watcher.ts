/**
 * A bare watcher of Ingresses, in a process of its own: when does a change reach whoever only listens? `fork` it, send it
 * {@link WatchedServer}s; it answers `"watching"` when all watches stand, and then with a {@link SeenChange} for each change.
 */
import { request } from "node:https";
import { createInterface } from "node:readline";

export interface WatchedServer {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly resourceVersion: string;
}

export interface SeenChange {
  readonly host: string;
  /** Its annotation. */
  readonly ttl: string;
  /** {@link monotonic} milliseconds. */
  readonly at: number;
}

/** Milliseconds on a clock that all processes of a machine share. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6;

interface WatchEvent {
  readonly object: {
    readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
    readonly spec?: { readonly rules?: readonly { readonly host?: string }[] };
  };
}

function watch({ url, resourceVersion, ...tls }: WatchedServer): Promise<void> {
  const path = `/apis/networking.k8s.io/v1/ingresses?watch=true&timeoutSeconds=3600&resourceVersion=${resourceVersion}`;
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, url), tls, (answer) => {
      answer.on("error", () => process.exit(1)); // nobody would be told of changes any more
      createInterface({ input: answer }).on("line", (line) => {
        const at = monotonic();
        const { metadata, spec } = (JSON.parse(line) as WatchEvent).object;
        const change: SeenChange = { host: spec?.rules?.[0]?.host ?? "", ttl: metadata.annotations?.["globalroute.dev/ttl"] ?? "", at };
        process.send?.(change);
      });
      resolve();
    });
    asked.on("error", reject).end();
  });
}

if (process.send !== undefined) {
  process.on("message", (servers: readonly WatchedServer[]) => void Promise.all(servers.map(watch)).then(() => process.send?.("watching")));
  process.on("disconnect", () => process.exit(0));
}
