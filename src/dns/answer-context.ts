/** What a thread answers by: everything that an answer depends on besides query and source, and the scratch that every query uses again. */
import type { Choice } from "../routing/choose.ts";
import type { CookieChecker, CookieState } from "./cookies.ts";
import type { QueryCounters } from "./counters.ts";
import type { RateLimiter } from "./rate-limit.ts";
import type { Reply } from "./reply.ts";
import type { AnswerSigning } from "./signed-answer.ts";
import type { Lane } from "./slow/lane.ts";
import type { Query } from "./wire/query.ts";
import type { Found } from "./zone-lookup.ts";
import type { ServingTables } from "./zone-table.ts";

/** Everything that an answer depends on besides query and source. One for each thread. */
export interface AnswerContext {
  /** Milliseconds since the epoch; a thread that answers in batches may ask its clock once for each. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
  readonly counters: QueryCounters;
  /** Undefined = cookies are ignored. */
  readonly cookies: CookieChecker | undefined;
  /** Undefined = nothing is limited. */
  readonly limiter: RateLimiter | undefined;
  /** What `version.bind` is answered; empty = REFUSED. */
  readonly versionBind: Uint8Array;
  /** Undefined until the first table; see {@link useTables}. */
  tables: ServingTables | undefined;
  /** The buffer of the message that is answered, and a view of it; whoever answers in many buffers by turns sets both beforehand. */
  message: Uint8Array;
  view: DataView;
  /** The buffer that answers were last written into, when it was another one, and a view of it. */
  out: Uint8Array;
  outView: DataView;
  /** Scratch, reused by every query. */
  readonly query: Query;
  readonly found: Found;
  readonly choice: Choice;
  readonly reply: Reply;
  addresses: Uint32Array;
  /** What the query's cookie says of its sender. */
  cookie: CookieState;
  /** Means of signing, and scratch for it. */
  readonly signing: AnswerSigning;
  /** Whether the answer under way is to be signed: its zone is, and the query has DO. */
  signed: boolean;
  /** After {@link DEFER}: where the query is to wait. */
  lane: Lane;
  /** `Mode` of the answer under way; -1 = no route answers. */
  mode: number;
}

/**
 * What `answer` returns for a query whose answer needs a signature that is not there yet, or a secret that this thread does not have.
 * The query is to be handed, whole, to a thread that has time and keys; nobody is ever sent an answer without its signatures instead.
 */
export const DEFER = -1;
