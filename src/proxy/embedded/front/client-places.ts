/** How much of the proxy each client holds, so that no one can hold all of it. A client is an address; of IPv6 a /64, which is what one gets. */
import { parseIpv6 } from "../../../model/ip.ts";

export interface PlaceLimits {
  /** Connections and streams of HTTP/2 of one client. Infinity: no bound, as behind a proxy whose address all of them have. */
  readonly places: number;
  /** Of its connections, those that have not brought the head of a first request. */
  readonly silent: number;
}

interface Held {
  places: number;
  silent: number;
}

export class ClientPlaces {
  readonly #limits: PlaceLimits;
  readonly #held = new Map<string, Held>();

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** @param client as {@link clientOf} says @returns the connection's place, or why it has none */
  enter(client: string): Place | "too-many-of-one-client" | "too-many-silent-of-one-client" {
    const held = this.#held.get(client) ?? { places: 0, silent: 0 };
    if (held.places >= this.#limits.places) return "too-many-of-one-client";
    if (held.silent >= this.#limits.silent) return "too-many-silent-of-one-client";
    held.places++;
    held.silent++;
    this.#held.set(client, held);
    return new Place(held, this.#limits.places, () => {
      if (held.places === 0) this.#held.delete(client);
    });
  }

  /** Clients that hold something. */
  get clients(): number {
    return this.#held.size;
  }
}

/** What one connection holds, until {@link leave}. */
export class Place {
  readonly #held: Held;
  readonly #most: number;
  readonly #onLess: () => void;
  #isSilent = true;
  #streams = 0;
  #hasLeft = false;

  constructor(held: Held, most: number, onLess: () => void) {
    this.#held = held;
    this.#most = most;
    this.#onLess = onLess;
  }

  /** The head of a request has come. */
  speak(): void {
    if (!this.#isSilent || this.#hasLeft) return;
    this.#isSilent = false;
    this.#held.silent--;
  }

  /** @returns false when the client has as much as it may have */
  addStream(): boolean {
    if (this.#hasLeft || this.#held.places >= this.#most) return false;
    this.#held.places++;
    this.#streams++;
    return true;
  }

  endStream(): void {
    if (this.#hasLeft) return;
    this.#held.places--;
    this.#streams--;
  }

  /** Gives all back; a second time nothing. */
  leave(): void {
    if (this.#hasLeft) return;
    this.speak();
    this.#hasLeft = true;
    this.#held.places -= 1 + this.#streams;
    this.#onLess();
  }
}

/** Whose connection it is. @param address IPv4, or IPv6 without a zone */
export function clientOf(address: string): string {
  const bytes = address.includes(":") ? parseIpv6(address) : undefined;
  return bytes === undefined ? address : bytes.subarray(0, 8).join(".");
}
