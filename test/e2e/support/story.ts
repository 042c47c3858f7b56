/** Steps that the stories share: what a route looks like from the API and from DNS. */
import { expect } from "vitest";
import type { AdminApi } from "./admin-api.ts";
import type { Controller } from "./controller.ts";
import { eventually, type Patience, throughout } from "./eventually.ts";
import { createIngress, type Member, routePath, type World } from "./world.ts";

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** Status of an object, as far as stories look at it. */
export interface SeenStatus {
  readonly conditions?: readonly Condition[];
  readonly backends?: readonly {
    readonly name: string;
    readonly cluster: string;
    readonly health: string;
    readonly reason?: string;
    readonly addresses?: readonly string[];
  }[];
  readonly lastFailover?: { readonly from: string; readonly to: string; readonly reason: string };
}

/** @returns undefined when there is no such object, or no status */
export async function statusOf(api: AdminApi, path: string): Promise<SeenStatus | undefined> {
  const { status, body } = await api.request("GET", path);
  return status === 200 && typeof body === "object" && body !== null && "status" in body ? (body.status as SeenStatus) : undefined;
}

export const conditionOf = (status: SeenStatus | undefined, type: string): Condition | undefined =>
  status?.conditions?.find((condition) => condition.type === type);

/** Annotations of a source that fails over and back within a test's patience. */
export const QUICK: Readonly<Record<string, string>> = {
  "globalroute.dev/route": "true",
  "globalroute.dev/failback": "2s",
  "globalroute.dev/ttl": "5s",
};

/** Annotates an Ingress of this name in all members. @returns once all clients get the site that is nearest to them */
export async function publish({ members }: World, controller: Controller, name: string, patience: Patience = {}): Promise<void> {
  const host = `${name}.example.org`;
  for (const member of members) await createIngress(member, name, host, QUICK);
  for (const member of members) await reaches(controller, host, member, member, patience);
}

/** Waits until clients near one member get another's site, or its own. */
export async function reaches(controller: Controller, host: string, near: Member, to: Member, patience: Patience = {}): Promise<void> {
  const what = `clients near ${near.name} to get ${to.name} for ${host}`;
  const answered = async (): Promise<boolean> => (await controller.dig(host, near.clients)).answers.join() === to.site.address;
  await eventually(what, answered, { within: 60_000, detail: () => controller.log().slice(-6000), ...patience });
}

/** Clients near a member go on getting its site for this long, without one empty or other answer. */
export async function keepsServing(controller: Controller, host: string, member: Member, milliseconds: number): Promise<void> {
  await throughout(milliseconds, async () => {
    const { status, answers } = await controller.dig(host, member.clients);
    expect({ status, answers }).toEqual({ status: "NOERROR", answers: [member.site.address] });
  });
}

/** Waits until a condition of a route has this status. */
export async function routeBecomes(
  { hub }: World,
  name: string,
  type: string,
  status: string,
  patience: Patience = {},
): Promise<SeenStatus> {
  let seen: SeenStatus | undefined;
  const hasIt = async (): Promise<SeenStatus | undefined> => {
    seen = await statusOf(hub.api, routePath(name));
    return conditionOf(seen, type)?.status === status ? seen : undefined;
  };
  return eventually(`${type}=${status} of route ${name}`, hasIt, {
    within: 60_000,
    detail: () => JSON.stringify(seen, null, 1),
    ...patience,
  });
}
