/** The connections to endpoints: kept when they can be used again, and bounded in number. */
import type { Milliseconds } from "../../../model/units.ts";
import type { ProxyEndpoint } from "./endpoints.ts";
import type { ProxyPorts } from "./ports.ts";
import type { ProxySettings } from "./settings.ts";
import { UpstreamConnection, type UpstreamOwner } from "./upstream-connection.ts";

interface Slot {
  /** The one that was used last is at the end, and used first: the others grow old and go. */
  readonly idle: UpstreamConnection[];
  open: number;
  /** Until then it is asked last. */
  shunnedUntil: number;
}

export class UpstreamPool implements UpstreamOwner {
  readonly now: () => Milliseconds;
  readonly #ports: ProxyPorts;
  readonly #settings: ProxySettings;
  readonly #slots = new Map<string, Slot>();
  readonly #connections = new Set<UpstreamConnection>();
  #isClosed = false;

  constructor(ports: ProxyPorts, settings: ProxySettings) {
    this.now = ports.now;
    this.#ports = ports;
    this.#settings = settings;
  }

  /**
   * A connection for one request, perhaps one that is not there yet.
   *
   * @param age "any" for a request that may be sent again if the connection turns out to be dead, "fresh" for others; "new" if one just did
   * @returns undefined when the endpoint has as many as it may have
   */
  take(endpoint: ProxyEndpoint, age: "any" | "fresh" | "new", now: Milliseconds): UpstreamConnection | undefined {
    const { pool, timeouts, head } = this.#settings;
    const slot = this.#slotOf(endpoint);
    const last = slot.idle.at(-1);
    const oldest = age === "any" ? pool.idleTime : age === "fresh" ? pool.freshTime : 0;
    if (last !== undefined && now - last.idleSince < oldest) {
      slot.idle.pop();
      last.deadline = Infinity;
      return last;
    }
    if (slot.open >= pool.connections && last !== undefined) last.abandon(); // too old for this request, and in the way of a new one
    if (slot.open >= pool.connections) return undefined;
    const connection = new UpstreamConnection(endpoint, this.#ports.connect(endpoint), head, this);
    connection.deadline = now + timeouts.connect;
    slot.open++;
    this.#connections.add(connection);
    return connection;
  }

  /** {@link take} would give a connection. */
  hasRoom({ id }: ProxyEndpoint): boolean {
    const slot = this.#slots.get(id);
    return slot === undefined || slot.idle.length > 0 || slot.open < this.#settings.pool.connections;
  }

  isShunned(endpoint: ProxyEndpoint): boolean {
    const until = this.#slots.get(endpoint.id)?.shunnedUntil ?? 0;
    return until > 0 && this.now() < until;
  }

  onConnected({ endpoint }: UpstreamConnection): void {
    this.#slotOf(endpoint).shunnedUntil = 0;
  }

  onFree(connection: UpstreamConnection, now: Milliseconds): void {
    const { pool } = this.#settings;
    const { idle } = this.#slotOf(connection.endpoint);
    if (this.#isClosed || idle.length >= pool.idle) return void connection.abandon();
    connection.idleSince = now;
    connection.deadline = now + pool.idleTime;
    idle.push(connection);
  }

  onGone(connection: UpstreamConnection, isUnreachable: boolean): void {
    if (!this.#connections.delete(connection)) return;
    const { endpoint } = connection;
    const slot = this.#slotOf(endpoint);
    const at = slot.idle.indexOf(connection);
    if (at >= 0) slot.idle.splice(at, 1);
    slot.open--;
    if (isUnreachable) slot.shunnedUntil = this.now() + this.#settings.pool.shun;
    else if (slot.open === 0 && slot.shunnedUntil === 0) this.#slots.delete(endpoint.id); // endpoints come and go
  }

  /** Gives up what has waited too long. */
  sweep(now: Milliseconds): void {
    for (const connection of this.#connections) if (connection.deadline <= now) connection.expire(now);
    for (const [id, slot] of this.#slots) if (slot.open === 0 && slot.shunnedUntil <= now) this.#slots.delete(id);
  }

  /** @returns connections, and those of them without a request */
  count(): { readonly open: number; readonly idle: number } {
    let idle = 0;
    for (const slot of this.#slots.values()) idle += slot.idle.length;
    return { open: this.#connections.size, idle };
  }

  /** Closes those without a request at once, the others when their response is through. */
  close(): void {
    this.#isClosed = true;
    for (const slot of [...this.#slots.values()]) for (const connection of [...slot.idle]) connection.abandon();
  }

  /** Breaks what is left: responses that are read for nobody. */
  cut(): void {
    for (const connection of [...this.#connections]) connection.abandon();
  }

  #slotOf(endpoint: ProxyEndpoint): Slot {
    let slot = this.#slots.get(endpoint.id);
    if (slot === undefined) {
      slot = { idle: [], open: 0, shunnedUntil: 0 };
      this.#slots.set(endpoint.id, slot);
    }
    return slot;
  }
}
