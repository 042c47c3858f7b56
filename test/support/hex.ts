/** Commented hex to bytes: `0008 0007 0001 18 00 c00002  # CLIENT-SUBNET 192.0.2.0/24`; `#` begins a comment, white space is free. */
export function hex(text: string): Uint8Array {
  const digits = text.replaceAll(/#.*$/gm, "").replaceAll(/[\s|]/g, "");
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`not pairs of hex digits: ${digits}`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
