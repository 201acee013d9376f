// A command line as far as it was typed, taken apart as a shell would: quotes and backslashes, nothing more.

/** The words of it; the last is the one under the cursor, empty behind a blank. */
export function splitLine(line: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote: string | undefined;
  let isOpen = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else if (char === '\\' && quote === '"' && i + 1 < line.length) word += line[++i];
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      isOpen = true;
    } else if (char === '\\' && i + 1 < line.length) {
      word += line[++i];
      isOpen = true;
    } else if (/\s/.test(char)) {
      if (word !== '' || isOpen) words.push(word);
      word = '';
      isOpen = false;
    } else {
      word += char;
    }
  }
  return [...words, word];
}
