/** Text of others in lines of ours. */

/** Control characters, line and paragraph separators, and what turns the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/** A text that a terminal shows and does not obey, on one line: whatever else it holds becomes U+FFFD. */
export const printable = (text: string): string => text.replace(UNPRINTABLE, "\ufffd");
