/** Headers by which Envoy's listener tells its routes whose request it is. Pure. */
import type { ClientClass } from "../client-classes.ts";
import { any, typeUrl } from "./api/codec.ts";
import type { HttpFilter } from "./api/envoy-api.ts";
import { encodeTags } from "./tag-networks.ts";

/** Has the name of the class that a client's address is in; Envoy's filter of that name gives no other choice. */
export const CLASS_HEADER = "x-envoy-ip-tags";
/** Has the client's address, IPv6 cut to /48: `192.0.2.1/32`, `2001:db8:1::/48`. Endpoints of sticky routes see it, too. */
export const SUBNET_HEADER = "x-globalroute-subnet";

/** @param classes that routes tell apart */
export const clientFilters = (classes: readonly ClientClass[]): readonly HttpFilter[] => [
  ownHeaders(),
  ...(classes.length === 0 ? [] : [classTags(classes)]),
];

/** Whatever a client sent as our headers is gone, before anybody looks at them: by them it would choose its rules. */
const ownHeaders = (): HttpFilter => ({
  name: "envoy.filters.http.header_mutation",
  typedConfig: any("envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", {
    mutations: {
      requestMutations: [
        { remove: CLASS_HEADER },
        {
          append: {
            header: { key: SUBNET_HEADER, value: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(48)%" },
            appendAction: "OVERWRITE_IF_EXISTS_OR_ADD",
          },
        },
      ],
    },
  }),
});

const classTags = (classes: readonly ClientClass[]): HttpFilter => ({
  name: "envoy.filters.http.ip_tagging",
  typedConfig: { typeUrl: typeUrl("envoy.extensions.filters.http.ip_tagging.v3.IPTagging"), value: encodeTags(classes) },
});
