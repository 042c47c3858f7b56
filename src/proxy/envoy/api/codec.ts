/** Messages of Envoy's API as bytes. Equal values give equal bytes: fields are written in the order of their numbers, and no map of ours has two entries. */
import { readFileSync } from "node:fs";
import protobuf from "protobufjs/light.js";
import type { Any, EnvoyMessages } from "./envoy-api.ts";

export type MessageName = keyof EnvoyMessages;

/** Reads envoy-api.json, which lies beside this file in a checkout and in a package alike. */
const loadTypes = (): protobuf.Root =>
  protobuf.Root.fromJSON(JSON.parse(readFileSync(new URL("./envoy-api.json", import.meta.url), "utf8")));

let types: protobuf.Root | undefined; // protobufjs compiles each type once, at its first use
function typeOf(name: MessageName): protobuf.Type {
  types ??= loadTypes();
  return types.lookupType(name);
}

export function encode<N extends MessageName>(name: N, message: EnvoyMessages[N]): Uint8Array {
  const type = typeOf(name);
  return type.encode(type.fromObject(message)).finish();
}

/**
 * @returns the message; strings and lists that it lacks are empty, messages that it lacks are absent
 * @throws when the bytes are no such message
 */
export function decode<N extends MessageName>(name: N, bytes: Uint8Array): EnvoyMessages[N] {
  const type = typeOf(name);
  return type.toObject(type.decode(bytes), { enums: String, longs: Number, arrays: true, objects: true }) as EnvoyMessages[N];
}

/** A message inside a field that takes any message. */
export const any = <N extends MessageName>(name: N, message: EnvoyMessages[N]): Any => ({
  typeUrl: typeUrl(name),
  value: encode(name, message),
});

/** How resources and extensions name their type on the wire. */
export const typeUrl = (name: MessageName): string => `type.googleapis.com/${name}`;
