/** What an exchange knows of other instances, and how it is told to people. */
import type { Vote } from "../../health/quorum.ts";
import type { Voter } from "../../src/engine/peer-port.ts";
import type { EndpointKey } from "../../src/model/health.ts";
import type { Hello } from "./peer-messages.ts";
import type { PeerStream } from "./peer-stream.ts";
import type { ProgrammedFeed } from "./programmed-feed.ts";
import type { TargetFeed } from "./target-feed.ts";
import type { VoteFeed } from "./vote-feed.ts";

/** Another replica, by its address. */
export interface Peer {
  instance: string | undefined;
  link: { readonly stream: PeerStream; readonly votes: VoteFeed; readonly programmed: ProgrammedFeed } | undefined;
}

/** Somebody who opened a stream to us, or did. */
export interface Speaker {
  readonly voter: Voter;
  hello: Hello;
  stream: PeerStream | undefined;
  /** When the stream before was heard last, by our monotonic clock. */
  heardAt: number | undefined;
  /** Vantages: what it is told to watch, and its newest votes, which are passed on. */
  targets: TargetFeed | undefined;
  readonly votes: Map<EndpointKey, Vote>;
}

/** Another instance, for people. */
export interface PeerState {
  readonly role: "replica" | "vantage";
  /** Its name; its address as long as that is all that is known. */
  readonly name: string;
  readonly site?: string;
  readonly version?: string;
  readonly state: "Connected" | "Lost" | "Connecting";
  /** How late its messages are, ms. */
  readonly lag?: number;
  /** Since it was heard last, ms; absent when it never was. */
  readonly silence?: number;
}

/** The listed replicas first, by address, then vantages. @param now monotonic milliseconds */
export function describePeers(
  self: Hello,
  peers: ReadonlyMap<string, Peer>,
  speakers: Iterable<Speaker>,
  now: number,
): readonly PeerState[] {
  const silence = (speaker: Speaker | undefined, link?: Peer["link"]): Pick<PeerState, "silence"> => {
    const heard = [speaker?.stream?.heardAt(), speaker?.heardAt, link?.stream.heardAt()].filter((at) => at !== undefined);
    return heard.length === 0 ? {} : { silence: Math.max(0, now - Math.max(...heard)) };
  };
  const known = [...speakers];
  const replicas = [...peers].flatMap(([address, { instance, link }]): PeerState[] => {
    if (instance === self.instance) return [];
    const speaker = known.find(({ hello }) => hello.role === "replica" && hello.instance === instance);
    const state = speaker === undefined && link === undefined ? "Connecting" : speaker?.stream === undefined ? "Lost" : "Connected";
    return [{ role: "replica", name: instance ?? address, state, ...detailsOf(speaker), ...silence(speaker, link) }];
  });
  const vantages = known.flatMap((speaker): PeerState[] => {
    if (speaker.hello.role !== "vantage") return [];
    const state = speaker.stream === undefined ? "Lost" : "Connected";
    return [{ role: "vantage", name: speaker.voter.replica, state, ...detailsOf(speaker), ...silence(speaker) }];
  });
  return [...replicas, ...vantages];
}

const detailsOf = (speaker: Speaker | undefined): Pick<PeerState, "site" | "version" | "lag"> =>
  speaker === undefined
    ? {}
    : {
        site: speaker.hello.site,
        version: speaker.hello.version,
        ...(speaker.stream === undefined ? {} : { lag: Math.round(speaker.stream.lag()) }),
      };
