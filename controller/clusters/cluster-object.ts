/** The MemberCluster that is made for a cluster which a Secret announces. Pure. */
import { API_GROUP, API_VERSION } from "../../src/model/kinds.ts";
import type { KubeObject } from "../kube/kube-object.ts";
import type { DiscoveredCluster } from "./discovered.ts";

/** Where a cluster is taken to be whose Secret does not say it: nowhere, so that its owner is told to. */
export const clusterObject = ({ name, secret, labels, location }: DiscoveredCluster): KubeObject => ({
  apiVersion: `${API_GROUP}/${API_VERSION}`,
  kind: "MemberCluster",
  metadata: { name, labels },
  spec: { location, access: { secretRef: secret } },
});
