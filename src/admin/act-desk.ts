/** What the API needs of whoever carries out operators' acts. */
import { ApiError } from "./api-error.ts";

export interface Drained {
  readonly target: string;
  /** ISO 8601. */
  readonly until: string;
  /** Where it is written: deleting it undoes the drain. */
  readonly file: string;
}

export interface Undrained {
  readonly target: string;
  readonly removed: boolean;
  /** Drains of the target that remain. */
  readonly drainedBy: readonly string[];
}

export interface ActDesk {
  /** Whether this server can do it; where not, {@link ActDesk.command} can. */
  readonly canDrain: boolean;
  /** What drains by command line; CLUSTER stands for its name. */
  readonly command: string;
  /**
   * Act.
   *
   * @param duration as text, for example `30m`
   * @throws ApiError `no-target`; `bad-request` for a duration that is none; `acts-elsewhere`; `not-written`
   */
  readonly drain: (target: string, reason: string, duration: string) => Promise<Drained>;
  /** Act: undoes it. @throws ApiError as `drain` */
  readonly undrain: (target: string) => Promise<Undrained>;
}

/** Of a server whose objects are kept in an API server: there an operator acts with access of their own. */
export const actsElsewhere = (command: string): ActDesk => {
  const refuse = async (): Promise<never> => {
    throw new ApiError("acts-elsewhere", `The objects are not this server's to write. Run: ${command}`);
  };
  return { canDrain: false, command, drain: refuse, undrain: refuse };
};

export const NO_ACTS: ActDesk = actsElsewhere("globalroute drain CLUSTER");
