/** Do all servers send the same clients to the same place? Asked before anything is measured. */
import { decode } from "dns-packet";
import { openUdp } from "../../test/support/dns-client.ts";

/** Questions under way at a time. */
const ABREAST = 50;

export interface AnswerMix {
  readonly asked: number;
  /** Questions with another answer than expected, or with none. */
  readonly different: number;
  /** One of them, in words. */
  readonly example?: string;
}

export interface Question {
  /** With an id that no other has. */
  readonly message: Uint8Array;
  /** The one address of the answer. */
  readonly expected: string;
}

/** @param port on 127.0.0.1 */
export async function checkAnswers(port: number, questions: readonly Question[]): Promise<AnswerMix> {
  const client = await openUdp({ address: "127.0.0.1", port });
  const faults: string[] = [];
  try {
    for (let from = 0; from < questions.length; from += ABREAST) {
      const batch = questions.slice(from, from + ABREAST).map(async ({ message, expected }) => {
        const got = await client.ask(message).then(addressesOf, () => "nothing");
        if (got !== expected) faults.push(`${describe(message)}: ${got} instead of ${expected}`);
      });
      await Promise.all(batch);
    }
  } finally {
    client.close();
  }
  return { asked: questions.length, different: faults.length, ...(faults[0] !== undefined && { example: faults[0] }) };
}

function addressesOf(answer: Uint8Array): string {
  const { answers = [] } = decode(Buffer.from(answer));
  return answers.map((record) => (record.type === "A" ? record.data : record.type)).join(" ");
}

function describe(message: Uint8Array): string {
  const { questions = [] } = decode(Buffer.from(message));
  return `${questions[0]?.name} (query ${Buffer.from(message).toString("hex")})`;
}
