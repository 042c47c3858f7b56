/** What one stream is still to be told of votes. Of several votes on an endpoint only the newest is sent. */
import type { Vote } from "../../health/quorum.ts";
import type { Voter } from "../../src/engine/peer-port.ts";
import type { EndpointKey } from "../../src/model/health.ts";
import { MOST_ENDPOINTS, type VoteEntry, type Votes } from "./peer-messages.ts";

/** Votes in one message: it is read in a few milliseconds. */
const BATCH = 500;

export interface VoteFeed {
  /** Notes a vote. @param voter absent = our own */
  note(key: EndpointKey, vote: Vote, voter?: Voter): void;
  /** The endpoint is not watched any more. */
  drop(key: EndpointKey): void;
  /** A voter has left. */
  forget(voter: Voter): void;
  /** @param now ms since the epoch @returns the next message; undefined when everything has been told */
  take(now: number): Votes | undefined;
}

interface Pending {
  readonly voter: Voter | undefined;
  readonly votes: Map<EndpointKey, Vote>;
}

export function createVoteFeed(): VoteFeed {
  const ids = new Map<EndpointKey, number>();
  const free: number[] = [];
  let nextId = 0;
  const pending = new Map<string, Pending>();
  const gone: number[] = [];

  function idOf(key: EndpointKey, names: [number, EndpointKey][]): number | undefined {
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = free.pop() ?? nextId++;
    if (id >= MOST_ENDPOINTS) {
      nextId = MOST_ENDPOINTS;
      return undefined;
    }
    ids.set(key, id);
    names.push([id, key]);
    return id;
  }

  return {
    note(key, vote, voter) {
      const who = voter === undefined ? "" : `${voter.site}\n${voter.replica}`;
      const known = pending.get(who) ?? { voter, votes: new Map<EndpointKey, Vote>() };
      pending.set(who, known);
      known.votes.set(key, vote);
    },
    drop(key) {
      for (const { votes } of pending.values()) votes.delete(key);
      const id = ids.get(key);
      if (id === undefined) return;
      ids.delete(key);
      gone.push(id);
    },
    forget: ({ site, replica }) => void pending.delete(`${site}\n${replica}`),
    take(now) {
      const told = gone.splice(0, BATCH);
      free.push(...told); // they may be used again in the same message: `gone` comes first when it is read
      const next = [...pending.values()].find(({ votes }) => votes.size > 0);
      if (next === undefined) return told.length === 0 ? undefined : { type: "votes", names: [], votes: [], gone: told };
      const names: [number, EndpointKey][] = [];
      const votes: VoteEntry[] = [];
      for (const [key, vote] of next.votes) {
        if (votes.length >= BATCH) break;
        next.votes.delete(key);
        const id = idOf(key, names);
        if (id !== undefined) votes.push(entryOf(id, vote, now));
      }
      return { type: "votes", ...(next.voter === undefined ? {} : { voter: next.voter }), names, votes, gone: told };
    },
  };
}

const entryOf = (id: number, { opinion, reason, proven, at, firstSign, nextChange }: Vote, now: number): VoteEntry => ({
  id,
  opinion,
  reason,
  proven,
  age: Math.max(0, now - at),
  signAge: Math.max(0, now - firstSign),
  changeIn: Number.isFinite(nextChange) ? Math.max(0, nextChange - now) : null,
});

/** Reads what another instance's {@link VoteFeed} tells on one stream. */
export interface VoteIntake {
  /**
   * @param voter  in whose name they count
   * @param sentAt ms since the epoch, by this machine's clock
   * @returns undefined when a number in it means nothing: the stream cannot be understood any more
   */
  read(message: Votes, voter: Voter, sentAt: number): readonly (readonly [EndpointKey, Vote])[] | undefined;
}

export function createVoteIntake(): VoteIntake {
  const keys = new Map<number, EndpointKey>();
  return {
    read({ names, votes, gone }, voter, sentAt) {
      for (const id of gone) keys.delete(id);
      for (const [id, key] of names) keys.set(id, key);
      const read: [EndpointKey, Vote][] = [];
      for (const { id, opinion, reason, proven, age, signAge, changeIn } of votes) {
        const key = keys.get(id);
        if (key === undefined) return undefined;
        const nextChange = changeIn === null ? Number.POSITIVE_INFINITY : sentAt + changeIn;
        read.push([key, { ...voter, opinion, reason, proven, at: sentAt - age, firstSign: sentAt - signAge, nextChange }]);
      }
      return read;
    },
  };
}
