/** A key of RFC 6605 §6.1, and fresh ones, for tests of what signs. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { publicKeyOf } from "../../src/dns/dnssec/key-file.ts";
import { type KeyState, type SigningKey, zoneKey } from "../../src/dns/dnssec/zone-key.ts";

const base64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "base64"));

/** RFC 6605 §6.1: `example.net. 3600 IN DNSKEY 257 3 13`. */
export const RFC_6605 = {
  publicKey: base64("GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edb krSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=="),
  tag: 55648,
  digest: "b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
  /** `www.example.net. 3600 IN RRSIG A 13 3 3600 20100909100439 20100812100439 55648 example.net.` */
  signature: base64("qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXA yGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw=="),
  inception: Date.UTC(2010, 7, 12, 10, 4, 39) / 1000,
  expiration: Date.UTC(2010, 8, 9, 10, 4, 39) / 1000,
  privateKey(): KeyObject {
    const [x, y] = [this.publicKey.subarray(0, 32), this.publicKey.subarray(32)].map((half) => Buffer.from(half).toString("base64url"));
    const d = "GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ";
    return createPrivateKey({
      key: { kty: "EC", crv: "P-256", x: x!, y: y!, d: d.replaceAll("/", "_").replaceAll("+", "-") },
      format: "jwk",
    });
  },
};

export function newSigningKey(state: KeyState = "Active"): SigningKey {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...zoneKey(publicKeyOf(privateKey), state), privateKey };
}
