// Reads YAML that people write by hand, strictly: one document, no custom tags, no duplicate keys, no alias bombs; every
// value can be traced back to its line. It knows nothing of what the document means.
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';

/** The text is not acceptable YAML. */
export class YamlRefused extends Error {
  override readonly name = 'YamlRefused';
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

export interface YamlText {
  /** Plain objects, arrays and scalars; undefined for an empty document. */
  readonly value: unknown;
  /** The line (from 1) of the key or item at a path, or of the nearest thing above it that is in the text. */
  lineOf(path: readonly PropertyKey[]): number;
}

const MOST_CHARACTERS = 256 * 1024;
// Resolved aliases, counted as the parser does: a document of a few lines that unfolds to millions of nodes stops here.
const MOST_ALIASES = 100;

/** Throws YamlRefused. */
export function readYaml(text: string): YamlText {
  if (text.length > MOST_CHARACTERS) throw new YamlRefused('the file is larger than 256 KiB', 1);
  const lines = new LineCounter();
  const document = parse(text, lines);
  // An unknown tag is only a warning to the parser, which then takes the bare text.
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const [what] = problem.message.split(/ at line \d+|\n/);
    throw new YamlRefused(what ?? problem.message, lines.linePos(problem.pos[0]).line);
  }
  return {
    value: unfold(document),
    lineOf: (path) => lines.linePos(offsetOf(document.contents, path)).line,
  };
}

function parse(text: string, lines: LineCounter): Document {
  try {
    return parseDocument(text, {
      version: '1.2',
      schema: 'core',
      strict: true,
      uniqueKeys: true,
      stringKeys: true,
      lineCounter: lines,
    });
  } catch (error) {
    // The parser recurses: thousands of nested brackets exhaust the stack.
    throw new YamlRefused(error instanceof RangeError ? 'it is nested too deeply' : String(error), 1);
  }
}

function unfold(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES }) ?? undefined;
  } catch (error) {
    throw new YamlRefused(error instanceof RangeError ? 'it is nested too deeply' : (error as Error).message, 1);
  }
}

function offsetOf(contents: unknown, path: readonly PropertyKey[]): number {
  let node = contents;
  let offset = 0;
  for (const segment of path) {
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find((item) => isScalar(item.key) && item.key.value === segment);
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item = node.items[segment as number] as Node | undefined;
      if (item === undefined) return offset;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else {
      return offset;
    }
  }
  return offset;
}
