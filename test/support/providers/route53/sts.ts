/**
 * The Security Token Service, as far as it hands out credentials for a while: for a role, to whom has others or a token of an identity provider.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
import { ApiError } from "./api-error.ts";
import type { Credential } from "./signature.ts";
import { type Element, element } from "./xml.ts";

export const STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";

export interface Role {
  readonly arn: string;
  /** What a caller must name, where the role asks for it. */
  readonly externalId?: string;
  /** The token for which the role is given without a signature; absent = for none. */
  readonly webIdentityToken?: string;
}

const DURATION = { least: 900, usual: 3600, most: 43_200 } as const;

export interface Assumed {
  readonly credential: Credential & { readonly secretAccessKey: string; readonly sessionToken: string; readonly expiresAt: number };
  readonly root: Element;
}

/** The action that needs no signature. */
export const UNSIGNED_ACTION = "AssumeRoleWithWebIdentity";

/**
 * @param form of the Query API: Action, Version and parameters
 * @param now milliseconds since the epoch
 * @param nextNumber a number that no other call has returned
 * @throws ApiError AccessDenied, InvalidIdentityToken, ValidationError
 */
export function assumeRole(form: URLSearchParams, roles: readonly Role[], now: number, nextNumber: () => number): Assumed {
  const action = form.get("Action") ?? "";
  if (!["AssumeRole", UNSIGNED_ACTION].includes(action) || form.get("Version") !== "2011-06-15") {
    throw new ApiError(400, "InvalidAction", `Could not find operation ${action} for version ${form.get("Version")}`);
  }
  const arn = form.get("RoleArn") ?? "";
  const session = form.get("RoleSessionName") ?? "";
  const seconds = Number(form.get("DurationSeconds") ?? DURATION.usual);
  if (!/^[\w+=,.@-]{2,64}$/.test(session)) throw invalid("roleSessionName", session);
  if (!/^arn:aws:iam::\d{12}:role\/.+$/.test(arn)) throw invalid("roleArn", arn);
  if (!Number.isInteger(seconds) || seconds < DURATION.least || seconds > DURATION.most) throw invalid("durationSeconds", String(seconds));
  const role = roles.find((one) => one.arn === arn);
  if (action === "AssumeRole") {
    if (role === undefined || (role.externalId !== undefined && role.externalId !== form.get("ExternalId"))) throw denied(action, arn);
  } else {
    if (role?.webIdentityToken === undefined) throw denied(action, arn);
    if (role.webIdentityToken !== form.get("WebIdentityToken"))
      throw new ApiError(400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT.");
  }
  const accessKeyId = `ASIA${nextNumber().toString(36).toUpperCase().padStart(16, "0")}`;
  const credential = {
    accessKeyId,
    secretAccessKey: `secret/${accessKeyId}`,
    sessionToken: `token/${accessKeyId}==`,
    expiresAt: now + seconds * 1000,
  };
  return { credential, root: encode(action, credential, arn, session) };
}

const denied = (action: string, arn: string): ApiError =>
  new ApiError(
    403,
    "AccessDenied",
    `User: arn:aws:iam::${arn.split(":")[4]}:user/emulated is not authorized to perform: sts:${action} on resource: ${arn}`,
  );

const invalid = (member: string, value: string): ApiError =>
  new ApiError(400, "ValidationError", `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint`);

function encode(
  action: string,
  { accessKeyId, secretAccessKey, sessionToken, expiresAt }: Assumed["credential"],
  arn: string,
  session: string,
): Element {
  const assumed = arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/");
  return element(`${action}Response`, [
    element(`${action}Result`, [
      element("Credentials", [
        element("AccessKeyId", accessKeyId),
        element("SecretAccessKey", secretAccessKey),
        element("SessionToken", sessionToken),
        element("Expiration", new Date(expiresAt).toISOString()),
      ]),
      element("AssumedRoleUser", [element("AssumedRoleId", `AROAEMULATED:${session}`), element("Arn", `${assumed}/${session}`)]),
    ]),
    element("ResponseMetadata", [element("RequestId", "00000000-0000-4000-8000-000000000000")]),
  ]);
}
