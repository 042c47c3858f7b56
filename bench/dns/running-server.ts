/** Starts and stops contenders, each pinned to one core. */
import { join } from "node:path";
import { encodeQuery } from "../../src/dns/wire/encode-query.ts";
import { openUdp } from "../../test/support/dns-client.ts";
import { SERVER_CORE, startPinned } from "../support/pinned-process.ts";
import type { Cleanup } from "./cleanup.ts";
import type { Contender } from "./contender.ts";
import { ONE_NAME } from "./steering.ts";

/** A contender with its configuration written. */
export interface Configured {
  readonly contender: Contender;
  readonly folder: string;
  readonly port: number;
  readonly args: readonly string[];
}

export interface RunningServer {
  readonly contender: Contender;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

const PATIENCE_MS = 60_000;

/**
 * @returns once it answers
 * @param patience ms
 * @throws with the end of its log when it does not within a minute, or the patience given
 */
export async function startServer(
  { contender, folder, port, args }: Configured,
  cleanup: Cleanup,
  patience = PATIENCE_MS,
): Promise<RunningServer> {
  const program = contender.program() ?? contender.name;
  const isReady = async (): Promise<boolean> => (await answers(port)) && (await contender.isReady());
  const { pid, stop } = await startPinned(
    { name: contender.name, core: SERVER_CORE, program, args, logFile: join(folder, "log") },
    isReady,
    cleanup,
    patience,
  );
  return { contender, port, pid, stop };
}

async function answers(port: number): Promise<boolean> {
  const client = await openUdp({ address: "127.0.0.1", port });
  try {
    const answer = await client.ask(encodeQuery({ id: 1, name: ONE_NAME, type: 1 }), 200);
    return (answer[3]! & 15) === 0 && answer[7]! > 0;
  } catch {
    return false;
  } finally {
    client.close();
  }
}
