/** `globalroute controller`: one replica that serves and reconciles the objects of Kubernetes clusters. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { SOURCE_KINDS, type SourceKind } from "../../../controller/clusters/cluster-objects.ts";
import type { ListenAddress } from "../../model/listen-address.ts";
import type { Milliseconds } from "../../model/units.ts";
import type { Cli } from "../io.ts";
import { collect, examples, parseCidr, parseListenAddress, parsePath, parsePeriod } from "../options.ts";
import { addServerOptions, runServer, type ServerFlags, serverLog, serverOptions } from "../server-options.ts";

interface ControllerFlags extends ServerFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly clusterAllow?: readonly string[];
  readonly sources?: readonly SourceKind[];
  readonly peerListen?: ListenAddress;
  readonly peerSecret?: string;
  readonly peerService?: string;
  readonly vantageSecret: string;
  readonly terminationDrain?: Milliseconds;
}

export function registerController(program: Command, { io, exit }: Cli): void {
  const command = program
    .command("controller")
    .summary("serve the objects of Kubernetes clusters")
    .description("serve the objects of a Kubernetes cluster and the Ingresses, Gateways and Services of its member clusters")
    .option("--kubeconfig <file>", "access to the cluster that holds the objects (default: the one that this runs in)", parsePath)
    .option("--context <name>", "context of the kubeconfig (default: its current one)")
    .option("--namespace <name>", "where Secrets of member clusters and the writer's Lease are (default: the pod's own)")
    .option(
      "--cluster-allow <cidr>",
      "network of API servers of member clusters that is reached although it is loopback or link-local; may be given several times",
      collect(parseCidr),
    )
    .addOption(
      new Option("--sources <kinds>", "kinds that are read in member clusters, with commas between them")
        .argParser(parseKinds)
        .default(SOURCE_KINDS, "all"),
    )
    .option(
      "--peer-listen <addr:port>",
      "where other replicas and vantages connect (default: nowhere, as the only replica)",
      parseListenAddress,
    )
    .option("--peer-secret <file>", "what replicas prove themselves with: 32 characters or more", parsePath)
    .option("--peer-service <name>", "headless Service of all replicas, in the namespace: how they find each other")
    .addOption(
      new Option("--vantage-secret <name>", "Secret in the namespace that holds the credential of each vantage").default(
        "globalroute-vantages",
      ),
    )
    .option("--termination-drain <duration>", "how long to go on answering after readiness is taken back, such as 15s", parsePeriod)
    .action(async (flags: ControllerFlags) => {
      const log = serverLog(flags, io);
      const { startController } = await import("../controller-service.ts"); // the whole engine: not needed to print a help text
      const { kubeconfig, context, namespace, peerListen, peerSecret, peerService, terminationDrain } = flags;
      const options = {
        ...serverOptions(flags, io, log),
        ...(kubeconfig === undefined ? {} : { kubeconfig }),
        ...(context === undefined ? {} : { context }),
        ...(namespace === undefined ? {} : { namespace }),
        instance: io.env.POD_NAME || hostname(),
        incarnation: randomBytes(4).toString("hex"),
        clusterAllow: flags.clusterAllow ?? [],
        sources: flags.sources ?? SOURCE_KINDS,
        ...(peerListen === undefined ? {} : { peerListen }),
        ...(peerSecret === undefined ? {} : { peerSecret }),
        ...(peerService === undefined ? {} : { peerService }),
        vantageSecret: flags.vantageSecret,
        ...(terminationDrain === undefined ? {} : { terminationDrain }),
      };
      exit(await runServer(() => startController(options, io, log), io, log));
    });
  addServerOptions(command);
  examples(command, [
    "globalroute controller                                            in a pod, as the chart runs it",
    "globalroute controller --kubeconfig hub.yaml --namespace globalroute-system --listen 192.0.2.53:53",
  ]);
}

function parseKinds(text: string): readonly SourceKind[] {
  const names = text.split(",").map((name) => name.trim());
  const kinds = SOURCE_KINDS.filter((kind) => names.includes(kind));
  const unknown = names.find((name) => !SOURCE_KINDS.some((kind) => kind === name));
  if (unknown !== undefined || kinds.length === 0) throw new InvalidArgumentError(`Write some of ${SOURCE_KINDS.join(",")}.`);
  return kinds;
}
