/**
 * One stream of Envoy's aggregated discovery service: what the client asked for, what it has, what is under way. Pure: a request or a snapshot and
 * the state before give the state after, and the responses to send.
 *
 * - One response of a type is under way at a time. What changes before its ACK or NACK is told afterwards, at once and only as it is then.
 * - A NACK leaves the client with what it had. It is told again when there is something else to tell.
 * - A cluster that is told waits for its endpoints anew, and keeps its ACK back for as long: they are told again after it, though they are as they were.
 * - Make before break: routes wait until the clusters that they may speak of are taken, and clusters go when no route speaks of them any more.
 */
import {
  changesBetween,
  claimedSet,
  type EncodedResource,
  NO_RESOURCES,
  RESOURCE_TYPES,
  type ResourceSet,
  type ResourceType,
  type Snapshot,
  withRemoved,
} from "./resource-set.ts";
import { type DeltaRequest, isToldWhole, ofInterest, type StreamRequest, type Subscription, sharing, subscribed } from "./subscription.ts";

export interface StreamState {
  readonly variant: StreamRequest["variant"];
  /** Responses so far. */
  readonly count: number;
  readonly types: Readonly<Record<ResourceType, TypeState>>;
}

export interface TypeState {
  /** Undefined until the client asks. */
  readonly subscription: Subscription | undefined;
  /** The client was told all of it that it asks for, but for what is due. */
  readonly sent: ResourceSet;
  /** Names to tell of even though nothing changed: they were asked for after `sent` was, or their cluster was told since, be it before anybody asked. */
  readonly due: ReadonlySet<string>;
  /** A response is due even if it is empty: the client waits for it. */
  readonly answerDue: boolean;
  /** Of the last response; empty before the first. */
  readonly nonce: string;
  readonly inFlight: InFlight | undefined;
  /** Version of the last response that was taken. */
  readonly accepted: string | undefined;
  /** Of responses that were rejected, as far as no later one with the same resources was taken. */
  readonly rejection: Rejection | undefined;
}

interface InFlight {
  readonly version: string;
  readonly resources: readonly EncodedResource[];
}

export interface Rejection {
  readonly version: string;
  /** The client's words. */
  readonly message: string;
  /** Which the client may lack, or have as they were before. */
  readonly resources: readonly EncodedResource[];
}

export interface StreamResponse {
  readonly type: ResourceType;
  readonly nonce: string;
  readonly version: string;
  /** The same list for all streams that are told the same. */
  readonly resources: readonly EncodedResource[];
  /** Delta only. */
  readonly removed: readonly string[];
}

const NOTHING: ReadonlySet<string> = new Set();
const UNASKED: TypeState = {
  subscription: undefined,
  sent: NO_RESOURCES,
  due: NOTHING,
  answerDue: false,
  nonce: "",
  inFlight: undefined,
  accepted: undefined,
  rejection: undefined,
};

export const newStream = (variant: StreamState["variant"]): StreamState => ({
  ...{ variant, count: 0 },
  types: { cluster: UNASKED, loadAssignment: UNASKED, listener: UNASKED, routes: UNASKED },
});

/** The state after a request; {@link respond} then tells what to send. */
export function receive(stream: StreamState, request: StreamRequest): StreamState {
  const before = stream.types[request.type];
  const isAnswer = request.nonce !== "" && request.nonce === before.nonce;
  // In the state of the world what a request says is about the response that it answers: another one will come.
  if (request.variant === "StateOfTheWorld" && request.nonce !== "" && !isAnswer) return stream;
  const after = ask(isAnswer ? answered(before, request.error) : before, request);
  return after === before ? stream : { ...stream, types: { ...stream.types, [request.type]: after } };
}

function answered(state: TypeState, error: string | undefined): TypeState {
  const { inFlight, rejection } = state;
  if (inFlight === undefined) return state; // answered already: the client merely asks for more
  const { version, resources } = inFlight;
  if (error === undefined && rejection === undefined) return { ...state, inFlight: undefined, accepted: version };
  const told = new Set(resources.map(nameOf));
  const left = rejection?.resources.filter(({ name }) => !told.has(name) && state.sent.byName.has(name)) ?? [];
  if (error !== undefined)
    return { ...state, inFlight: undefined, rejection: { version, message: error, resources: [...left, ...resources] } };
  const still = rejection === undefined || left.length === 0 ? undefined : { ...rejection, resources: left };
  return { ...state, inFlight: undefined, accepted: version, rejection: still };
}

