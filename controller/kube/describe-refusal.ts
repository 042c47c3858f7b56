/** What an API server's refusal means to whoever has to do something about it. Pure. */
import type { Resource } from "./kube-object.ts";
import { resourceTitle } from "./resource-path.ts";

/** A request in words of RBAC. */
export interface RequestVerb {
  readonly name: string;
  readonly resource: Pick<Resource, "group" | "plural">;
  readonly object?: string;
}

/**
 * @param status other than 2xx
 * @param message of the server, or empty
 */
export function describeRefusal(verb: RequestVerb | undefined, status: number, message: string): { fact: string; remedy: string } {
  const said = message === "" ? `status ${status}` : message.replace(/\.$/, "");
  switch (status) {
    case 401:
      return { fact: "the credential is not accepted", remedy: "Give a valid one: it may have expired or been revoked." };
    case 403: {
      // Authorizers say "cannot"; admission has other words and other remedies.
      if (verb === undefined || (message !== "" && !message.includes(" cannot ")))
        return { fact: said, remedy: "Do what the message says." };
      const { name, resource, object } = verb;
      const permission = `${name} ${resourceTitle(resource)}`;
      return {
        fact: `not permitted to ${permission}${object === undefined ? "" : ` ${object}`}`,
        remedy: `Grant the identity the permission to ${permission}.`,
      };
    }
    case 404:
      return {
        fact: said === "status 404" ? "not found" : said,
        remedy: "See that the object, or the CustomResourceDefinition of its kind, exists.",
      };
    case 409:
      return { fact: said, remedy: "It is read again and retried." };
    case 410:
      return { fact: said, remedy: "It is listed again." };
    case 400:
    case 422:
      return { fact: said, remedy: "Mend what the message names." };
    default:
      return {
        fact: said,
        remedy: status === 429 || status >= 500 ? "It is tried again." : "See that this is the address of a Kubernetes API server.",
      };
  }
}
