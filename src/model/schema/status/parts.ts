/**
 * What the statuses are made of. The controller alone writes them, by server-side apply; the schemas bound them, describe them, and give a
 * fresh object its conditions, so that tools which wait for `Ready` (kstatus) do not take an object for done that nobody has looked at.
 *
 * They are read tolerantly ({@link file://./../../read-status.ts}): a newer version may have written more.
 */
import { z } from "zod";
import { integer } from "../parts.ts";

/** `metadata.generation` and the like. */
const count = (most = Number.MAX_SAFE_INTEGER) => integer(0, most);

/** A text for people or programs; never bytes of a response, never a credential. */
export const note = (most: number) => z.string().max(most);

/** RFC 3339, UTC. */
export const instant = () => z.string().max(35).meta({ format: "date-time" });

/** A list that is written as a whole: nobody else writes to it, and the API server keeps no account of who owns which entry. */
export const wholeList = <T extends z.ZodType>(entry: T, most: number) =>
  z.array(entry).max(most).meta({ "x-kubernetes-list-type": "atomic" });

export const healthWord = () => z.enum(["Healthy", "Unhealthy", "Unknown"]);

const condition = z.object({
  type: z
    .string()
    .min(1)
    .max(64)
    .describe("What is judged: Accepted, Programmed, Healthy, Ready and others. Which there are is told at conditions."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds."),
  reason: z.string().min(1).max(128).meta({ pattern: "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$" }).describe("Why, in one stable word."),
  message: note(4096).describe("Why, for people: the fact, and what to do where something is to be done."),
  lastTransitionTime: instant().describe("When status last changed."),
  observedGeneration: count().optional().describe("The generation of the object that it was judged by."),
});

/** Before anybody has looked: the epoch tells it from what was judged. */
const pending = (type: string) => ({
  type,
  status: "Unknown" as const,
  reason: "Pending",
  message: "Waiting for the controller.",
  lastTransitionTime: "1970-01-01T00:00:00Z",
});

/** @param meaning what each type tells, in sentences; keys are the types that a fresh object has */
export const conditions = (meaning: Readonly<Record<string, string>>) =>
  z
    .array(condition)
    .max(16)
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] })
    .default(Object.keys(meaning).map(pending))
    .meta({ whenAbsent: "each Unknown, with reason Pending" })
    .describe(
      Object.entries(meaning)
        .map(([type, text]) => `${type}: ${text}`)
        .join(" "),
    );

/** Of the status of every kind. */
export const common = {
  observedGeneration: count().optional().describe("The generation of the object that this status is about."),
  writerEpoch: count()
    .optional()
    .describe("The term of the controller that wrote this: the leaseTransitions of its Lease. A write of an older term is refused."),
};

export { count };
