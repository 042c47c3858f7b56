/** What Route 53 and the way to it say when something is refused, and what helps. */
import { ProviderError, type ProviderErrorCode, type Refused } from "../provider.ts";
import { readName } from "./resource-record-set.ts";

/** Names of errors as the SDK gives them, and of the credentials' sources. */
const NAMES: Readonly<Record<string, readonly [code: ProviderErrorCode, remedy: string]>> = {
  InvalidChangeBatch: ["conflict", "It is read again."],
  NoSuchHealthCheck: ["conflict", "It is read again."],
  HealthCheckAlreadyExists: ["conflict", "It is read again."],
  CidrCollectionAlreadyExistsException: ["conflict", "It is read again."],
  CidrCollectionVersionMismatchException: ["conflict", "It is read again."],
  NoSuchCidrCollectionException: ["conflict", "It is read again."],
  NoSuchHostedZone: ["zone-missing", "Make the hosted zone, or correct hostedZoneId."],
  Throttling: ["rate-limited", "It is tried again more slowly; other tools of the account may be taking its share."],
  ThrottlingException: ["rate-limited", "It is tried again more slowly; other tools of the account may be taking its share."],
  RequestLimitExceeded: ["rate-limited", "It is tried again more slowly; other tools of the account may be taking its share."],
  PriorRequestNotComplete: ["rate-limited", "It is tried again when Route 53 has made the changes before."],
  ConcurrentModification: ["rate-limited", "It is tried again when Route 53 has made the changes before."],
  ServiceUnavailable: ["unavailable", "It is tried again; Amazon's status page may tell more."],
  AccessDenied: ["unauthorized", "Allow the actions that docs/providers.md lists to the identity that is used."],
  AccessDeniedException: ["unauthorized", "Allow the actions that docs/providers.md lists to the identity that is used."],
  InvalidClientTokenId: ["unauthorized", "Give the process credentials that exist: the access key is not known to AWS."],
  UnrecognizedClientException: ["unauthorized", "Give the process credentials that exist: the access key is not known to AWS."],
  SignatureDoesNotMatch: ["unauthorized", "Correct the secret access key."],
  ExpiredToken: ["unauthorized", "Renew the credentials of the process: they have ended."],
  ExpiredTokenException: ["unauthorized", "Renew the credentials of the process: they have ended."],
  RequestExpired: ["unauthorized", "Set the clock of this machine."],
  CredentialsProviderError: [
    "unauthorized",
    "Give the process credentials: a role of its Pod or machine, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
  ],
  TooManyHealthChecks: ["refused", "Ask AWS for more health checks in this account (Service Quotas, Route 53)."],
  LimitsExceeded: ["refused", "Ask AWS for a higher quota (Service Quotas, Route 53)."],
  LimitsExceededException: ["refused", "Ask AWS for a higher quota (Service Quotas, Route 53)."],
};

const UNREACHABLE = "Look whether this machine reaches route53.amazonaws.com by HTTPS.";

/** @param at `route53 Z123 example.org` */
export function toProviderError(error: unknown, at: string, signal: AbortSignal): ProviderError {
  if (error instanceof ProviderError) return error;
  if (signal.aborted) return new ProviderError("unreachable", at, "no answer in time", UNREACHABLE, error);
  const { name, message, status } = factsOf(error);
  const known = NAMES[name];
  if (name === "InvalidChangeBatch" && !isRace(message)) return refusedBatch(message, at, error);
  if (QUOTAS.has(name)) return new ProviderError("refused", at, `${name}: ${message}`, known![1], error, "Room");
  if (known !== undefined) return new ProviderError(known[0], at, `${name}: ${message}`, known[1], error);
  if (status === undefined) return new ProviderError("unreachable", at, message, UNREACHABLE, error);
  if (status >= 500)
    return new ProviderError("unavailable", at, `${name}: ${message}`, "It is tried again; Amazon's status page may tell more.", error);
  if (status === 429) return new ProviderError("rate-limited", at, message, NAMES.Throttling![1], error);
  return new ProviderError(
    "refused",
    at,
    `${name}: ${message}`,
    "This is a fault of this program, or of what it was told: report it.",
    error,
  );
}

/** Codes of quotas. */
const QUOTAS = new Set(["TooManyHealthChecks", "LimitsExceeded", "LimitsExceededException"]);

/** Whether a zone that is no longer as it was read explains it. */
const isRace = (message: string): boolean =>
  /was not found|already exists|do not match the current values|is the target of an alias|Failed to find requested change/i.test(message);

/** Something in the batch is not to be had, whenever it is asked for. The names are told of most things, of values not. */
function refusedBatch(message: string, at: string, cause: unknown): ProviderError {
  const remedy = "Correct what is published there, or ask AWS for more where it names a limit (Service Quotas, Route 53).";
  const names = [...message.matchAll(/(?:name='|DNS name )([^\s']+?)\.?(?:'|\s|,|$)/g)].map(([, name]) => readName(name!));
  const refused: Refused | undefined = /limit of \d+ exceeded/i.test(message) ? "Room" : names.length === 0 ? undefined : { names };
  return new ProviderError("refused", at, `InvalidChangeBatch: ${message}`, remedy, cause, refused);
}

function factsOf(error: unknown): { readonly name: string; readonly message: string; readonly status: number | undefined } {
  if (!(error instanceof Error)) return { name: "", message: String(error), status: undefined };
  const metadata = "$metadata" in error ? (error.$metadata as { readonly httpStatusCode?: number }) : undefined;
  const messages = "messages" in error && Array.isArray(error.messages) ? error.messages.join("; ") : "";
  const told = [error.message, messages].filter((text) => text !== "" && text !== "UnknownError").join("; ");
  return { name: error.name, message: told.slice(0, 500), status: metadata?.httpStatusCode };
}
