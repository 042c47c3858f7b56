/** A proxy, its endpoint, attackers, and a client that behaves, each in a process of its own. Attackers get what the others leave of the cores, as if they were elsewhere. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { constants, setPriority } from "node:os";
import { SHOP } from "../http1/front-world.ts";
import type { Tally, Target } from "./attacks.ts";

export interface ProxyCounts {
  /** Status of answers of the proxy's own → how many. */
  readonly answers: Readonly<Record<string, number>>;
  /** Reason → connections and streams that were turned away. */
  readonly refused: Readonly<Record<string, number>>;
  readonly clients: number;
  readonly rss: number;
  /** Processor time of the proxy since its start, milliseconds. */
  readonly cpu: number;
}

export interface Asked {
  /** Milliseconds of each answer, in order of their length. */
  readonly times: readonly number[];
  /** Answers that were not 200. */
  readonly bad: number;
}

export interface BadInputWorld {
  /** Asks one request after another on a few connections for so long. */
  readonly ask: (milliseconds: number) => Promise<Asked>;
  /** Begins an attack; resolves once it has begun. The function that it gives ends it. */
  readonly attack: (name: string) => Promise<() => Promise<Tally>>;
  readonly counts: () => Promise<ProxyCounts>;
  readonly close: () => void;
}

const CONNECTIONS = 4;

export async function openBadInputWorld(): Promise<BadInputWorld> {
  const endpoint = fork(new URL("./endpoint-process.ts", import.meta.url));
  const [port] = (await once(endpoint, "message")) as [number];
  const proxy = fork(new URL("./proxy-process.ts", import.meta.url), [String(port)]);
  const [target] = (await once(proxy, "message")) as [Target];
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const attackers = new Set<ChildProcess>();

  const askOnce = (): Promise<number> =>
    new Promise((resolve) => {
      const asking = request({ agent, port: target.plain, host: "127.0.0.1", headers: { host: SHOP } }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode ?? 0));
      });
      asking.on("error", () => resolve(0));
      asking.end();
    });

  return {
    async ask(milliseconds) {
      const end = performance.now() + milliseconds;
      const times: number[] = [];
      let bad = 0;
      const one = async (): Promise<void> => {
        while (performance.now() < end) {
          const begun = performance.now();
          if ((await askOnce()) !== 200) bad++;
          times.push(performance.now() - begun);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      };
      await Promise.all(Array.from({ length: CONNECTIONS }, one));
      return { times: times.sort((a, b) => a - b), bad };
    },
    async attack(name) {
      const attacker = fork(new URL("./attacker-process.ts", import.meta.url), [name, String(target.plain), String(target.tls)]);
      attackers.add(attacker);
      if (attacker.pid !== undefined) setPriority(attacker.pid, constants.priority.PRIORITY_BELOW_NORMAL);
      await once(attacker, "message");
      return async () => {
        attacker.send("stop");
        const [tally] = (await once(attacker, "message")) as [Tally];
        await once(attacker, "exit");
        attackers.delete(attacker);
        return tally;
      };
    },
    async counts() {
      proxy.send("counts");
      return ((await once(proxy, "message")) as [ProxyCounts])[0];
    },
    close() {
      for (const child of [...attackers, proxy, endpoint]) child.kill();
      agent.destroy();
    },
  };
}

/** @param times in order */
export const percentile = (times: readonly number[], share: number): number =>
  times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Number.NaN;
