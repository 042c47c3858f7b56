/** How a webhook's receiver knows that a request is ours, is whole and is new. */
import { createHmac } from "node:crypto";

export const TIMESTAMP_HEADER = "globalroute-timestamp";
export const SIGNATURE_HEADER = "globalroute-signature";
export const DELIVERY_HEADER = "globalroute-delivery";

/**
 * HMAC-SHA256 (RFC 2104) over the timestamp, a full stop and the body, byte for byte as sent.
 *
 * @param timestamp seconds since the epoch, as the header holds them
 * @returns `v1=` and 64 hexadecimal digits
 */
export const signatureOf = (key: string, timestamp: string, body: string): string =>
  `v1=${createHmac("sha256", key).update(`${timestamp}.${body}`).digest("hex")}`;
