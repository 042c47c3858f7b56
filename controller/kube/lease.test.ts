import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ms } from "../../src/model/units.ts";
import { createSimulatedClock, type SimulatedClock } from "../../test/support/simulated-clock.ts";
import type { KubeApi } from "./kube-api.ts";
import { KubeError } from "./kube-error.ts";
import type { KubePorts } from "./kube-ports.ts";
import { textField } from "./kube-status.ts";
import { startElection, type WriterElection } from "./lease.ts";
import { readLease } from "./lease-record.ts";
import { LEASES } from "./resources.ts";
import { createMemoryKube, type MemoryKube, unreachable } from "./support/memory-kube.ts";
import { WRITER_LEASE, type WriterTerm } from "./writer-fence.ts";

interface Term {
  readonly who: string;
  readonly epoch: number;
  readonly from: number;
  /** When the writer was last allowed to send. */
  until: number;
  readonly term: WriterTerm;
}

/** How the way between an elector and the server is: milliseconds there, milliseconds back, lost answers. */
interface Way {
  readonly there: () => number;
  readonly back: () => number;
}

/** An elector with a wall clock of its own, that can be stopped as by SIGSTOP and killed as by kill -9. */
interface Elector {
  readonly who: string;
  readonly election: WriterElection;
  stop(): void;
  resume(): void;
  kill(): void;
}

const key = `globalroute-system/${WRITER_LEASE}`;

function world(clock: SimulatedClock, kube: MemoryKube) {
  const terms: Term[] = [];
  const errors: unknown[] = [];

  function elector(
    who: string,
    how: { skew?: number; way?: Way; random?: () => number; onTerm?: (term: WriterTerm) => Promise<void> } = {},
  ): Elector {
    let isStopped = false;
    let isDead = false;
    let held: (() => void)[] = [];
    /** What happens in this process: not while it is stopped, and never after its end. */
    const inProcess = (callback: () => void): void => {
      if (isDead) return;
      if (isStopped) held.push(callback);
      else callback();
    };
    const ports: KubePorts = {
      now: clock.now,
      wallClock: () => clock.wallClock() + (how.skew ?? 0),
      random: how.random ?? (() => 0.5),
      setTimer: (delay, callback) => {
        let isOver = false;
        const cancel = clock.setTimer(ms(delay), () => inProcess(() => (isOver ? undefined : callback())));
        return () => {
          isOver = true;
          cancel();
        };
      },
    };
    const way = how.way ?? { there: () => 5, back: () => 5 };
    /** A request travels, is done at the server whatever became of who sent it, and its answer travels back. */
    const overNetwork = <T>(call: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        clock.setTimer(ms(way.there()), () => {
          const answer = call();
          const arrive = (settle: () => void): void => void clock.setTimer(ms(way.back()), () => inProcess(settle));
          answer.then(
            (value) => arrive(() => resolve(value)),
            (error: unknown) => arrive(() => reject(error)),
          );
        });
      });
    const inner = kube.open();
    const api: KubeApi = {
      ...inner,
      get: (...args) => overNetwork(() => inner.get(...args)),
      create: (...args) => overNetwork(() => inner.create(...args)),
      replace: (...args) => overNetwork(() => inner.replace(...args)),
    };
    const election = startElection(
      {
        api,
        namespace: "globalroute-system",
        identity: who,
        onTerm: (term) => {
          const entry: Term = { who, epoch: term.epoch, from: clock.now(), until: clock.now(), term };
          terms.push(entry);
          // A writer that writes all the time, as far as it may.
          const write = (): void => {
            if (term.signal.aborted || ports.now() >= term.deadline()) return;
            entry.until = clock.now();
            ports.setTimer(50, write);
          };
          write();
          return how.onTerm?.(term);
        },
        onError: (error) => void errors.push(error),
      },
      ports,
    );
    return {
      who,
      election,
      stop: () => {
        isStopped = true;
      },
      resume: () => {
        isStopped = false;
        const due = held;
        held = [];
        for (const callback of due) inProcess(callback);
      },
      kill: () => {
        isDead = true;
      },
    };
  }
  return { terms, errors, elector };
}

const start = () => {
  const clock = createSimulatedClock();
  const kube = createMemoryKube();
  return { clock, kube, ...world(clock, kube) };
};
const leaseOf = (kube: MemoryKube) => readLease(kube.get(LEASES, key) ?? { apiVersion: "", kind: "", metadata: { name: "" } });

