// The mechanism of settings: one value states a setting's meaning, shape, example and every place it may come from. The
// settings themselves are declared in src/config/settings.ts.
import type { z } from 'zod';

export interface Setting<S extends z.ZodType = z.ZodType> {
  /** Described by `.describe`, with `examples` in its meta. */
  readonly schema: S;
  /** The variable of the environment that gives it. */
  readonly environment: string;
  /** False where a command line would show it to every user of the machine. */
  readonly flag: boolean;
  /** Whether quarterdeck.yaml may give it. */
  readonly manifest: boolean;
  /** Its value is never shown. */
  readonly secret: boolean;
  /** What holds when nobody gives it; undefined: it is absent then. */
  readonly fallback?: (() => z.output<S>) | undefined;
  /** The fallback in words, where it depends on the machine. */
  readonly fallbackWords?: string;
  /** Turns the text of a variable into what the schema checks. */
  fromText(text: string): unknown;
}

type Declaration<S extends z.ZodType> = Pick<Setting<S>, 'schema' | 'environment'> &
  Partial<Omit<Setting<S>, 'schema' | 'environment'>>;

export function setting<S extends z.ZodType>(declared: Declaration<S>): Setting<S> {
  return { flag: true, manifest: true, secret: false, fromText: (text) => text, ...declared };
}

/** Where a value came from: shown to whoever asks why it is what it is. */
export type Origin = { readonly from: 'flag' | 'environment' | 'manifest' | 'default'; readonly place: string };

/** `12` becomes a number; anything else stays text, which the schema then refuses by name. */
export function integerFromText(text: string): unknown {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

/** `0.5` becomes a number; anything else stays text. */
export function numberFromText(text: string): unknown {
  return /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : text;
}

export function switchFromText(text: string): unknown {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  return text;
}
