/** What the engine tells other instances, and hears from them. They may be gone at any time: nothing here waits for them. */
import type { Vote } from "../../health/quorum.ts";
import type { Endpoint, EndpointKey } from "../model/health.ts";

/** One that votes: a replica of a site. */
export interface Voter {
  readonly site: string;
  readonly replica: string;
}

/** What is served now. */
export interface PublishedTable {
  readonly version: number;
  /** As in `SourceReading.generations`. */
  readonly generations: ReadonlyMap<string, number>;
}

/** Takes what others say. */
export interface PeerSink {
  /** A vote whose instants are by this machine's clock. */
  readonly offer: (key: EndpointKey, vote: Vote) => void;
  /** It has left for good, and is no longer counted among those that could vote. */
  readonly forget: (voter: Voter) => void;
  /** Which endpoints this instance probes from now on, because others of its site probe the rest. */
  readonly share: (isMine: (key: EndpointKey) => boolean) => void;
}

export interface PeerPort {
  /** Called once, before anything else. */
  connect(sink: PeerSink): void;
  /** What is watched from now on. */
  setEndpoints(endpoints: ReadonlyMap<EndpointKey, Endpoint>): void;
  /** This instance's own vote on an endpoint, after each probe. */
  voted(key: EndpointKey, vote: Vote): void;
  /** Every publisher has taken over a table, or one that is served has come to stand for newer generations of its objects. */
  published(table: PublishedTable): void;
  /** Reasons for `degraded`, stable words: `peer-lost` while an instance that votes is not connected. */
  degraded(): readonly string[];
}