describe("one after the other", () => {
  test("the first takes the Lease at once, the second waits, and renewals change neither epoch nor holder", async () => {
    const { clock, kube, terms, elector } = start();
    const a = elector("a");
    await clock.advance(100);
    const b = elector("b");
    await clock.advance(600_000);
    expect(terms.map(({ who, epoch }) => ({ who, epoch }))).toEqual([{ who: "a", epoch: 1 }]);
    expect(a.election.term()?.epoch).toBe(1);
    expect(b.election.term()).toBeUndefined();
    expect(b.election.holder()).toBe("a");
    expect(leaseOf(kube)).toMatchObject({ holder: "a", transitions: 1, duration: 10_000 });
    expect(textField(kube.get(LEASES, key)?.spec, "renewTime")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    const term = a.election.term();
    expect(term === undefined ? 0 : term.deadline() - clock.now()).toBeGreaterThan(4_000);
  });

  test("after kill -9 the successor writes within 13 s, whenever it came", async () => {
    for (const moment of [0, 300, 700, 1400]) {
      const { clock, terms, elector } = start();
      const a = elector("a");
      await clock.advance(60_000 + moment);
      elector("b");
      elector("c");
      await clock.advance(60_000 + moment / 3);
      a.kill();
      const killed = clock.now();
      await clock.advance(30_000);
      expect(terms[1]?.epoch).toBe(2);
      expect((terms[1]?.from ?? 0) - killed).toBeLessThanOrEqual(13_000);
      expect(terms).toHaveLength(2);
    }
  });

  test("a clean end lets the next one start within two seconds", async () => {
    const { clock, kube, terms, elector } = start();
    const a = elector("a");
    await clock.advance(1000);
    elector("b");
    await clock.advance(10_000);
    const closed = a.election.close();
    const at = clock.now();
    await clock.advance(2_000);
    await closed;
    expect(terms[1]?.who).toBe("b");
    expect((terms[1]?.from ?? 0) - at).toBeLessThan(2_000);
    expect(leaseOf(kube)).toMatchObject({ holder: "b", transitions: 2 });
  });

  test("close waits until writing has ended before it gives the Lease away, but not beyond the term", async () => {
    const { clock, kube, elector } = start();
    let finish: () => void = () => undefined;
    const a = elector("a", { onTerm: () => new Promise<void>((resolve) => (finish = resolve)) });
    await clock.advance(1000);
    let isClosed = false;
    const closed = a.election.close().then(() => {
      isClosed = true;
    });
    await clock.advance(500);
    expect(leaseOf(kube).holder).toBe("a");
    finish();
    await clock.advance(100);
    await closed;
    expect(leaseOf(kube).holder).toBe("");

    const stuck = elector("stuck", { onTerm: () => new Promise<void>(() => undefined) });
    await clock.advance(1000);
    isClosed = false;
    void stuck.election.close().then(() => {
      isClosed = true;
    });
    await clock.advance(10_000);
    expect(isClosed).toBe(true);
    expect(leaseOf(kube).holder).toBe("stuck");
  });

  test("a holder that cannot renew ends its term 6 s after its last renewal, long before another may begin", async () => {
    const { clock, kube, terms, elector } = start();
    elector("a");
    await clock.advance(10_000);
    const renewed = leaseOf(kube).renewed - clock.wallClock() + clock.now();
    kube.fail(unreachable());
    await clock.advance(20_000);
    expect(terms[0]?.term.signal.aborted).toBe(true);
    expect(terms[0]?.until).toBeLessThanOrEqual(renewed + 6_000);
    kube.fail(undefined);
    await clock.advance(2_000);
    expect(terms[1]).toMatchObject({ who: "a", epoch: 2 });
  });

  test("another incarnation of the same pod has another epoch", async () => {
    const { clock, terms, elector } = start();
    const a = elector("pod-0_x");
    await clock.advance(5000);
    a.kill();
    elector("pod-0_y");
    await clock.advance(20_000);
    expect(terms.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  test("wall clocks that are wrong by ten minutes change nothing", async () => {
    for (const skew of [-600_000, 600_000]) {
      const { clock, terms, elector } = start();
      elector("a");
      await clock.advance(5_000);
      elector("b", { skew });
      await clock.advance(300_000);
      expect(terms).toHaveLength(1);
    }
  });

  test("a Lease that is deleted under the holder gets a higher epoch", async () => {
    const { clock, kube, terms, elector } = start();
    elector("a");
    await clock.advance(5000);
    elector("b");
    await clock.advance(5000);
    kube.remove(LEASES, key);
    await clock.advance(20_000);
    expect(terms[0]?.term.signal.aborted).toBe(true);
    expect(terms).toHaveLength(2);
    expect(terms[1]?.epoch).toBe(2);
  });

  test("a Lease that somebody else took ends the term", async () => {
    const { clock, kube, terms, elector } = start();
    const a = elector("a");
    await clock.advance(5000);
    const lease = kube.get(LEASES, key);
    kube.put(LEASES, {
      metadata: { namespace: "globalroute-system", name: WRITER_LEASE },
      spec: { ...(lease?.spec as object), holderIdentity: "thief", leaseTransitions: 7 },
    });
    await clock.advance(2000);
    expect(a.election.term()).toBeUndefined();
    expect(a.election.holder()).toBe("thief");
    expect(terms[0]?.term.signal.aborted).toBe(true);
    await clock.advance(20_000);
    expect(terms[1]).toMatchObject({ who: "a", epoch: 8 });
  });

  test("labels that somebody puts on the Lease neither end a term nor keep a dead holder's alive", async () => {
    const { clock, kube, terms, elector } = start();
    const a = elector("a");
    await clock.advance(5000);
    elector("b");
    const label = (n: number) => {
      const lease = kube.get(LEASES, key);
      if (lease !== undefined) kube.put(LEASES, { ...lease, metadata: { ...lease.metadata, labels: { n: String(n) } } });
    };
    for (let i = 0; i < 20; i++) {
      label(i);
      await clock.advance(1000);
    }
    expect(terms).toHaveLength(1);
    a.kill();
    for (let i = 0; i < 20; i++) {
      label(i);
      await clock.advance(1000);
    }
    expect(terms[1]?.who).toBe("b");
  });

  test("the answer to a renewal that is lost does not end the term", async () => {
    const { clock, terms, elector } = start();
    let requests = 0;
    elector("a", { way: { there: () => 5, back: () => (++requests === 5 ? 30_000 : 5) } });
    await clock.advance(60_000);
    expect(requests).toBeGreaterThan(20);
    expect(terms).toHaveLength(1);
  });

  test("an answer that comes after the term would have ended begins none", async () => {
    const { clock, terms, elector } = start();
    let requests = 0;
    const a = elector("a", { way: { there: () => 5, back: () => (requests++ === 1 ? 2_000 : 5) } });
    await clock.advance(10);
    await clock.advance(50);
    a.stop();
    await clock.advance(7_000);
    a.resume();
    await clock.advance(0);
    for (const term of terms) expect(term.until - term.from).toBe(0);
    await clock.advance(5_000);
    expect(a.election.term()).toBeDefined();
  });

  test("what onTerm throws is told and harms nobody", async () => {
    const { clock, errors, elector } = start();
    const a = elector("a", { onTerm: () => Promise.reject(new Error("writer")) });
    await clock.advance(60_000);
    expect(errors).toHaveLength(1);
    expect(a.election.term()?.epoch).toBe(1);
  });

  test("a server that refuses the permission is told", async () => {
    const { clock, kube, errors, elector } = start();
    kube.fail(new KubeError("no", { status: 403, reason: "Forbidden" }));
    elector("a");
    await clock.advance(3000);
    expect(errors.length).toBeGreaterThanOrEqual(2);
  });
});

test("never two terms at a time, and epochs strictly rise, whatever is delayed, lost, stopped or killed", async () => {
  const deed = fc.record({
    at: fc.integer({ min: 0, max: 120_000 }),
    who: fc.integer({ min: 0, max: 2 }),
    what: fc.constantFrom("stop", "kill", "restart", "close", "cut" as const),
    lasts: fc.integer({ min: 100, max: 40_000 }),
  });
  let changesOfHolder = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(deed, { maxLength: 8 }),
      fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 5, maxLength: 40 }),
      fc.array(fc.integer({ min: -600_000, max: 600_000 }), { minLength: 3, maxLength: 3 }),
      async (deeds, delays, skews) => {
        const { clock, kube, terms, elector } = start();
        let drawn = 0;
        // Mostly quick, sometimes longer than a request may take.
        const delay = (): number => {
          const next = delays[drawn++ % delays.length] ?? 0;
          return drawn % 3 === 0 ? next : next / 40;
        };
        const way: Way = { there: delay, back: delay };
        const names = ["a", "b", "c"];
        let incarnation = 0;
        const make = (i: number) => elector(`${names[i]}_${incarnation++}`, { way, skew: skews[i] ?? 0, random: () => (drawn % 10) / 10 });
        const electors = [make(0), make(1), make(2)];
        for (const { at, who, what, lasts } of deeds) {
          const one = electors[who]!;
          clock.setTimer(ms(at), () => {
            if (what === "stop") {
              one.stop();
              clock.setTimer(ms(lasts), one.resume);
            } else if (what === "kill" || what === "restart") {
              electors[who]?.kill();
              if (what === "restart") electors[who] = make(who);
            } else if (what === "close") void electors[who]?.election.close();
            else {
              kube.fail(unreachable());
              clock.setTimer(ms(lasts), () => kube.fail(undefined));
            }
          });
        }
        await clock.advance(180_000);
        for (const one of electors) one.kill();
        const inOrder = [...terms].sort((x, y) => x.from - y.from);
        for (let i = 1; i < inOrder.length; i++) {
          const [before, after] = [inOrder[i - 1]!, inOrder[i]!];
          expect(after.epoch).toBeGreaterThan(before.epoch);
          expect(after.from).toBeGreaterThanOrEqual(before.until);
        }
        changesOfHolder += Math.max(0, terms.length - 1);
      },
    ),
    { numRuns: 60 },
  );
  expect(changesOfHolder).toBeGreaterThan(5); // else nothing was tried
});
