/** Looks out for answers: asks servers again and again, within bounds, until some addresses are answered no more, or again. */
import type { ListenAddress } from "../../model/listen-address.ts";
import type { Question } from "../check/ask.ts";
import type { Reply } from "../check/observations.ts";
import { judgeReply, nextGap } from "./watch-step.ts";

export interface Lookout {
  readonly server: ListenAddress;
  readonly question: Question;
  readonly addresses: readonly string[];
  /** Of the addresses, in an answer that has any: none of them, or at least one. */
  readonly until: "Absent" | "Present";
  /** Ms between two questions. */
  readonly shortestGap: number;
  /** How long to look out, ms; 0 = ask once. */
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
  /**
   * @param onEnd     called once, unless it is cancelled before
   * @param onPresent called before that, and once, when one of the addresses is in an answer
   * @returns cancels it
   */
  start(lookout: Lookout, onEnd: (end: LookoutEnd) => void, onPresent?: () => void): () => void;
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
    start(lookout, onEnd, onPresent) {
      const began = now();
      let heard = false;
      let wasPresent = false;
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
        const verdict = judgeReply(reply, lookout.question.type, lookout.addresses);
        heard ||= verdict !== "Silent";
        if (verdict === "Present" && !wasPresent) onPresent?.();
        wasPresent ||= verdict === "Present";
        const waited = now() - began;
        if (verdict === lookout.until) end({ kind: "Seen" });
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
