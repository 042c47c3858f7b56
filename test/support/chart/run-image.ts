/**
 * Runs the image's files as a container runtime with restricted Pod Security would: another root that is read-only, user and group 65532, no
 * capabilities, no new privileges, no variables but the given ones. In place of the base image it has this machine's C libraries. Needs root.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** In a mount namespace of its own, so that nothing is left behind. $1 = new root, $2 = image, $3 = folder at /etc/globalroute, then the command. */
const ENTER = `
root=$1 image=$2 etc=$3; shift 3
mount -t tmpfs -o mode=0755 tmpfs "$root"
mkdir -p "$root/proc" "$root/dev" "$root/etc/globalroute" "$root/tmp" "$root/var/lib/globalroute"
for folder in app nodejs; do mkdir "$root/$folder"; mount --bind -o ro "$image/$folder" "$root/$folder"; done
for folder in lib lib64 usr/lib; do
  [ -d "/$folder" ] || continue
  mkdir -p "$root/$folder"; mount --bind -o ro "/$folder" "$root/$folder"
done
cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
[ -z "$etc" ] || mount --bind -o ro "$etc" "$root/etc/globalroute"
mount -t proc proc "$root/proc"
mount --rbind -o ro /dev "$root/dev"
mount -t tmpfs -o mode=1777,size=64m tmpfs "$root/tmp"
mount -t tmpfs -o mode=2775,uid=0,gid=65532 tmpfs "$root/var/lib/globalroute"
mount -o remount,ro "$root"
exec setpriv --no-new-privs chroot --userspec=65532:65532 --groups=65532 "$root" "$@"
`;

export interface ImageRun {
  readonly child: ChildProcess;
  /** All that it has written to either output so far. */
  readonly output: () => string;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

/**
 * @param image  folder that `npm run image:root` has made
 * @param args   behind the entry point, as a chart gives them
 * @param env    the container's variables
 * @param etc    folder that is mounted at /etc/globalroute, if any
 */
export function runImage(image: string, args: readonly string[], env: Readonly<Record<string, string>> = {}, etc = ""): ImageRun {
  const root = mkdtempSync(join(tmpdir(), "image-root-"));
  const command = ["/nodejs/bin/node", "/app/bin/globalroute.js", ...args];
  const child = spawn("unshare", ["--mount", "--propagation=private", "sh", "-eu", "-c", ENTER, "enter", root, image, etc, ...command], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const ended = new Promise<number | string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      rmSync(root, { recursive: true, force: true });
      resolve(code ?? signal ?? "");
    });
  });
  return { child, output: () => text, ended };
}
