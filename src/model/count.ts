/** `1 file`, `2 files`. @param nouns for words whose plural takes more than an s: `entries` */
export const count = (amount: number, noun: string, nouns = `${noun}s`): string => `${amount} ${amount === 1 ? noun : nouns}`;
