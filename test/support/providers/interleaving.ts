/**
 * Writers that are paused and resumed at every await point, and calls that travel: delivered late, answered late, given up on while they are
 * under way. One actor moves at a time, chosen by dice, so that a seed tells one story.
 */

export interface Scheduler {
  /** A writer pauses here. */
  pause(): Promise<void>;
  /**
   * A call over the network. The caller may have to give up on it, and it may be made all the same, any time later.
   *
   * @throws what `lost` makes when the caller gives up
   */
  travel<T>(call: () => Promise<T>, lost: () => Error): Promise<T>;
  /** Runs the writers until they have ended and nothing travels any more. `after` is called whenever a call was made at its far end. */
  run(writers: readonly (() => Promise<void>)[], after: () => Promise<void>): Promise<void>;
}

/**
 * @param roll a number below a bound
 * @param patience how many calls are given up on at most
 */
export function createScheduler(roll: (below: number) => number, patience = 3): Scheduler {
  interface Step {
    readonly take: () => void;
    readonly isLoss?: true;
  }
  const ready: Step[] = [];
  /** Actors on the move. */
  let moving = 0;
  let losses = 0;
  let onRest: (() => void) | undefined;
  let failure: unknown;
  let afterCall: () => Promise<void> = async () => {};

  function rest(): void {
    moving--;
    if (moving === 0) onRest?.();
  }
  const fail = (error: unknown): void => {
    failure ??= error ?? new Error("failed");
  };
  const drop = (step: Step): void => {
    const at = ready.indexOf(step);
    if (at >= 0) ready.splice(at, 1);
  };

  return {
    pause: () =>
      new Promise((resolve) => {
        ready.push({ take: resolve });
        rest();
      }),
    travel: (call, lost) =>
      new Promise((resolve, reject) => {
        let isGivenUp = false;
        const giveUp: Step = {
          isLoss: true,
          take() {
            isGivenUp = true;
            losses++;
            reject(lost());
          },
        };
        const answer = (settle: () => void): void => {
          if (!isGivenUp) {
            const back: Step = {
              take() {
                drop(giveUp);
                if (isGivenUp) rest();
                else settle();
              },
            };
            ready.push(back);
          }
          rest();
        };
        ready.push({
          take() {
            call()
              .then(
                (value) => () => resolve(value),
                (error) => () => reject(error),
              )
              .then(async (settle) => {
                await afterCall();
                answer(settle);
              })
              .catch((error) => {
                fail(error);
                rest();
              });
          },
        });
        ready.push(giveUp);
        rest();
      }),
    async run(writers, after) {
      afterCall = after;
      moving += writers.length;
      for (const writer of writers) writer().catch(fail).finally(rest);
      for (;;) {
        if (moving > 0) await new Promise<void>((resolve) => (onRest = resolve));
        if (failure !== undefined) throw failure;
        const steps = losses < patience ? ready : ready.filter(({ isLoss }) => isLoss !== true);
        if (steps.length === 0) return;
        const step = steps[roll(steps.length)]!;
        drop(step);
        moving++;
        step.take();
      }
    },
  };
}
