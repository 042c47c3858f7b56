/** `globalroute join`: makes a Kubernetes cluster a member: an identity that reads there, and its credential and MemberCluster on the hub. */
import { type Command, InvalidArgumentError } from "commander";
import { stringify } from "yaml";
import { SOURCE_KINDS, type SourceKind } from "../../../controller/clusters/cluster-objects.ts";
import type { Joined, JoinRequest, memberCluster as MemberCluster } from "../../../controller/clusters/join-cluster.ts";
import { MEMBER_ACCOUNT, memberObjects } from "../../../controller/clusters/member-objects.ts";
import type { KubeConnection } from "../../../controller/kube/kube-connection.ts";
import { loadCloudRegions } from "../../geo/cloud-regions.ts";
import { parseNetwork } from "../../model/ip.ts";
import { didYouMean } from "../../model/nearest-word.ts";
import { DEFAULT_NAMESPACE, withHub } from "../hub.ts";
import { type Cli, CommandError } from "../io.ts";
import { collect, examples, type OutputFormat, outputOption, parseCidr, parsePath, print } from "../options.ts";
import { withProgress } from "../progress.ts";

interface JoinFlags {
  readonly kubeconfig: string;
  readonly context?: string;
  readonly hubKubeconfig?: string;
  readonly hubContext?: string;
  readonly namespace: string;
  readonly cloud?: string;
  readonly region?: string;
  readonly latitude?: string;
  readonly longitude?: string;
  readonly sources?: readonly SourceKind[];
  readonly server?: string;
  readonly clusterAllow?: readonly string[];
  readonly dryRun?: boolean;
  readonly output: OutputFormat;
}

export function registerJoin(program: Command, { io }: Cli): void {
  const command = program
    .command("join")
    .summary("make a Kubernetes cluster a member")
    .description(
      "make a Kubernetes cluster a member: there an identity that may read the sources and nothing else, on the hub its credential and a MemberCluster; again to renew them",
    )
    .argument("<name>", "of the MemberCluster", parseName)
    .requiredOption("--kubeconfig <file>", "access to the member, with the right to create roles there", parsePath)
    .option("--context <name>", "context of that kubeconfig (default: its current one)")
    .option("--hub-kubeconfig <file>", "access to the hub (default: as kubectl)", parsePath)
    .option("--hub-context <name>", "context of that kubeconfig (default: its current one)")
    .option("--namespace <name>", "where the controller is on the hub, and the identity in the member", DEFAULT_NAMESPACE)
    .option("--cloud <name>", "where the member is: the provider, with --region")
    .option("--region <name>", "the provider's name of the region")
    .option("--latitude <degrees>", "where the member is: north, with --longitude")
    .option("--longitude <degrees>", "east")
    .option("--sources <kinds>", `kinds that are read there, with commas between (default: ${SOURCE_KINDS.join(",")})`, parseSources)
    .option("--server <url>", "the member's API server as the hub reaches it (default: the kubeconfig's)")
    .option("--cluster-allow <cidr>", "local network in which the controller is allowed to reach API servers", collect(parseCidr))
    .option("--dry-run", "print what would be made, and change nothing")
    .addOption(outputOption())
    .action(async (name: string, flags: JoinFlags) => {
      const location = locationOf(flags);
      const { joinCluster, memberCluster, noPlace } = await import("../../../controller/clusters/join-cluster.ts"); // not for a help text
      if (flags.dryRun === true) {
        // Nobody is asked whether the hub knows the place already.
        if (location === undefined) throw new CommandError(1, `${name}: ${noPlace(name)}`);
        io.stdout.write(manifests(name, flags, location, memberCluster));
        return;
      }
      const joined = await withProgress(io, `joining ${name}`, () =>
        withHub(memberFlags(flags), io, (member) =>
          withHub(hubFlags(flags), io, async (hub) =>
            joinCluster(member.api, hub.api, await requestOf(name, flags, location, member.connection)),
          ),
        ),
      );
      if ("refusal" in joined) throw new CommandError(1, `${name}: ${joined.refusal}`);
      tell(name, flags, joined);
    });
  examples(command, [
    "globalroute join eu-west --kubeconfig eu-west.yaml --cloud aws --region eu-west-1",
    "globalroute join on-prem --kubeconfig on-prem.yaml --latitude 53.35 --longitude -6.26 --server https://api.example.org:6443",
    "globalroute join eu-west --kubeconfig eu-west.yaml --cloud aws --region eu-west-1 --dry-run",
  ]);

  function tell(name: string, { namespace, output }: JoinFlags, joined: Exclude<Joined, { refusal: string }>): void {
    print(io, output, { cluster: name, namespace, ...joined }, (it) => [
      `${it.isNew ? "Joined" : "Joined again"}: ${it.cluster}`,
      `In the member: ServiceAccount ${it.namespace}/${MEMBER_ACCOUNT} and its roles`,
      `On the hub: MemberCluster ${it.cluster}, Secret ${it.namespace}/${it.secret}, which the controller renews`,
      `See: kubectl get membercluster ${it.cluster}`,
    ]);
  }
}

