/**
 * Signature Version 4 as a service checks it.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
import { createHash, createHmac } from "node:crypto";
import { ApiError } from "./api-error.ts";

export interface Credential {
  readonly accessKeyId: string;
  /** Absent: the form of a signature is checked, and not its value. */
  readonly secretAccessKey?: string;
  /** Temporary credentials come with one, and are refused without. */
  readonly sessionToken?: string;
  /** Milliseconds since the epoch after which they are refused. */
  readonly expiresAt?: number;
}

export interface SignedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

const HEADER =
  /^AWS4-HMAC-SHA256 Credential=(?<key>[^/,\s]+)\/(?<date>\d{8})\/(?<region>[a-z0-9-]+)\/(?<service>[a-z0-9-]+)\/aws4_request,\s*SignedHeaders=(?<names>[a-z0-9;-]+),\s*Signature=(?<signature>[0-9a-f]{64})$/;
const MAX_SKEW_MILLISECONDS = 5 * 60_000;

/**
 * @param service and region that the scope must name
 * @param now milliseconds since the epoch for the age of credentials
 * @param wallClock for the age of signatures; undefined = any age is taken
 * @returns who signed it
 * @throws ApiError 403, or 400 when the header is of no known form
 */
export function authenticate(
  request: SignedRequest,
  find: (accessKeyId: string) => Credential | undefined,
  {
    service,
    region,
    now,
    wallClock,
  }: { readonly service: string; readonly region: string; readonly now: number; readonly wallClock?: number | undefined },
): Credential {
  const header = textOf(request, "authorization");
  if (header === undefined) throw new ApiError(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
  const scope = HEADER.exec(header)?.groups as
    | Readonly<Record<"key" | "date" | "region" | "service" | "names" | "signature", string>>
    | undefined;
  if (scope === undefined) throw new ApiError(400, "IncompleteSignature", "Authorization header is not of the form of AWS4-HMAC-SHA256.");
  if (scope.service !== service) throw mismatch(`Credential should be scoped to correct service: '${service}'.`);
  if (scope.region !== region) throw mismatch(`Credential should be scoped to a valid region, not '${scope.region}'.`);
  const date = textOf(request, "x-amz-date");
  if (date === undefined || !/^\d{8}T\d{6}Z$/.test(date) || !date.startsWith(scope.date))
    throw mismatch("Date in Credential scope does not match X-Amz-Date.");
  const names = scope.names.split(";");
  if (!names.includes("host") || !names.includes("x-amz-date")) throw mismatch("'Host' and 'X-Amz-Date' must be signed headers.");
  if (wallClock !== undefined && Math.abs(wallClock - timeOf(date)) > MAX_SKEW_MILLISECONDS) throw mismatch(`Signature expired: ${date}`);

  const credential = find(scope.key);
  if (credential === undefined || credential.sessionToken !== textOf(request, "x-amz-security-token")) {
    throw new ApiError(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
  }
  if (credential.expiresAt !== undefined && now >= credential.expiresAt) throw expiredToken();
  if (credential.secretAccessKey !== undefined && scope.signature !== sign(request, credential.secretAccessKey, scope, names, date)) {
    throw mismatch(
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
    );
  }
  return credential;
}

export const expiredToken = (): ApiError => new ApiError(403, "ExpiredToken", "The security token included in the request is expired");

const mismatch = (message: string): ApiError => new ApiError(403, "SignatureDoesNotMatch", message);

function sign(
  { method, target, headers, body }: SignedRequest,
  secret: string,
  { date, region, service }: { readonly date: string; readonly region: string; readonly service: string },
  names: readonly string[],
  time: string,
): string {
  const [path = "", query = ""] = target.split("?");
  const values = names.map((name) => `${name}:${[headers[name] ?? ""].flat().join(",").trim().replace(/ +/g, " ")}\n`);
  // Every service but S3 has the path encoded once more than it is sent.
  const canonicalPath = path.split("/").map(encode).join("/");
  const canonical = [method, canonicalPath, canonicalQuery(query), values.join(""), names.join(";"), sha256(body)].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = [date, region, service, "aws4_request"].reduce<Buffer | string>((secretKey, part) => hmac(secretKey, part), `AWS4${secret}`);
  return hmac(key, text).toString("hex");
}

const canonicalQuery = (query: string): string =>
  query === ""
    ? ""
    : query
        .split("&")
        .map((pair) => {
          const [name = "", ...value] = pair.split("=");
          return [encode(decodeURIComponent(name)), encode(decodeURIComponent(value.join("=")))].join("=");
        })
        .sort()
        .join("&");

/** As RFC 3986 §2.3 has it: everything but unreserved characters. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

const sha256 = (data: Buffer | string): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: Buffer | string, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** Of `20261122T075100Z`, in milliseconds since the epoch. */
const timeOf = (date: string): number => Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));

function textOf({ headers }: SignedRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}
