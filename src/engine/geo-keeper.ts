/** Keeps geo files loaded: looks whether they changed, has a changed set checked, and keeps the old one when the new one is bad. */
import { stat } from "node:fs/promises";
import type { GeoInfo } from "./compiler.ts";

export interface GeoKeeperPorts {
  /** Loads and checks; rejects with a message for people. */
  readonly load: (paths: readonly string[]) => Promise<GeoInfo>;
  readonly setTimer: (delay: number, callback: () => void) => () => void;
  readonly onLoaded: (info: GeoInfo) => void;
  readonly onRejected: (message: string) => void;
}

export interface GeoKeeper {
  /** Loads now, whatever the files look like. @returns whether it worked */
  load(): Promise<boolean>;
  watch(): void;
  info(): GeoInfo | undefined;
  /** Why the newest files are not in use, if they are not. */
  rejection(): string | undefined;
  close(): void;
}

/** Milliseconds between two looks. */
const LOOK = 2000;
/** Looks after which files that were refused are tried again although they look the same: a disk or a thread may have failed, not they. */
const RETRY_LOOKS = 30;

/** @param paths as the user named them; empty = the data set that comes with the package, which does not change while running */
export function createGeoKeeper(paths: readonly string[], saved: GeoInfo | undefined, ports: GeoKeeperPorts): GeoKeeper {
  let info = saved;
  let rejection: string | undefined;
  let seen = "";
  let looks = 0;
  let cancel = () => {};
  let closed = false;

  async function fingerprint(): Promise<string> {
    const facts = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
    return facts.map((fact) => (fact === undefined ? "absent" : `${fact.ino} ${fact.size} ${fact.mtimeMs}`)).join("; ");
  }

  async function load(): Promise<boolean> {
    const before = seen;
    seen = await fingerprint();
    looks = 0;
    try {
      const loaded = await ports.load(paths);
      if (closed) return true;
      rejection = undefined;
      const changed = loaded.id !== info?.id;
      info = loaded;
      if (changed) ports.onLoaded(loaded);
      return true;
    } catch (error) {
      if (closed) return false;
      const known = rejection;
      rejection = error instanceof Error ? error.message : String(error);
      if (rejection !== known || seen !== before) ports.onRejected(rejection);
      return false;
    }
  }

  async function look(): Promise<void> {
    const before = seen;
    const now = await fingerprint();
    looks++;
    const isDue = now !== before || (rejection !== undefined && looks >= RETRY_LOOKS);
    if (isDue && !closed) await load();
    if (!closed) cancel = ports.setTimer(LOOK, () => void look());
  }

  return {
    load,
    watch() {
      if (!closed && (paths.length > 0 || rejection !== undefined)) cancel = ports.setTimer(LOOK, () => void look());
    },
    info: () => info,
    rejection: () => rejection,
    close() {
      closed = true;
      cancel();
    },
  };
}
