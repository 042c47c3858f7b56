/** botocore, AWS's own client for Python, as a process that makes the calls it is told and says what it saw. It knows nothing of us. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { builtCommand } from "../../component.ts";
import { EMULATOR_CREDENTIAL } from "./server.ts";

/** What botocore raises. */
export interface BotoError {
  /** Such as `NoSuchHostedZone`. */
  readonly code: string;
  readonly message: string;
  /** Of HTTP; undefined when there was no answer. */
  readonly status?: number;
}

export type BotoOutcome = { readonly result: Answered } | { readonly error: BotoError };

export interface BotoSettings {
  readonly url: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly sessionToken?: string;
  /** All in all; 1 = it never tries again. */
  readonly attempts?: number;
}

export interface Boto {
  /** @param operation in Python's spelling, such as `list_hosted_zones`. @returns its answer without what is of HTTP, or its error */
  attempt(operation: string, parameters?: object, how?: "call" | "pages" | "wait", service?: "route53" | "sts"): Promise<BotoOutcome>;
  /** @throws Error that names what botocore raised */
  call(operation: string, parameters?: object): Promise<Answered>;
  /** All pages of botocore's own paginator. */
  pages(operation: string, parameters?: object): Promise<readonly Answered[]>;
  /** Until botocore's own waiter is content: it looks again at once, up to sixty times. */
  wait(waiter: string, parameters: object): Promise<void>;
  /** @returns what it raised. @throws when it did not */
  refusal(operation: string, parameters?: object): Promise<BotoError>;
  stop(): Promise<void>;
}

/** What answers hold, by operation, as far as tests look into them; the rest they compare whole. */
export interface Answered {
  readonly HostedZone: ZoneAnswer;
  readonly HostedZones: readonly ZoneAnswer[];
  readonly HostedZoneCount: number;
  readonly NextDNSName: string;
  readonly NextHostedZoneId: string;
  readonly DelegationSet: { readonly Id: string; readonly NameServers: readonly string[] };
  readonly ChangeInfo: { readonly Id: string; readonly Status: string; readonly SubmittedAt: string };
  readonly ResourceRecordSets: readonly SetAnswer[];
  readonly Location: string;
  readonly HealthCheck: HealthCheckAnswer;
  readonly HealthChecks: readonly HealthCheckAnswer[];
  readonly HealthCheckObservations: readonly [{ readonly StatusReport: { readonly Status: string } }];
  readonly ResourceTagSet: { readonly Tags: readonly object[] };
  readonly ResourceTagSets: readonly object[];
  readonly Collection: { readonly Id: string };
  readonly CidrCollections: readonly object[];
  readonly CidrLocations: readonly object[];
  readonly CidrBlocks: readonly object[];
  readonly Credentials: {
    readonly AccessKeyId: string;
    readonly SecretAccessKey: string;
    readonly SessionToken: string;
    readonly Expiration: string;
  };
  readonly AssumedRoleUser: { readonly Arn: string };
  /** Of botocore's paginators. */
  readonly pages: readonly Answered[];
}

export interface ZoneAnswer {
  readonly Id: string;
  readonly Name: string;
  readonly Config: { readonly PrivateZone: boolean };
}

export interface SetAnswer {
  readonly Name: string;
  readonly Type: string;
  readonly TTL: number;
  readonly ResourceRecords: readonly { readonly Value: string }[];
}

export interface HealthCheckAnswer {
  readonly Id: string;
  readonly HealthCheckConfig: object;
}

const PROGRAM = `
import json, sys
import boto3, botocore.exceptions
from botocore.config import Config

settings = json.loads(sys.stdin.readline())
config = Config(retries={"total_max_attempts": settings["attempts"], "mode": "standard"}, read_timeout=20)
session = boto3.session.Session(
    aws_access_key_id=settings["accessKeyId"],
    aws_secret_access_key=settings["secretAccessKey"],
    aws_session_token=settings.get("sessionToken"),
    region_name="us-east-1",
)
clients = {}
for line in sys.stdin:
    call = json.loads(line)
    service = call["service"]
    try:
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=settings["url"], config=config)
        client = clients[service]
        if call["how"] == "pages":
            result = {"pages": list(client.get_paginator(call["operation"]).paginate(**call["parameters"]))}
        elif call["how"] == "wait":
            result = client.get_waiter(call["operation"]).wait(WaiterConfig={"Delay": 0, "MaxAttempts": 60}, **call["parameters"])
        else:
            result = getattr(client, call["operation"])(**call["parameters"])
        for page in (result or {}).get("pages", [result or {}]):
            page.pop("ResponseMetadata", None)
        outcome = {"result": result}
    except botocore.exceptions.ClientError as error:
        told = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        outcome = {"error": {"code": told.get("Code", ""), "message": told.get("Message", ""), "status": status}}
    except Exception as error:
        outcome = {"error": {"code": type(error).__name__, "message": str(error)}}
    print(json.dumps(outcome, default=lambda value: value.isoformat()), flush=True)
`;

export function startBoto(settings: BotoSettings): Boto {
  const child = spawn(builtCommand("aws-python"), ["-c", PROGRAM], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stdin.write(`${JSON.stringify({ ...EMULATOR_CREDENTIAL, attempts: 1, ...settings })}\n`);
  /** One call at a time: answers come in the order of questions. */
  let last: Promise<unknown> = Promise.resolve();

  const attempt: Boto["attempt"] = (operation, parameters = {}, how = "call", service = "route53") => {
    const turn = last.then(async () => {
      child.stdin.write(`${JSON.stringify({ service, operation, parameters, how })}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`Python ended during ${operation}`);
      return JSON.parse(value) as BotoOutcome;
    });
    last = turn.catch(() => undefined);
    return turn;
  };
  const resultOf = async (operation: string, parameters: object | undefined, how: "call" | "pages" | "wait"): Promise<Answered> => {
    const outcome = await attempt(operation, parameters, how);
    if ("error" in outcome) throw new Error(`${operation}: ${outcome.error.code}: ${outcome.error.message}`);
    return outcome.result;
  };
  return {
    attempt,
    call: (operation, parameters) => resultOf(operation, parameters, "call"),
    pages: async (operation, parameters) => (await resultOf(operation, parameters, "pages")).pages,
    async wait(waiter, parameters) {
      await resultOf(waiter, parameters, "wait");
    },
    async refusal(operation, parameters) {
      const outcome = await attempt(operation, parameters);
      if ("error" in outcome) return outcome.error;
      throw new Error(`${operation} was not refused: ${JSON.stringify(outcome.result)}`);
    },
    async stop() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}