const memberFlags = ({ kubeconfig, context }: JoinFlags) => ({ kubeconfig, ...(context === undefined ? {} : { context }) });
const hubFlags = ({ hubKubeconfig, hubContext, namespace }: JoinFlags) => ({
  ...(hubKubeconfig === undefined ? {} : { kubeconfig: hubKubeconfig }),
  ...(hubContext === undefined ? {} : { context: hubContext }),
  namespace,
});

async function requestOf(
  name: string,
  flags: JoinFlags,
  location: JoinRequest["location"],
  connection: KubeConnection,
): Promise<JoinRequest> {
  const { ca } = await connection.credential(false);
  const server = flags.server ?? connection.server;
  // Another address may well answer with another name.
  const serverName = flags.server === undefined ? connection.serverName : undefined;
  return {
    name,
    namespace: flags.namespace,
    ...(location === undefined ? {} : { location }),
    ...(flags.sources === undefined ? {} : { sources: flags.sources }),
    allSources: SOURCE_KINDS,
    server,
    ...(serverName === undefined ? {} : { serverName }),
    ...(ca === undefined ? {} : { ca }),
    allow: (flags.clusterAllow ?? []).flatMap((text) => parseNetwork(text) ?? []),
  };
}

/** For `kubectl apply`, or for whoever has to approve them. */
function manifests(
  name: string,
  { namespace, sources }: JoinFlags,
  location: NonNullable<JoinRequest["location"]>,
  memberCluster: typeof MemberCluster,
): string {
  const documents = [
    ...memberObjects(namespace, sources ?? SOURCE_KINDS).map(({ object }) => ["in the member", object] as const),
    [
      "on the hub, beside a Secret with the credential",
      memberCluster({ name, ...(sources === undefined ? {} : { sources }) }, location, `cluster-${name}`, "kubeconfig"),
    ] as const,
  ];
  return documents.map(([where, object]) => `---\n# ${where}\n${stringify(object)}`).join("");
}

/** @throws CommandError (exit 2) for half a place, two, or a region that is not in the table */
function locationOf({ cloud, region, latitude, longitude }: JoinFlags): JoinRequest["location"] {
  if ((cloud === undefined) !== (region === undefined)) throw new CommandError(2, "--cloud and --region go together. Give both.");
  if ((latitude === undefined) !== (longitude === undefined))
    throw new CommandError(2, "--latitude and --longitude go together. Give both.");
  if (cloud !== undefined && latitude !== undefined)
    throw new CommandError(2, "the place is given twice. Leave out --cloud and --region, or the coordinates.");
  if (latitude !== undefined && longitude !== undefined) {
    for (const text of [latitude, longitude])
      if (!/^-?\d{1,3}(\.\d{1,10})?$/.test(text))
        throw new CommandError(2, `${JSON.stringify(text)} is no number of degrees. Write it as in 53.35 or -6.26.`);
    return { latitude, longitude };
  }
  if (cloud === undefined || region === undefined) return undefined;
  const regions = loadCloudRegions();
  if (regions.find(cloud, region) !== undefined) return { cloud, region };
  const near = regions.suggest(cloud, region);
  const hint = near === undefined ? "" : `Did you mean ${near}? `;
  throw new CommandError(
    2,
    `there is no region ${region} of ${cloud} in the table. ${hint}Coordinates are taken as well: --latitude and --longitude.`,
  );
}

/** As the API server takes it, with room for what is named after it. */
function parseName(text: string): string {
  const label = "[a-z0-9]([a-z0-9-]*[a-z0-9])?";
  if (text.length > 240 || !new RegExp(`^${label}(\\.${label})*$`).test(text))
    throw new InvalidArgumentError("Write small letters, digits, hyphens and dots, a letter or digit first and last.");
  return text;
}

function parseSources(text: string): readonly SourceKind[] {
  return text.split(",").map((word) => {
    const kind = SOURCE_KINDS.find((one) => one.toLowerCase() === word.trim().toLowerCase());
    if (kind !== undefined) return kind;
    throw new InvalidArgumentError(
      `${JSON.stringify(word)} is none. ${didYouMean(word, SOURCE_KINDS)}Known are ${SOURCE_KINDS.join(", ")}.`,
    );
  });
}
