// What a decision is bound to: one hash of all that the operator is shown, however its keys are ordered.
import { createHash } from 'node:crypto';

export interface DecidedOn {
  readonly kind: string;
  readonly payload: unknown;
  readonly summary: string;
  readonly details: unknown;
}

export function approvalDigest({ kind, payload, summary, details }: DecidedOn): string {
  const text = canonicalJson({ kind, payload, summary, details: details ?? null });
  return createHash('sha256').update(text).digest('hex');
}

/** JSON without spaces, the keys of every object sorted by their UTF-16 code units, as RFC 8785 has it. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}
