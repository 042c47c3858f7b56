/** A client that asks the same question again and again, as a resolver's users would, and remembers every answer. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { decode, encode, RECURSION_DESIRED } from "dns-packet";

export interface Sample {
  /** When the question left, ms on this process's monotonic clock. */
  readonly asked: number;
  readonly rcode: string;
  /** Addresses, sorted. */
  readonly addresses: readonly string[];
}

export interface AnswerWatch {
  /** Answered questions, in the order in which they were asked. */
  samples(): readonly Sample[];
  /** Waits for the first sample that the condition holds for. @throws after `timeout` ms */
  until(condition: (sample: Sample) => boolean, timeout: number): Promise<Sample>;
  /** How many questions were asked more than a second ago and never answered. */
  lost(): number;
  /** Stops asking; may be called twice. */
  close(): void;
}

/**
 * @param subnet of the client, such as `91.64.0.0/16`; undefined to say nothing of it
 * @param interval ms between two questions
 */
export async function watchAnswers(port: number, name: string, subnet: string | undefined, interval: number): Promise<AnswerWatch> {
  const [ip = "", length] = subnet?.split("/") ?? [];
  const socket = createSocket("udp4");
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  const asked = new Map<number, number>();
  const samples: Sample[] = [];
  const listeners = new Set<(sample: Sample) => void>();
  let id = 0;
  let open = true;

  const ask = (): void => {
    id = (id + 1) & 0xffff;
    asked.set(id, performance.now());
    const question = encode({
      type: "query",
      id,
      flags: RECURSION_DESIRED,
      questions: [{ type: "A", name }],
      additionals: [
        {
          type: "OPT",
          name: ".",
          udpPayloadSize: 1232,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: length === undefined ? [] : [{ code: 8, ip, sourcePrefixLength: Number(length) }],
        },
      ],
    });
    socket.send(question);
  };
  socket.on("error", () => {}); // a refused port shows as unanswered questions
  socket.on("message", (bytes) => {
    const message = decode(bytes);
    const at = asked.get(message.id ?? -1);
    if (at === undefined) return;
    asked.delete(message.id ?? -1);
    const addresses = (message.answers ?? []).flatMap((answer) => (answer.type === "A" ? [answer.data] : [])).sort();
    const sample: Sample = { asked: at, rcode: "rcode" in message ? String(message.rcode) : "", addresses };
    samples.push(sample);
    for (const listener of listeners) listener(sample);
  });
  ask();
  const timer = setInterval(ask, interval);

  return {
    samples: () => samples.toSorted((a, b) => a.asked - b.asked),
    until(condition, timeout) {
      return new Promise((resolve, reject) => {
        const deadline = setTimeout(() => {
          listeners.delete(look);
          reject(new Error(`no such answer within ${timeout} ms; the last were ${JSON.stringify(samples.slice(-3))}`));
        }, timeout);
        const look = (sample: Sample): void => {
          if (!condition(sample)) return;
          clearTimeout(deadline);
          listeners.delete(look);
          resolve(sample);
        };
        listeners.add(look);
      });
    },
    lost() {
      const old = performance.now() - 1_000;
      return [...asked.values()].filter((at) => at < old).length;
    },
    close() {
      clearInterval(timer);
      if (open) socket.close();
      open = false;
    },
  };
}
