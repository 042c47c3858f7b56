/** Holds one thread of another process to a share of a core, by whichever cgroup version the machine lets us write. */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface CpuLimit {
  /** Lets the thread go, and removes the group. */
  readonly release: () => void;
}

/** Short, so that a limited thread is slow rather than absent. */
const PERIOD_US = 10_000;
const V1 = "/sys/fs/cgroup/cpu";
const V2 = "/sys/fs/cgroup";

const isWritable = (folder: string): boolean => {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

/** 1, 2, or undefined where no CPU controller can be written. */
export function cgroupVersion(): 1 | 2 | undefined {
  if (existsSync(join(V1, "cpu.cfs_quota_us")) && isWritable(V1)) return 1;
  const controllers = join(V2, "cgroup.controllers");
  if (existsSync(controllers) && readFileSync(controllers, "utf8").split(/\s/).includes("cpu") && isWritable(V2)) return 2;
  return undefined;
}

/**
 * @param thread of the process, as in `/proc/PID/task`
 * @param share  of one core, 0..1
 * @throws when there is no {@link cgroupVersion}, or the system refuses
 */
export function limitThread(pid: number, thread: number, share: number): CpuLimit {
  const name = `globalroute-test-${pid}-${thread}`;
  const quota = Math.round(PERIOD_US * share);
  switch (cgroupVersion()) {
    case 1: {
      const group = join(V1, name);
      mkdirSync(group);
      writeFileSync(join(group, "cpu.cfs_period_us"), `${PERIOD_US}`);
      writeFileSync(join(group, "cpu.cfs_quota_us"), `${quota}`);
      writeFileSync(join(group, "tasks"), `${thread}`);
      return { release: () => remove(() => writeFileSync(join(V1, "tasks"), `${thread}`), [group]) };
    }
    case 2: {
      // Threads of one process can be told apart only below a group that holds the whole process (threaded mode).
      const whole = join(V2, name);
      const group = join(whole, "limited");
      mkdirSync(group, { recursive: true });
      writeFileSync(join(whole, "cgroup.procs"), `${pid}`);
      writeFileSync(join(group, "cgroup.type"), "threaded");
      writeFileSync(join(whole, "cgroup.subtree_control"), "+cpu");
      writeFileSync(join(group, "cpu.max"), `${quota} ${PERIOD_US}`);
      writeFileSync(join(group, "cgroup.threads"), `${thread}`);
      return { release: () => remove(() => writeFileSync(join(V2, "cgroup.procs"), `${pid}`), [group, whole]) };
    }
    case undefined:
      throw new Error("no cgroup CPU controller can be written here. Run as root on a host, or in a container with its own cgroup.");
  }
}

/** A process that has ended has left its group by itself. */
function remove(leave: () => void, groups: readonly string[]): void {
  try {
    leave();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
  for (const group of groups) rmdirSync(group);
}
