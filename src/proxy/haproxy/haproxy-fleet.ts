/** The HAProxies that we program: a keeper for each, its files and its socket. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { createHaproxyKeeper, type HaproxyKeeper, type HaproxyStatus } from "./keeper.ts";
import type { HaproxyWorld } from "./layout.ts";
import { type ReloadBy, reloadHaproxy } from "./reload.ts";
import type { ConfigOptions } from "./render-config.ts";
import { type AdminSocket, askHaproxy } from "./runtime-socket.ts";

export interface HaproxyMember {
  /** Unique in the fleet. */
  readonly name: string;
  readonly config: ConfigOptions;
  /** Where its admin socket is reached from here; the path in `config` if not given. */
  readonly socket?: AdminSocket;
  /** How it is made to read its configuration again. Absent: `reloadFor` of its status asks somebody to. */
  readonly reload?: ReloadBy;
}

export interface HaproxyFleetOptions {
  readonly members: readonly HaproxyMember[];
  readonly ports: {
    /** Milliseconds; only differences count. */
    readonly now: () => number;
    readonly setTimer: (delay: number, callback: () => void) => () => void;
    /** [0, 1) */
    readonly random: () => number;
  };
  /** Told of each member whose status differs from before. */
  readonly onStatus?: (member: string, status: HaproxyStatus) => void;
}

export interface HaproxyFleet {
  /** By name of a member, since a plan is for a place. A member that is not in it keeps what it has. */
  update(worlds: ReadonlyMap<string, HaproxyWorld>): void;
  status(): ReadonlyMap<string, HaproxyStatus>;
  /** The HAProxies go on with what they have. */
  close(): Promise<void>;
}

/** Milliseconds for one answer: HAProxy answers in a few, between requests. */
const ANSWER_TIMEOUT = 5_000;

export function createHaproxyFleet({ members, ports, onStatus }: HaproxyFleetOptions): HaproxyFleet {
  const keepers = new Map<string, HaproxyKeeper>(
    members.map(({ name, config, socket = { path: config.adminSocket }, reload }) => [
      name,
      createHaproxyKeeper(config, {
        ...ports,
        ask: (command) => askHaproxy(command, { at: socket, timeout: ANSWER_TIMEOUT, setTimer: ports.setTimer }),
        writeFile: replaceFile,
        ...(reload === undefined ? {} : { reload: () => reloadHaproxy(reload, ports) }),
        ...(onStatus === undefined ? {} : { onStatus: (status) => onStatus(name, status) }),
      }),
    ]),
  );
  return {
    update: (worlds) => {
      for (const [name, world] of worlds) keepers.get(name)?.update(world);
    },
    status: () => new Map([...keepers].map(([name, keeper]) => [name, keeper.status()])),
    close: async () => {
      await Promise.all([...keepers.values()].map((keeper) => keeper.close()));
    },
  };
}

/** A reader finds the old file or the new one, never half of one. The folder was there once: /run, say, may have been emptied since. */
async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, text).catch(async (error: unknown) => {
    if (!isMissing(error)) throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    await writeFile(draft, text);
  });
  await rename(draft, path);
}

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT";