function ask(state: TypeState, request: StreamRequest): TypeState {
  const before = state.subscription;
  const subscription = subscribed(before, request);
  if (before === subscription) return state;
  const isFirst = before === undefined;
  const sent = isFirst && request.variant === "Delta" ? claimedSet(without(request.has, state.due)) : state.sent;
  const becameWildcard = subscription.isWildcard && before?.isWildcard !== true;
  return {
    ...state,
    subscription,
    // Whoever asks for everything from now on is told everything; the first time, but for what it has.
    sent: becameWildcard && !isFirst ? NO_RESOURCES : sent,
    due: isFirst ? lacking(subscription.names, sent) : withAsked(state.due, newlyAsked(before, subscription, request)),
    answerDue:
      state.answerDue ||
      (becameWildcard && sent === NO_RESOURCES) ||
      (isToldWhole(request.type) && isWholeAndGrew(before, subscription, request)),
  };
}

const without = (versions: DeltaRequest["has"], names: ReadonlySet<string>): DeltaRequest["has"] =>
  names.size === 0 ? versions : Object.fromEntries(Object.entries(versions).filter(([name]) => !names.has(name)));

/** The names themselves, if nothing was sent: thousands of streams then hold one object. */
const lacking = (names: ReadonlySet<string>, sent: ResourceSet): ReadonlySet<string> =>
  sent === NO_RESOURCES ? names : new Set([...names].filter((name) => !sent.byName.has(name)));

const withAsked = (due: ReadonlySet<string>, names: readonly string[]): ReadonlySet<string> =>
  names.length === 0 ? due : new Set([...due, ...names]);

/** Delta: whatever is named is told, again if need be, and so is what a wildcard still covers after its name was taken back. */
function newlyAsked(before: Subscription, { isWildcard, names }: Subscription, request: StreamRequest): readonly string[] {
  if (request.variant === "Delta") return [...request.subscribe, ...(isWildcard ? request.unsubscribe : [])].filter((name) => name !== "*");
  return [...names].filter((name) => !before.names.has(name));
}

const isWholeAndGrew = (before: Subscription | undefined, { names }: Subscription, { variant }: StreamRequest): boolean =>
  variant === "StateOfTheWorld" && [...names].some((name) => before?.names.has(name) !== true);

export interface Answered {
  readonly stream: StreamState;
  /** In the order in which they are to be sent. */
  readonly responses: readonly StreamResponse[];
  /** A large one was left out. */
  readonly isHeld: boolean;
}

/**
 * What is to be sent to have the client at the snapshot, as far as its answers to what is under way allow it now.
 *
 * @param mayBeLarge false: a whole configuration is left out for now; who serves is told in any case, be it the loss of a cluster of all routes
 */
export function respond(before: StreamState, snapshot: Snapshot, mayBeLarge = true): Answered {
  let stream = before;
  let isHeld = false;
  const responses: StreamResponse[] = [];
  for (const type of RESOURCE_TYPES) {
    const state = stream.types[type];
    if (state.subscription === undefined || state.inFlight !== undefined) continue;
    const target = mayRemove(type, stream, snapshot) ? snapshot[type] : withRemoved(state.sent, snapshot[type]);
    const told = tell(type, state, state.subscription, stream, target);
    const subscription = sharing(state.subscription, target);
    if (told === undefined) {
      const sent = target === snapshot[type] ? target : state.sent;
      if (sent === state.sent && state.due.size === 0 && subscription === state.subscription) continue;
      stream = withType(stream, type, { ...state, subscription, sent, due: NOTHING });
      continue;
    }
    if ((type === "routes" || type === "listener") && !areClustersTaken(stream)) continue;
    const isFailover = type === "loadAssignment" && state.nonce !== "";
    if (!mayBeLarge && !isFailover && bytesOf(told.resources) > LARGE) {
      isHeld = true;
      continue;
    }
    responses.push(told);
    const { nonce, version, resources } = told;
    const next = { ...state, subscription, sent: target, due: NOTHING, answerDue: false, nonce, inFlight: { version, resources } };
    stream = { ...withType(stream, type, next), count: stream.count + 1 };
    if (type === "cluster") stream = withEndpointsDue(stream, changedOf(state, state.subscription, target), target);
  }
  return { stream, responses, isHeld };
}

/** Bytes from which a response is large. */
const LARGE = 65_536;

const bytesOf = (list: readonly EncodedResource[]): number => list.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** A large response is under way. */
export const isBusy = ({ types }: StreamState): boolean =>
  RESOURCE_TYPES.some((type) => bytesOf(types[type].inFlight?.resources ?? []) > LARGE);

