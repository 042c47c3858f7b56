/** Sends commands to Route 53 at the account's pace, again where that helps, with errors that say what to do. */
import type { Route53Client, ServiceInputTypes, ServiceOutputTypes } from "@aws-sdk/client-route-53";
import { ProviderError } from "../provider.ts";
import type { RequestLane } from "./request-lane.ts";
import { toProviderError } from "./route53-errors.ts";

type Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = Parameters<
  typeof Route53Client.prototype.send<Input, Output>
>[0];

/** @throws ProviderError */
export type Send = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  command: Command<Input, Output>,
  isUrgent: boolean,
  signal: AbortSignal,
) => Promise<Output>;

export interface SendOptions {
  readonly client: Pick<Route53Client, "send">;
  readonly lane: RequestLane;
  /** `route53 Z123 example.org`. */
  readonly at: () => string;
  /** @throws the signal's reason */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** A request that was refused for its pace was not made: it may be sent again. */
const TRIES = 5;
const FIRST_PAUSE = 250;

export function createSend({ client, lane, at, sleep }: SendOptions): Send {
  return async (command, isUrgent, signal) => {
    const action = command.constructor.name.replace(/Command$/, "");
    for (let tries = 1; ; tries++) {
      try {
        await lane.enter(action, isUrgent, signal);
        return await client.send(command, { abortSignal: signal });
      } catch (cause) {
        const error = toProviderError(cause, at(), signal);
        if (error.code !== "rate-limited" || tries === TRIES) throw error;
        lane.tooFast(action);
        await sleep(FIRST_PAUSE * 2 ** (tries - 1), signal).catch(() => {
          throw error instanceof ProviderError ? error : cause;
        });
      }
    }
  };
}
