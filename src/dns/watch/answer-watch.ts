/** Looks out for answers: asks servers again and again, within bounds, until what went out of service is in no answer any more. */
import type { ListenAddress } from "../../model/listen-address.ts";
import type { Question } from "../check/ask.ts";
import type { Reply } from "../check/observations.ts";
import { judgeReply, nextGap } from "./watch-step.ts";

export interface Lookout {
  readonly server: ListenAddress;
  readonly question: Question;
  /** Addresses that are to be answered no more. */
  readonly gone: readonly string[];
  /** Ms between two questions. */
  readonly shortestGap: number;
  /** How long to look out, ms. */
  readonly patience: number;
}

/** `heard`: the server has answered at all. */
export type LookoutEnd = { readonly kind: "Seen" } | { readonly kind: "Timeout"; readonly heard: boolean };

export interface AnswerWatchOptions {
  /** One try; never rejects. */
  readonly ask: (server: ListenAddress, question: Question) => Promise<Reply>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly setTimer: (milliseconds: number, callback: () => void) => () => void;
  /** Of all servers together. */
  readonly queriesPerSecond: number;
}

export interface AnswerWatch {
  /** @param onEnd called once, unless it is cancelled before. @returns cancels it */
  start(lookout: Lookout, onEnd: (end: LookoutEnd) => void): () => void;
}

export function createAnswerWatch({ ask, now, setTimer, queriesPerSecond }: AnswerWatchOptions): AnswerWatch {
  /** When the next query may go out, whoever's it is. */
  let free = Number.NEGATIVE_INFINITY;

  /** @returns ms to wait for one's turn, which is taken */
  function takeTurn(): number {
    const turn = Math.max(free, now());
    free = turn + 1000 / queriesPerSecond;
    return turn - now();
  }

  return {
    start(lookout, onEnd) {
      const began = now();
      let heard = false;
      let isOver = false;
      let cancel = (): void => undefined;

      const end = (result: LookoutEnd): void => {
        isOver = true;
        cancel();
        onEnd(result);
      };
      // A turn is taken when the gap is over: whoever waits long keeps nobody else waiting.
      const next = (gap: number): void => {
        cancel = setTimer(gap, () => {
          const wait = takeTurn();
          if (wait > 0) cancel = setTimer(wait, () => void look());
          else void look();
        });
      };
      const look = async (): Promise<void> => {
        const reply = await ask(lookout.server, lookout.question);
        if (isOver) return;
        const verdict = judgeReply(reply, lookout.question.type, lookout.gone);
        heard ||= verdict !== "Silent";
        const waited = now() - began;
        if (verdict === "Gone") end({ kind: "Seen" });
        else if (waited >= lookout.patience) end({ kind: "Timeout", heard });
        else next(nextGap(waited, lookout.shortestGap));
      };
      next(0);
      return () => {
        isOver = true;
        cancel();
      };
    },
  };
}
