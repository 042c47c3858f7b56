/** The vantage's side: takes targets, tells votes and, if it reads a cluster, its objects. Knows streams, but no sockets. */
import type { Vote } from "../../health/quorum.ts";
import type { Endpoint, EndpointKey } from "../../src/model/health.ts";
import type { ClusterObjects } from "../clusters/cluster-objects.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import type { Hello, PeerMessage } from "./peer-messages.ts";
import type { EndReason, PeerStream, StreamHandlers } from "./peer-stream.ts";
import { createSourceFeed, type SourceFeed } from "./source-feed.ts";
import { createVoteFeed, type VoteFeed } from "./vote-feed.ts";

/** What is to be told waits this long for more, ms. */
const BATCH_DELAY = 50;

export interface VantageExchange {
  /** Of a stream that was opened to `hub`. */
  dialled(hub: string, hello: Hello, stream: PeerStream): StreamHandlers | EndReason;
  /** This vantage's own vote, after each probe. */
  voted(key: EndpointKey, vote: Vote): void;
  /** Objects of the cluster that it reads. */
  setSources(cluster: ClusterObjects): void;
  isConnected(hub: string): boolean;
  /** Since a hub was heard last, ms; undefined when it never was. */
  silence(hub: string): number | undefined;
}

export interface VantageExchangeOptions {
  readonly ports: KubePorts;
  /** What to watch from now on: what all hubs ask for. A hub that is away goes on being asked for what it wanted last. */
  readonly onTargets: (endpoints: readonly Endpoint[]) => void;
}

interface Link {
  readonly stream: PeerStream;
  readonly votes: VoteFeed;
  readonly sources: SourceFeed;
}

export function createVantageExchange({ ports, onTargets }: VantageExchangeOptions): VantageExchange {
  const links = new Map<string, Link>();
  /** Hub → what it wants watched. */
  const wanted = new Map<string, ReadonlyMap<EndpointKey, Endpoint>>();
  const votes = new Map<EndpointKey, Vote>();
  /** Hub → when its last stream was heard last, monotonic. */
  const heardAt = new Map<string, number>();
  let cluster: ClusterObjects | undefined;
  let isPlanned = false;

  function soon(): void {
    if (isPlanned) return;
    isPlanned = true;
    ports.setTimer(BATCH_DELAY, () => {
      isPlanned = false;
      for (const link of links.values()) flush(link);
    });
  }

  function flush({ stream, votes: feed, sources }: Link): void {
    while (!stream.isClogged()) {
      const message: PeerMessage | undefined = feed.take(ports.wallClock()) ?? sources.take(cluster);
      if (message === undefined) return;
      stream.send(message);
    }
  }

  function renew(): void {
    const all = new Map<EndpointKey, Endpoint>();
    for (const endpoints of wanted.values()) for (const [key, endpoint] of endpoints) if (!all.has(key)) all.set(key, endpoint);
    for (const key of votes.keys()) {
      if (all.has(key)) continue;
      votes.delete(key);
      for (const link of links.values()) link.votes.drop(key);
    }
    onTargets([...all.values()]);
  }

  return {
    dialled(hub, hello, stream) {
      if (hello.role !== "replica") return "refused";
      const link: Link = { stream, votes: createVoteFeed(), sources: createSourceFeed() };
      for (const [key, vote] of votes) link.votes.note(key, vote);
      links.set(hub, link);
      const collected = new Map<EndpointKey, Endpoint>();
      soon();
      return {
        onDrain: () => flush(link),
        onMessage(message) {
          if (message.type !== "targets") return;
          for (const key of message.gone) collected.delete(key);
          for (const endpoint of message.add) collected.set(endpoint.key, endpoint);
          if (!message.isLast) return;
          wanted.set(hub, new Map(collected));
          renew();
        },
        onEnd() {
          heardAt.set(hub, stream.heardAt());
          if (links.get(hub) === link) links.delete(hub);
        },
      };
    },
    voted(key, vote) {
      // What this vantage may not probe, others may: it has seen nothing of the endpoint.
      const said: Vote = vote.reason === "forbidden-address" ? { ...vote, opinion: "abstain", proven: false } : vote;
      votes.set(key, said);
      for (const link of links.values()) link.votes.note(key, said);
      soon();
    },
    setSources(next) {
      cluster = next;
      soon();
    },
    isConnected: (hub) => links.has(hub),
    silence(hub) {
      const at = links.get(hub)?.stream.heardAt() ?? heardAt.get(hub);
      return at === undefined ? undefined : Math.max(0, ports.now() - at);
    },
  };
}
