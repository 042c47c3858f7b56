/** Stories of two writers of one zone at Route 53, paused and resumed at every await point. */
import { type Change, ChangeResourceRecordSetsCommand, type Route53Client } from "@aws-sdk/client-route-53";
import { seededRandom } from "../random.ts";
import { startRoute53Emulator } from "./route53/server.ts";
import { FREE_LANE, route53ProviderOf, storedSet, wirelessRoute53Client } from "./route53-zone.ts";
import { type Broken, twoWriters } from "./two-writers.ts";

export interface StoriesToTell {
  /** Seeds from..to-1. */
  readonly from: number;
  readonly to: number;
  /** Whether writers compare the fence, as they do. */
  readonly isFenced: boolean;
}

export type BrokenStory = Broken & { readonly seed: number };

/** @returns those in which a rule was broken */
export async function tellRoute53Stories({ from, to, isFenced }: StoriesToTell): Promise<readonly BrokenStory[]> {
  const emulator = await startRoute53Emulator({ quotas: { hostedZones: 100_000 } });
  const client = wirelessRoute53Client(emulator);
  const edit = isFenced ? (command: unknown) => command : withoutFence;
  const told: BrokenStory[] = [];
  for (let seed = from; seed < to; seed++) {
    const zone = emulator.addZone("example.org.");
    const random = seededRandom(seed);
    const broken = await twoWriters({
      provider(scheduler) {
        const send = ((command: unknown, options: never) =>
          scheduler.travel(
            () => client.send(edit(command) as never, options),
            () => Object.assign(new Error("given up"), { name: "TimeoutError" }),
          )) as Route53Client["send"];
        return route53ProviderOf({ send }, zone, { lane: FREE_LANE });
      },
      look: async () => ["shop.example.org", "cart.example.org"].flatMap((name) => storedSet(emulator, zone, name, "A") ?? []),
      roll: (below) => Math.floor(random() * below),
      base: 10,
    });
    if (broken !== undefined) told.push({ ...broken, seed });
    emulator.forget();
  }
  client.destroy();
  await emulator.close();
  return told;
}

/** The fence is written whatever stands there. */
function withoutFence(command: unknown): unknown {
  if (!(command instanceof ChangeResourceRecordSetsCommand)) return command;
  const isFence = ({ ResourceRecordSet: set }: Change): boolean => set?.Name?.includes("._fence.") === true;
  const Changes = (command.input.ChangeBatch?.Changes ?? [])
    .filter((change) => !isFence(change) || change.Action !== "DELETE")
    .map((change): Change => (isFence(change) ? { ...change, Action: "UPSERT" } : change));
  return new ChangeResourceRecordSetsCommand({ ...command.input, ChangeBatch: { Changes } });
}
