/** What must hold for every answer to every packet, however malformed. Reads bytes only; knows nothing of zones. */
import { decode } from "dns-packet";
import { type DecodedMessage, decodeMessage } from "../../src/dns/wire/decode-message.ts";

/** Largest UDP answers: to a sender without EDNS (RFC 1035 §4.2.1), and to anybody (RFC 9715 §3.1). */
const PLAIN_UDP = 512;
const MAX_UDP = 1232;
const MAX_TTL = 0x7fff_ffff;
const CLIENT_SUBNET = 8;
const COOKIE = 10;
const TSIG = 250;
/** Its sender may have been answered before the OPT was reached. */
const FORMERR = 1;

/**
 * @param query  the packet
 * @param length bytes of it that count
 * @param answer what was sent
 * @returns the first thing that is wrong, or undefined
 */
export function checkAnswer(query: Uint8Array, length: number, answer: Uint8Array, isUdp: boolean): string | undefined {
  if (answer.length < 12) return "shorter than a header";
  if (answer[0] !== query[0] || answer[1] !== query[1]) return "another ID";
  if ((answer[2]! & 0x80) === 0) return "no response";
  if (((answer[2]! ^ query[2]!) & 0x79) !== 0) return "another OPCODE or RD";
  if ((answer[3]! & 0xe0) !== 0) return "RA, Z or AD set";
  if (!isUdp && (answer[2]! & 0x02) !== 0) return "truncated over TCP";
  const decoded = decodeMessage(answer);
  if (decoded === undefined) return "does not decode";
  return checkQuestion(query, length, answer, decoded) ?? checkRecords(decoded) ?? checkEdns(query, length, decoded, isUdp, answer.length);
}

/** The question comes back byte for byte, 0x20 and all, or not at all. */
function checkQuestion(query: Uint8Array, length: number, answer: Uint8Array, { questions }: DecodedMessage): string | undefined {
  if (questions.length > 1) return "several questions";
  if (questions.length === 0) return undefined;
  let end = 12;
  while (answer[end] !== 0) end += answer[end]! + 1;
  end += 5;
  if (end > length) return "a longer question than was asked";
  for (let i = 12; i < end; i++) if (answer[i] !== query[i]) return `another question, from byte ${i} on`;
  return undefined;
}

function checkRecords({ rcode, questions, answers, authorities, additionals, flags }: DecodedMessage): string | undefined {
  const name = questions[0]?.name;
  const all = [...answers, ...authorities, ...additionals];
  if (all.some(({ ttl, type }) => ttl > MAX_TTL && type !== TSIG)) return "a TTL above 2^31 - 1 (RFC 2181 §8)";
  if (answers.some((one) => one.name !== name)) return "an answer for another name";
  if (rcode !== 0 && answers.length > 0) return `RCODE ${rcode} with answers`;
  if (rcode !== 0 && rcode !== 3 && (authorities.length > 0 || (flags & 0x0400) !== 0)) return `RCODE ${rcode} with authority`;
  if ((flags & 0x0200) !== 0 && all.some(({ type }) => type !== TSIG)) return "TC with records";
  if (new Set(all.map((one) => `${one.name}/${one.type}/${one.data}`)).size < all.length) return "a record twice";
  return undefined;
}

