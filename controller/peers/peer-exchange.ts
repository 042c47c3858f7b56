/**
 * Who is told what, and whose word counts for what. Knows streams, but no sockets.
 *
 * Each replica opens a stream to every other and tells its own votes and generations there; what it hears on streams that others opened,
 * it believes. A vantage opens one stream to one replica (or to several), which gives it its targets and passes its votes on. A vantage
 * speaks for its own site and its own cluster only.
 *
 * A voter that is lost goes on counting as one that could vote, so that whoever is cut off from the others freezes instead of deciding
 * alone. Only one that says bye, is no longer among the replicas, or whose credential is gone is forgotten.
 */
import type { Vote } from "../../health/quorum.ts";
import type { PeerPort, PeerSink, Voter } from "../../src/engine/peer-port.ts";
import type { Endpoint, EndpointKey } from "../../src/model/health.ts";
import type { ClusterObjects } from "../clusters/cluster-objects.ts";
import type { KubePorts } from "../kube/kube-ports.ts";
import type { Hello, Votes } from "./peer-messages.ts";
import { describePeers, type Peer, type PeerState, type Speaker } from "./peer-state.ts";
import type { EndReason, PeerStream, StreamHandlers } from "./peer-stream.ts";
import type { Identity } from "./peer-tls.ts";
import { createProbeShare } from "./probe-share.ts";
import { createProgrammedBook, type ProgrammedState } from "./programmed-book.ts";
import { createProgrammedFeed } from "./programmed-feed.ts";
import { createSourcesBook } from "./sources-book.ts";
import { createTargetFeed } from "./target-feed.ts";
import { createVoteFeed, createVoteIntake, type VoteFeed } from "./vote-feed.ts";

/** What is to be told waits this long for more, ms. */
const BATCH_DELAY = 50;
/** How often endpoints are looked for that nobody is heard of, ms. */
const CHECK = 5000;
/** Instances of one vantage at a time. */
const MOST_OF_ONE_VANTAGE = 8;

export interface PeerExchange {
  /** What the engine is given. */
  readonly port: PeerPort;
  /** Of a stream that was opened to a replica. @param address as in {@link PeerExchange.setPeers} */
  dialled(address: string, hello: Hello, stream: PeerStream): StreamHandlers | EndReason;
  /** Of a stream that somebody else opened. */
  accepted(identity: Identity, hello: Hello, stream: PeerStream): StreamHandlers | EndReason;
  /** Addresses of the other replicas. */
  setPeers(addresses: ReadonlySet<string>): void;
  /** The credential of this vantage is gone. */
  revoke(vantage: string): void;
  programmed(key: string, generation: number): ProgrammedState;
  /** Of clusters that vantages read. */
  sources(): readonly ClusterObjects[];
  peers(): readonly PeerState[];
  close(): void;
}

export interface PeerExchangeOptions {
  readonly self: Hello;
  readonly ports: KubePorts;
  /** {@link PeerExchange.programmed} may answer otherwise now. */
  readonly onProgrammed: () => void;
  /** {@link PeerExchange.sources} has changed. */
  readonly onSources: () => void;
}

const idOf = ({ site, replica }: Voter): string => `${site}\n${replica}`;

