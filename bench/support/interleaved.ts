/** Times rivals side by side: in every round each gets a turn, in alternating order, so that whatever else the host does hits all alike. */

export interface Rival {
  readonly name: string;
  /** Does `count` operations and returns something that depends on every one of them, so that none can be left out. */
  readonly run: (count: number) => number;
}

export interface Run {
  /** For one operation. */
  readonly nanoseconds: number;
  /** Print it, or the work may be optimised away. */
  readonly checksum: number;
}

export interface Turn {
  readonly name: string;
  readonly take: () => Promise<Run>;
}

export interface Timing {
  /** Nanoseconds for one operation: median over the rounds, and the tenth and ninetieth percentile. */
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

/** @param rounds a first one more is run and thrown away */
export async function interleave(
  turns: readonly Turn[],
  rounds: number,
): Promise<{ readonly timings: ReadonlyMap<string, Timing>; readonly checksum: number }> {
  const samples = new Map<string, number[]>(turns.map(({ name }) => [name, []]));
  let checksum = 0;
  for (let round = -1; round < rounds; round++) {
    const order = round % 2 === 0 ? turns : turns.toReversed();
    for (const { name, take } of order) {
      const run = await take();
      checksum = (checksum + run.checksum) % 0x1_0000_0000;
      if (round >= 0) samples.get(name)!.push(run.nanoseconds);
    }
  }
  const timings = new Map<string, Timing>();
  for (const [name, all] of samples) {
    all.sort((a, b) => a - b);
    const at = (share: number): number => all[Math.min(all.length - 1, Math.floor(share * all.length))]!;
    timings.set(name, { median: at(0.5), p10: at(0.1), p90: at(0.9) });
  }
  return { timings, checksum };
}