const withType = (stream: StreamState, type: ResourceType, state: TypeState): StreamState => ({
  ...stream,
  types: { ...stream.types, [type]: state },
});

/** @param clusters of the set, told just now */
function withEndpointsDue(stream: StreamState, clusters: readonly EncodedResource[], { list, names }: ResourceSet): StreamState {
  const state = stream.types.loadAssignment;
  const told = clusters === list ? names : new Set(clusters.map(nameOf)); // what thousands of new streams have in common is held once
  if (state.subscription === undefined)
    return withType(stream, "loadAssignment", { ...state, due: state.due.size === 0 ? told : new Set([...state.due, ...told]) });
  // Whoever is not asked for yet will be.
  const due = withAsked(state.due, ofInterest(state.subscription, [...told], itself));
  return due === state.due ? stream : withType(stream, "loadAssignment", { ...state, due });
}

const nameOf = ({ name }: EncodedResource): string => name;
const itself = (name: string): string => name;

/** @returns undefined when there is nothing to tell */
function tell(
  type: ResourceType,
  state: TypeState,
  subscription: Subscription,
  { variant, count }: StreamState,
  target: ResourceSet,
): StreamResponse | undefined {
  const { sent, due, answerDue } = state;
  const changed = changedOf(state, subscription, target);
  const gone = ofInterest(subscription, changesBetween(sent, target).removed, itself);
  const head = { type, nonce: String(count + 1), version: target.version };
  if (variant === "StateOfTheWorld") {
    const isWhole = isToldWhole(type);
    if (changed.length === 0 && !answerDue && !(isWhole && gone.length > 0)) return undefined;
    return { ...head, resources: isWhole ? ofInterest(subscription, target.list, nameOf) : changed, removed: [] };
  }
  const missing = due === target.names ? [] : [...due].filter((name) => !target.byName.has(name) && !gone.includes(name));
  const removed = missing.length === 0 ? gone : [...gone, ...missing];
  return changed.length === 0 && removed.length === 0 && !answerDue ? undefined : { ...head, resources: changed, removed };
}

/** What the client lacks, or has otherwise. */
const changedOf = ({ sent, due }: TypeState, subscription: Subscription, target: ResourceSet): readonly EncodedResource[] =>
  withDue(ofInterest(subscription, changesBetween(sent, target).changed, nameOf), due, target);

function withDue(changed: readonly EncodedResource[], due: ReadonlySet<string>, target: ResourceSet): readonly EncodedResource[] {
  if (due.size === 0) return changed;
  if (target.list.every(({ name }) => due.has(name))) return target.list;
  const wanted = new Set([...changed.map(nameOf), ...due]);
  return target.list.every(({ name }) => wanted.has(name)) ? target.list : [...wanted].flatMap((name) => target.byName.get(name) ?? []);
}

/** Whether what the snapshot lacks may be taken from the client: clusters when no route speaks of them, endpoints when no cluster does. */
function mayRemove(type: ResourceType, { types }: StreamState, snapshot: Snapshot): boolean {
  if (type === "cluster") return isAt(types.routes, snapshot.routes);
  return type !== "loadAssignment" || isAt(types.cluster, snapshot.cluster);
}

/** It has taken all of the set that it asks for. */
function isAt({ subscription, sent, inFlight, rejection, due }: TypeState, set: ResourceSet): boolean {
  if (subscription === undefined) return true;
  if (inFlight !== undefined || rejection !== undefined || due.size > 0) return false;
  if (sent === set) return true;
  const { changed, removed } = changesBetween(sent, set);
  return ofInterest(subscription, changed, nameOf).length === 0 && ofInterest(subscription, removed, itself).length === 0;
}

/** Every cluster that was sent is taken, and its endpoints were asked for and sent: they arrive before what is sent after them. A client that names the clusters it wants asks for them after its routes. */
function areClustersTaken({ types: { cluster, loadAssignment } }: StreamState): boolean {
  if (cluster.subscription?.isWildcard !== true) return true;
  if (cluster.inFlight !== undefined) return false;
  if (loadAssignment.subscription === undefined) return true;
  if (loadAssignment.due.size > 0) return false;
  const { names } = loadAssignment.subscription;
  if (names === cluster.sent.names) return true;
  const rejected = new Set(cluster.rejection?.resources.map(nameOf));
  return cluster.sent.list.every(({ name }) => names.has(name) || rejected.has(name));
}
