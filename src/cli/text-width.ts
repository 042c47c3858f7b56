/** How much room text takes on a terminal, and how it is brought into less. Pure. */

const segments = new Intl.Segmenter("en", { granularity: "grapheme" });
/** Pictures by themselves, or made into one by U+FE0F. */
const PICTURE = /\p{Emoji_Presentation}|\p{Emoji}\ufe0f/u;
const NOTHING = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** First and last of the blocks that East Asian Width (Unicode UAX 11) counts as two cells: W and F. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f], // Hangul Jamo
  [0x2e80, 0x303e], // CJK radicals and punctuation
  [0x3041, 0xa4cf], // Kana, CJK, Yi
  [0xa960, 0xa97f], // Hangul Jamo Extended-A
  [0xac00, 0xd7a3], // Hangul syllables
  [0xf900, 0xfaff], // CJK compatibility ideographs
  [0xfe30, 0xfe6f], // CJK compatibility and small forms
  [0xff01, 0xff60], // fullwidth forms
  [0xffe0, 0xffe6],
  [0x17000, 0x18cff], // Tangut
  [0x20000, 0x3fffd], // CJK extensions
];

const PLAIN = /^[ -~]*$/;

/** Cells of a terminal: 2 for wide letters and pictures, 0 for marks over another letter. The text has no escape sequences. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let cells = 0;
  for (const { segment } of segments.segment(text)) cells += graphemeWidth(segment);
  return cells;
}

function graphemeWidth(grapheme: string): number {
  if (PLAIN.test(grapheme)) return grapheme.length;
  if (PICTURE.test(grapheme)) return 2;
  if (NOTHING.test(grapheme)) return 0;
  const code = grapheme.codePointAt(0) ?? 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

/** The first cells of a text; a wide letter that does not fit is left out. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let cells = 0;
  let kept = "";
  for (const { segment } of segments.segment(text)) {
    cells += graphemeWidth(segment);
    if (cells > width) break;
    kept += segment;
  }
  return kept;
}

/** One cell at least: the first letter of a text, however wide, is never left for ever. */
function headOf(text: string, width: number): string {
  const head = cutText(text, width);
  if (head !== "") return head;
  for (const { segment } of segments.segment(text)) return segment;
  return text;
}

/**
 * Breaks a text at its spaces; a word that is longer than a line is broken where the line ends. Blanks that begin the text begin every line.
 *
 * @param width cells of a line, 1 or more
 * @returns lines, at least one
 */
export function wrapText(text: string, width: number): readonly string[] {
  if (textWidth(text) <= width) return [text];
  const wanted = /^ */.exec(text)?.[0] ?? "";
  const indent = wanted.length < width ? wanted : "";
  const room = width - indent.length;
  const lines: string[] = [];
  let line = "";
  for (let word of text.slice(wanted.length).split(" ")) {
    if (line !== "" && textWidth(line) + 1 + textWidth(word) <= room) {
      line += ` ${word}`;
      continue;
    }
    if (line !== "") lines.push(line);
    while (textWidth(word) > room) {
      const head = headOf(word, room);
      lines.push(head);
      word = word.slice(head.length);
    }
    line = word;
  }
  if (line !== "" || lines.length === 0) lines.push(line);
  return lines.map((one) => indent + one);
}
