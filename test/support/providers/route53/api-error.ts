/** What the API answers instead of a result, with the codes and HTTP statuses that AWS documents for each action. */

export class ApiError extends Error {
  readonly status: number;
  /** Such as `NoSuchHostedZone`; clients branch on it. */
  readonly code: string;
  /** Of InvalidChangeBatch: one for each thing wrong with the batch. */
  readonly messages: readonly string[];

  constructor(status: number, code: string, message: string, messages: readonly string[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.messages = messages;
  }
}

export const invalidInput = (message: string): ApiError => new ApiError(400, "InvalidInput", message);

/** `[first, second]` is how Route 53 joins messages where the form has room for one. */
export const invalidChangeBatch = (messages: readonly string[]): ApiError =>
  new ApiError(400, "InvalidChangeBatch", `[${messages.join(", ")}]`, messages);

/** The form in which AWS's front ends tell that a member is out of its range or set. */
export const constraint = (path: string, value: string, rule: string): ApiError =>
  invalidInput(`1 validation error detected: Value '${value}' at '${path}' failed to satisfy constraint: Member must ${rule}`);
