/** What a zone should have, in the way that its provider can follow a policy best. Pure. */
import type { LostPolicy } from "../src/model/lost-part.ts";
import type { DesiredSet } from "./change.ts";
import { createPlainZone } from "./desired-sets.ts";
import { httpsSets } from "./https-sets.ts";
import { createNativeZone, type NativeZoneInput } from "./native/native-zone.ts";
import { createLuaZone, type LuaZoneInput } from "./powerdns/lua-policy.ts";
import type { Capabilities } from "./provider.ts";
import type { SetPolicy } from "./record-set.ts";

/** Without any of these a tree of choices cannot be told. */
const NEEDED: readonly SetPolicy["kind"][] = ["Weighted", "Geo", "GeoProximity", "Failover", "MultiValue", "Subnets"];

export interface DrawnZone {
  readonly sets: readonly DesiredSet[];
  /** Route key → what of its policy is not followed, beyond what the object alone tells. */
  readonly lost: ReadonlyMap<string, LostPolicy>;
}

export type DrawZone = (capabilities: Pick<Capabilities, "policies" | "types">, input: LuaZoneInput & NativeZoneInput) => DrawnZone;

/** Draws one zone after another table; what does not change between tables is worked out once. */
export function createDrawZone(): DrawZone {
  const [plainZone, luaZone, nativeZone] = [createPlainZone(), createLuaZone(), createNativeZone()];
  const drawAddresses: DrawZone = ({ policies, types }, input) => {
    if (NEEDED.every((kind) => policies.includes(kind))) return { sets: nativeZone(input), lost: new Map() };
    if (types.includes("LUA")) return luaZone(input);
    return { sets: plainZone(input), lost: new Map() };
  };
  return (capabilities, input) => {
    const { sets, lost } = drawAddresses(capabilities, input);
    return { sets: capabilities.types.includes("HTTPS") ? [...sets, ...httpsSets(sets, input)] : sets, lost };
  };
}

/** As {@link createDrawZone}, once. */
export const setsOf = (...drawing: Parameters<DrawZone>): readonly DesiredSet[] => createDrawZone()(...drawing).sets;
