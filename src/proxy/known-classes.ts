/** Classes of clients, worked out once and kept until rules' clients or the geo data change. Pure but for what it remembers. */
import type { GeoTable } from "../geo/geo-table.ts";
import { type ClientClasses, clientClasses, type Questions } from "./client-classes.ts";

/** Does on another thread what `clientClasses` does. @param geo `id` of geo data that thread knows */
export type WorkOutClasses = (geo: string, questions: Questions) => Promise<ClientClasses>;

export interface KnownClasses {
  /** Has them worked out, unless they are known. Rejects when `workOut` does: then what was known is. */
  prepare(geo: GeoTable, questions: Questions, workOut: WorkOutClasses): Promise<void>;
  /** The same object until rules' clients or the geo data change. What nobody has prepared is worked out here and now. */
  of(geo: GeoTable, questions: Questions): ClientClasses;
}

export function createKnownClasses(most?: number): KnownClasses {
  let known: { readonly key: string; readonly classes: ClientClasses } | undefined;
  /** Counts what was asked for: whatever is older than the newest comes too late. */
  let asked = 0;
  return {
    async prepare(geo, questions, workOut) {
      const key = keyOf(geo, questions);
      const number = ++asked;
      if (known?.key === key) return;
      const classes = await workOut(geo.id, questions);
      if (number === asked) known = { key, classes };
    },
    of(geo, questions) {
      const key = keyOf(geo, questions);
      if (known?.key !== key) {
        asked++;
        known = { key, classes: clientClasses(geo, questions, most) };
      }
      return known.classes;
    },
  };
}

const keyOf = ({ id }: GeoTable, questions: Questions): string => [id, ...[...questions.keys()].sort()].join("\n");
