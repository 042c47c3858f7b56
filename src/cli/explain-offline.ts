/** `explain --config`: the same decision as a server's, from a folder alone. Nothing is probed, so every health is Unknown. */
import { explainWorld } from "../engine/engine-view.ts";
import { NOT_PROBED } from "../model/health.ts";
import type { Explanation } from "../routing/explanation.ts";
import { CommandError, type Io } from "./io.ts";
import { compileFolder, type OfflineQuestion } from "./offline-world.ts";

export interface ClientQuestion extends Pick<OfflineQuestion, "config" | "mmdb"> {
  readonly host: string;
  readonly client: string;
  readonly family: "A" | "AAAA";
}

/** @throws CommandError for objects with errors (exit 2), for a geo file (exit 2) and for a host that no route has (exit 1) */
export async function explainOffline(
  { config, mmdb, host, client, family }: ClientQuestion,
  io: Pick<Io, "now" | "cwd">,
): Promise<Explanation> {
  const world = await compileFolder({ config, mmdb, health: NOT_PROBED }, io);
  const facts = { health: () => NOT_PROBED, capabilities: world.capabilities, now: io.now() };
  const answer = explainWorld(world, host, client, family, facts);
  if (!answer.ok) throw new CommandError(1, answer.error);
  const note = "from the folder alone: nothing was probed, so every health is Unknown";
  return { ...answer.explanation, notes: [...answer.explanation.notes, note] };
}
