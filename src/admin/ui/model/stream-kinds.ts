/** Events of the server's stream after which something that is shown may be another. */
import { EVENT_KINDS } from "../../../observe/timeline.ts";

/** `gap`: events were missed. `map`: another frame was drawn. */
export const STREAM_KINDS: readonly string[] = [...EVENT_KINDS, "gap", "map"];
