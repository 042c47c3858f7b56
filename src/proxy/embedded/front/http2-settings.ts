/** What one connection of HTTP/2 may do. */
import { type Milliseconds, ms } from "../../../model/units.ts";
import type { Rate } from "./allowance.ts";

export interface Http2Settings {
  /** Streams at a time. */
  readonly streams: number;
  /** Bytes of all fields of a request, as HTTP/2 counts them; beyond it the stream is reset. The head's own limits, below it, answer 431. */
  readonly headerList: number;
  /** Bytes of a body that may be under way in each stream before somebody has read them. */
  readonly window: number;
  /** Streams that end badly, by the client or by its fault: taken back, broken, malformed. */
  readonly resets: Rate;
  readonly pings: Rate;
  readonly settings: Rate;
  /** Frames that mean nothing, such as data without a byte. */
  readonly emptyFrames: number;
  /** Before the first stream. */
  readonly first: Milliseconds;
  /** Without a stream. */
  readonly idle: Milliseconds;
  /** For the client to take the answer to a request that is refused before it goes any way. */
  readonly refusal: Milliseconds;
}

/** Browsers cancel all that is on its way when their user goes on, which is 100 streams at most; gRPC pings as often as a round trip while data flows. */
export const HTTP2_SETTINGS: Http2Settings = {
  streams: 100,
  headerList: 32 << 10,
  window: 65_535,
  resets: { burst: 100, perSecond: 20 },
  pings: { burst: 1000, perSecond: 100 },
  settings: { burst: 50, perSecond: 1 },
  emptyFrames: 100,
  first: ms(10_000),
  idle: ms(60_000),
  refusal: ms(30_000),
};
