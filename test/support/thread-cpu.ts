/** CPU time of single threads, from `/proc`. */
import { readdirSync, readFileSync } from "node:fs";

/** Thread → CPU time so far, in clock ticks. */
export function threadTicks(pid: number): ReadonlyMap<number, number> {
  return new Map(
    readdirSync(`/proc/${pid}/task`).map((thread) => {
      // the name may hold blanks and brackets; numbers follow behind its last bracket: state is the third field, utime the fourteenth
      const fields = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8").split(") ").at(-1)!.split(" ");
      return [Number(thread), Number(fields[11]) + Number(fields[12])];
    }),
  );
}

/** The thread that has used most CPU time since `before`. */
export function busiestThread(pid: number, before: ReadonlyMap<number, number>): number {
  const spent = [...threadTicks(pid)].map(([thread, ticks]) => [thread, ticks - (before.get(thread) ?? 0)] as const);
  return spent.reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}