function checkEdns(query: Uint8Array, length: number, answer: DecodedMessage, isUdp: boolean, size: number): string | undefined {
  const codes = answer.edns?.options.map(({ code }) => code) ?? [];
  if (new Set(codes).size < codes.length) return "an option twice";
  // A transaction signature that says what is wrong is never left out (RFC 8945 §5.3), and its key's name alone may have 255 bytes.
  const room = answer.additionals.reduce((sum, { type, name, rdata }) => (type === TSIG ? sum + name.length + rdata.length + 12 : sum), 0);
  if (isUdp && size - room > (answer.edns === undefined ? PLAIN_UDP : MAX_UDP)) return `${size} bytes over UDP`;
  const asked = decodeMessage(query.subarray(0, length));
  if (asked === undefined) return undefined;
  if (answer.edns !== undefined && asked.edns === undefined) return "EDNS for a sender without it";
  if (asked.edns === undefined) return undefined;
  if (answer.edns === undefined) return answer.rcode === FORMERR || answer.opcode !== 0 ? undefined : "no EDNS for a sender with it";
  if (isUdp && size - room > Math.max(PLAIN_UDP, Math.min(asked.edns.udpSize, MAX_UDP)))
    return `${size} bytes for a sender that takes ${asked.edns.udpSize}`;
  if (answer.edns.version !== 0) return "another EDNS version";
  if (answer.edns.dnssecOk !== asked.edns.dnssecOk && answer.rcode !== FORMERR) return "DO is not copied (RFC 3225 §3)";
  return checkCookie(asked, answer) ?? checkSubnet(asked, answer);
}

/** The client's half comes back as it was, with ours behind it, and only to who sent one (RFC 7873 §5.2). */
function checkCookie(asked: DecodedMessage, answer: DecodedMessage): string | undefined {
  const told = answer.edns?.options.find(({ code }) => code === COOKIE)?.data;
  if (told === undefined) return undefined;
  const sent = asked.edns?.options.find(({ code }) => code === COOKIE)?.data;
  if (sent === undefined) return "a cookie for who sent none";
  return told.length === 24 && told.subarray(0, 8).every((byte, i) => byte === sent[i]) ? undefined : "another client cookie";
}

/** FAMILY, SOURCE PREFIX-LENGTH and ADDRESS come back as they were (RFC 7871 §7.2.1), and no option for who sent none. */
function checkSubnet(asked: DecodedMessage, answer: DecodedMessage): string | undefined {
  const told = answer.edns?.clientSubnet;
  const sent = asked.edns?.clientSubnet;
  if (told === undefined) return sent !== undefined && answer.rcode === 0 && answer.opcode === 0 ? "no client subnet" : undefined;
  if (sent === undefined) return "a client subnet for who sent none";
  if (told.family !== sent.family || told.source !== sent.source || told.address.some((byte, i) => byte !== sent.address[i]))
    return "another client subnet";
  if (sent.source === 0 && told.scope !== 0) return "a scope for source 0";
  if (told.scope > (told.family === 1 ? 32 : 128)) return "a scope longer than an address";
  const isWhole = (answer.flags & 0x0200) === 0;
  return isWhole && answer.answers.length === 0 && told.scope !== 0 ? "a scope for a negative answer (RFC 7871 §7.4)" : undefined;
}

/** What an unrelated decoder makes of an answer. @returns the first disagreement with ours */
export function checkByPeer(answer: Uint8Array): string | undefined {
  const ours = decodeMessage(answer)!;
  let theirs: ReturnType<typeof decode>;
  try {
    theirs = decode(Buffer.from(answer));
  } catch (error) {
    return `dns-packet does not decode it: ${String(error)}`;
  }
  const hasOpt = ours.edns === undefined ? 0 : 1;
  const counts = [theirs.questions?.length, theirs.answers?.length, theirs.authorities?.length, theirs.additionals?.length];
  const expected = [ours.questions.length, ours.answers.length, ours.authorities.length, ours.additionals.length + hasOpt];
  if (counts.some((count, i) => (count ?? 0) !== expected[i])) return `dns-packet counts ${counts.join()} records, we ${expected.join()}`;
  const opt = theirs.additionals?.find(({ type }) => type === "OPT");
  if (opt !== undefined && opt.type === "OPT" && opt.options.length !== ours.edns?.options.length) return "dns-packet counts other options";
  const scope = opt?.type === "OPT" ? opt.options.find((option) => option.code === CLIENT_SUBNET) : undefined;
  if (scope !== undefined && "scopePrefixLength" in scope && scope.scopePrefixLength !== ours.edns?.clientSubnet?.scope)
    return "dns-packet reads another scope";
  return undefined;
}
