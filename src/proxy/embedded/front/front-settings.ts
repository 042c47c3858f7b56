/** What stands before the requests of one listener. */
import type { Network } from "../../../model/ip.ts";
import { type Milliseconds, ms } from "../../../model/units.ts";
import type { CertificateIndex, ShownCertificate } from "./certificate-index.ts";
import type { ConductLimits } from "./client-conduct.ts";
import type { PlaceLimits } from "./client-places.ts";
import { HTTP2_SETTINGS, type Http2Settings } from "./http2-settings.ts";

export interface FrontSettings {
  readonly places: PlaceLimits;
  /** Absent: nothing is held against anybody, as behind a proxy whose address all clients have. */
  readonly conduct?: ConductLimits;
  /** Every connection begins with a header of the PROXY protocol, and comes from one of these networks; empty = from anywhere. */
  readonly proxyProtocol?: { readonly from: readonly Network[]; readonly timeout: Milliseconds };
  /** Connections are TLS, and HTTP/2 if the client speaks it; absent = plain HTTP/1.1. */
  readonly tls?: TlsSettings;
}

export interface TlsSettings {
  /** Asked at each handshake. */
  readonly certificates: () => CertificateIndex<ShownCertificate>;
  /** At a time. */
  readonly handshakes: number;
  readonly handshakeTimeout: Milliseconds;
  readonly http2: Http2Settings;
}

/** Less than half of what the proxy has, and a tenth for those that have not asked: behind one address there may be a balancer that does not say so. */
export const PLACE_LIMITS: PlaceLimits = { places: 4000, silent: 1000 };
export const NO_PLACE_LIMITS: PlaceLimits = { places: Infinity, silent: Infinity };
/** People err, and so do programs of many people behind one address; a scanner or a flood is beyond it within seconds. */
export const CONDUCT_LIMITS: ConductLimits = { faults: { burst: 100, perSecond: 10 }, debt: 200, waiting: 100 };
export const PLAIN_FRONT: FrontSettings = { places: PLACE_LIMITS, conduct: CONDUCT_LIMITS };
export const TLS_FRONT: Omit<TlsSettings, "certificates"> = { handshakes: 1000, handshakeTimeout: ms(10_000), http2: HTTP2_SETTINGS };
export const PROXY_HEADER_TIMEOUT = ms(5000);