export function createPeerExchange(options: PeerExchangeOptions): PeerExchange {
  const { self, ports } = options;
  const peers = new Map<string, Peer>();
  const speakers = new Map<string, Speaker>();
  const ownVotes = new Map<EndpointKey, Vote>();
  const book = createProgrammedBook(self.instance);
  const sources = createSourcesBook();
  let endpoints: ReadonlyMap<EndpointKey, Endpoint> = new Map();
  let sink: PeerSink = { offer: () => undefined, forget: () => undefined, share: () => undefined };
  let cancelFlush: (() => void) | undefined;
  let cancelCheck = () => {};
  const share = createProbeShare({ self: self.instance, now: ports.now, onShare: (isMine) => sink.share(isMine) });

  function soon(): void {
    cancelFlush ??= ports.setTimer(BATCH_DELAY, () => {
      cancelFlush = undefined;
      flush();
    });
  }

  /** Tells everybody what is due, as far as they read it. */
  function flush(): void {
    for (const { link } of peers.values()) {
      if (link === undefined) continue;
      pour(link.stream, () => link.programmed.take(book.served()) ?? link.votes.take(ports.wallClock()));
    }
    for (const { stream, targets } of speakers.values()) {
      if (stream !== undefined && targets !== undefined) pour(stream, () => targets.take(endpoints));
    }
  }

  function pour(stream: PeerStream, next: () => Parameters<PeerStream["send"]>[0] | undefined): void {
    while (!stream.isClogged()) {
      const message = next();
      if (message === undefined) return;
      stream.send(message);
    }
  }

  const links = () => [...peers.values()].flatMap(({ link }) => (link === undefined ? [] : [link]));

  /** Of a vantage, connected or lost. */
  const instancesOf = (vantage: string): Speaker[] =>
    [...speakers.values()].filter(({ hello, voter }) => hello.role === "vantage" && voter.site === vantage);

  const isCrowded = ({ kind, name }: Identity, { instance }: Hello): boolean =>
    kind === "vantage" &&
    instancesOf(name).filter(({ stream, voter }) => stream !== undefined && voter.replica !== instance).length >= MOST_OF_ONE_VANTAGE;

  const isOfOurSite = ({ hello }: Speaker): boolean => hello.role === "replica" && hello.site === self.site;

  /** Endpoints are shared by the replicas of one site that are heard. */
  function shareOut(): void {
    share.setOthers(
      [...speakers.values()].filter((speaker) => speaker.stream !== undefined && isOfOurSite(speaker)).map(({ hello }) => hello.instance),
    );
  }

  function checkShare(): void {
    share.check();
    cancelCheck = ports.setTimer(CHECK, checkShare);
  }

  /** It has left for good. */
  function forget(speaker: Speaker): void {
    speakers.delete(idOf(speaker.voter));
    if (speaker.hello.role === "replica") book.forget(speaker.hello.instance);
    else {
      for (const { stream, votes } of links()) {
        votes.forget(speaker.voter);
        stream.send({ type: "left", voter: speaker.voter });
      }
    }
    sink.forget(speaker.voter);
    options.onProgrammed();
  }

  /** Whether the list of replicas still has it. */
  const isListed = ({ hello }: Speaker): boolean => [...peers.values()].some(({ instance }) => instance === hello.instance);

  /** Replicas that are lost, and whose address is gone or another pod's by now. */
  function forgetUnlisted(): void {
    for (const speaker of [...speakers.values()])
      if (speaker.hello.role === "replica" && speaker.stream === undefined && !isListed(speaker)) forget(speaker);
  }

  /** @param isPassedOn they are not the speaker's own */
  function hearVotes(speaker: Speaker, votes: readonly (readonly [EndpointKey, Vote])[], isPassedOn: boolean): void {
    const isRelayed = speaker.hello.role === "vantage";
    const isOurs = !isPassedOn && isOfOurSite(speaker);
    for (const [key, vote] of votes) {
      if (!endpoints.has(key)) continue; // it knows of more than this one, or of less, for a moment
      sink.offer(key, vote);
      if (isOurs && vote.opinion !== "abstain") share.heard(key);
      if (!isRelayed) continue;
      speaker.votes.set(key, vote);
      for (const { votes: feed } of links()) feed.note(key, vote, speaker.voter);
    }
    if (isRelayed) soon();
  }

  /** In whose name votes count: in the sender's, or, between replicas, in that of a vantage that speaks to the sender and not to us. */
  function voterOf(speaker: Speaker, { voter }: Votes): Voter | "ignore" | "refuse" {
    if (voter === undefined) return speaker.voter;
    if (speaker.hello.role !== "replica") return "refuse";
    const isOwn = voter.site === self.site && voter.replica === self.instance;
    return isOwn || speakers.get(idOf(voter))?.stream !== undefined ? "ignore" : voter;
  }

  /** Everything that a new listener does not know. */
  function fullFeed(): VoteFeed {
    const feed = createVoteFeed();
    for (const [key, vote] of ownVotes) feed.note(key, vote);
    for (const { voter, votes, hello } of speakers.values()) {
      if (hello.role === "vantage") for (const [key, vote] of votes) feed.note(key, vote, voter);
    }
    return feed;
  }

  return {
    port: {
      connect(given) {
        sink = given;
        cancelCheck = ports.setTimer(CHECK, checkShare);
      },
      setEndpoints(wanted) {
        for (const key of endpoints.keys()) {
          if (wanted.has(key)) continue;
          ownVotes.delete(key);
          for (const { votes } of speakers.values()) votes.delete(key);
          for (const { votes } of links()) votes.drop(key);
        }
        endpoints = wanted;
        share.setEndpoints(wanted);
        soon();
      },
      voted(key, vote) {
        ownVotes.set(key, vote);
        for (const { votes } of links()) votes.note(key, vote);
        soon();
      },
      published(table) {
        book.publish(table);
        options.onProgrammed();
        soon();
      },
      degraded: () => ([...speakers.values()].some(({ stream }) => stream === undefined) ? ["peer-lost"] : []),
    },

    dialled(address, hello, stream) {
      const peer = peers.get(address);
      if (peer === undefined || hello.role !== "replica") return "refused";
      const isOther = peer.instance !== hello.instance;
      peer.instance = hello.instance;
      if (isOther) forgetUnlisted();
      options.onProgrammed();
      if (hello.incarnation === self.incarnation) return "self";
      const link = { stream, votes: fullFeed(), programmed: createProgrammedFeed() };
      peer.link = link;
      soon();
      return {
        onMessage: () => undefined, // a listener only says that it is there
        onDrain: flush,
        onEnd() {
          if (peer.link === link) peer.link = undefined;
        },
      };
    },

    accepted(identity, hello, stream) {
      const refusal = refusalOf(identity, hello, self) ?? (isCrowded(identity, hello) ? "refused" : undefined);
      if (refusal !== undefined) return refusal;
      const voter: Voter = { site: hello.site, replica: hello.instance };
      const speaker = speakers.get(idOf(voter)) ?? {
        voter,
        hello,
        stream: undefined,
        heardAt: undefined,
        targets: undefined,
        votes: new Map(),
      };
      speakers.set(idOf(voter), speaker);
      speaker.stream?.end("replaced");
      speaker.stream = stream;
      speaker.hello = hello;
      speaker.targets = hello.role === "vantage" ? createTargetFeed() : undefined;
      if (hello.role === "replica") book.forget(hello.instance);
      else for (const lost of instancesOf(identity.name)) if (lost.stream === undefined) forget(lost); // this one speaks for its site now
      shareOut();
      const intake = createVoteIntake();
      soon();
      return {
        onDrain: flush,
        onMessage(message, { sentAt }) {
          switch (message.type) {
            case "votes": {
              const by = voterOf(speaker, message);
              // what is ignored is read all the same: it may name endpoints that later messages speak of
              const votes = by === "refuse" ? undefined : intake.read(message, by === "ignore" ? voter : by, sentAt);
              if (votes === undefined) stream.end("malformed");
              else if (by !== "ignore") hearVotes(speaker, votes, message.voter !== undefined);
              return;
            }
            case "left":
              if (hello.role !== "replica") return stream.end("malformed");
              if (speakers.get(idOf(message.voter))?.stream === undefined) sink.forget(message.voter);
              return;
            case "programmed":
              if (hello.role !== "replica") return stream.end("malformed");
              book.hear(hello.instance, message);
              options.onProgrammed();
              return;
            case "sources":
              if (hello.role !== "vantage") return stream.end("malformed");
              if (sources.hear(identity.name, message)) options.onSources();
              return;
            case "targets":
              return stream.end("malformed");
            case "beat":
          }
        },
        onEnd(reason) {
          if (speaker.stream !== stream) return; // another has taken its place
          speaker.stream = undefined;
          speaker.heardAt = stream.heardAt();
          speaker.targets = undefined;
          shareOut();
          const isSilent = hello.role === "vantage" && instancesOf(identity.name).every((other) => other.stream === undefined);
          if (isSilent && sources.lost(identity.name)) options.onSources();
          if (reason === "bye" || reason === "revoked" || (hello.role === "replica" && !isListed(speaker))) forget(speaker);
        },
      };
    },

    setPeers(addresses) {
      const gone = [...peers].filter(([address]) => !addresses.has(address));
      for (const [address] of gone) peers.delete(address);
      for (const address of addresses) if (!peers.has(address)) peers.set(address, { instance: undefined, link: undefined });
      for (const [, { link }] of gone) link?.stream.end("closed");
      if (gone.length > 0) forgetUnlisted();
      options.onProgrammed();
    },

    revoke(vantage) {
      for (const speaker of instancesOf(vantage)) {
        const { stream } = speaker;
        speaker.stream = undefined;
        forget(speaker);
        stream?.end("revoked");
      }
      if (sources.forget(vantage)) options.onSources();
    },

    programmed(key, generation) {
      const others = [...peers].filter(([, { instance }]) => instance !== self.instance);
      return book.state(
        key,
        generation,
        others.map(([address, { instance }]) => ({ name: address, instance })),
      );
    },

    sources: sources.clusters,

    peers: () => describePeers(self, peers, speakers.values(), ports.now()),

    close() {
      cancelFlush?.();
      cancelCheck();
      for (const { stream } of links()) stream.end("closed");
    },
  };
}

/** Nobody speaks in a name that their key is not for, and no vantage in that of our own site. */
function refusalOf({ kind, name }: Identity, hello: Hello, self: Hello): EndReason | undefined {
  if (hello.incarnation === self.incarnation) return "self";
  const isTrue = kind === "replica" ? hello.instance === name : hello.site === name && name !== self.site;
  return hello.role === kind && isTrue ? undefined : "refused";
}
