/** Which replica serves which generation of which object. */
import type { PublishedTable } from "../../src/engine/peer-port.ts";
import type { Programmed } from "./peer-messages.ts";

/** How far a generation has come. */
export interface ProgrammedState {
  /** Replicas that serve it, or a later one. */
  readonly reported: number;
  /** Replicas that there are. */
  readonly of: number;
  /** Names of the others; the address of one that could not be reached yet. */
  readonly waitingFor: readonly string[];
}

export interface ProgrammedBook {
  served(): PublishedTable | undefined;
  publish(table: PublishedTable): void;
  hear(instance: string, message: Programmed): void;
  /** It has left, or begins a stream, on which it tells everything again. */
  forget(instance: string): void;
  /** @param others instances of the other replicas; undefined for one that has not said its name */
  state(
    key: string,
    generation: number,
    others: readonly { readonly name: string; readonly instance: string | undefined }[],
  ): ProgrammedState;
}

/** @param self name of this instance */
export function createProgrammedBook(self: string): ProgrammedBook {
  let own: PublishedTable | undefined;
  const heard = new Map<string, Map<string, number>>();
  return {
    served: () => own,
    publish(table) {
      own = table;
    },
    hear(instance, { set, gone }) {
      const known = heard.get(instance) ?? new Map<string, number>();
      heard.set(instance, known);
      for (const [key, generation] of set) known.set(key, generation);
      for (const key of gone) known.delete(key);
    },
    forget: (instance) => void heard.delete(instance),
    state(key, generation, others) {
      const serves = (generations: ReadonlyMap<string, number> | undefined): boolean => (generations?.get(key) ?? -1) >= generation;
      const waitingFor = others.flatMap(({ name, instance }) =>
        instance !== undefined && serves(heard.get(instance)) ? [] : [instance ?? name],
      );
      if (!serves(own?.generations)) waitingFor.unshift(self);
      const of = others.length + 1;
      return { reported: of - waitingFor.length, of, waitingFor };
    },
  };
}
