// Commands that only the CLI has, because they concern this machine: starting, stopping, looking at logs.
import type { z } from 'zod';
import type { CliWords } from '../../platform/operation.ts';
import type { Colours } from './colours.ts';

export interface Output {
  /** Data, for pipes. With `json` it is one JSON document, which then takes the form that was asked for. */
  out(text: string): void;
  /** Talk, for people. */
  say(text: string): void;
  readonly json: boolean;
  /** How tables and pictures are to look where this goes. */
  readonly look: { readonly width: number | undefined; readonly colours: Colours };
}

export interface LocalWords extends CliWords {
  /** One-letter names of options, by field. */
  readonly short?: Readonly<Record<string, string>>;
  /** Lists of which each option gives one item, commas and all. */
  readonly repeated?: readonly string[];
}

export interface LocalOperation<I extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly kind: 'local';
  /** Options and positional arguments; described by `.describe`. */
  readonly input: I;
  readonly cli: LocalWords;
  /** Answers the exit code. Loads what it needs when it runs, so that other commands start fast. */
  run(input: z.output<I>, output: Output): Promise<number>;
}

export function localOperation<I extends z.ZodObject>(declared: Omit<LocalOperation<I>, 'kind'>): LocalOperation<I> {
  return { kind: 'local', ...declared };
}

export type AnyLocalOperation = Omit<LocalOperation, 'run'> & {
  run(input: never, output: Output): Promise<number>;
};
