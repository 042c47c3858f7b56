/** What an nginx of one process needs besides what it serves. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SCRATCH = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

/**
 * Writes it. Without a master process, because a worker would outlive a master that is killed.
 *
 * @param http directives of its `http` block
 * @returns the file
 */
export function nginxConfig(folder: string, http: string): string {
  const file = join(folder, "nginx.conf");
  const scratch = join(folder, "scratch");
  mkdirSync(scratch);
  writeFileSync(
    file,
    `daemon off;
master_process off;
pid ${join(folder, "pid")};
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  default_type text/plain;
  keepalive_requests 1000000000;
  ${SCRATCH.map((name) => `${name}_temp_path ${join(scratch, name)};`).join(" ")}
  ${http}
}
`,
  );
  return file;
}
