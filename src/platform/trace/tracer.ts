// Spans of this process: one around what is done for a caller, and below it what took its time. Made only where a collector
// is configured; everywhere else there is no tracer and nothing of this runs.
import { AsyncLocalStorage } from 'node:async_hooks';
import { isAppError } from '../errors.ts';
import type { Attributes, Span } from './otlp.ts';
import { newSpanId, newTraceId, type TraceContext } from './trace-context.ts';

export interface TracerOptions {
  /** Share of new traces that are recorded, 0 to 1. Who brings a trace has decided for it. */
  readonly ratio: number;
  readonly add: (span: Span) => void;
}

export class Tracer {
  readonly #options: TracerOptions;
  readonly #current = new AsyncLocalStorage<TraceContext>();

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /** Runs `work` in a span below `parent`, or at the beginning of a new trace. What it throws ends the span as failed. */
  async span<T>(
    facts: { readonly name: string; readonly kind: Span['kind']; readonly attributes: Attributes },
    parent: TraceContext | undefined,
    work: (context: TraceContext) => Promise<T>,
  ): Promise<T> {
    const context: TraceContext = {
      traceId: parent?.traceId ?? newTraceId(),
      spanId: newSpanId(),
      isSampled: parent?.isSampled ?? Math.random() < this.#options.ratio,
    };
    if (!context.isSampled) return this.#current.run(context, () => work(context));
    const startedAt = Date.now();
    const begun = performance.now();
    let error: unknown;
    try {
      return await this.#current.run(context, () => work(context));
    } catch (thrown) {
      error = thrown;
      throw thrown;
    } finally {
      this.#options.add({
        ...facts,
        attributes: { ...facts.attributes, ...errorAttributes(error) },
        traceId: context.traceId,
        spanId: context.spanId,
        parentSpanId: parent?.spanId,
        startedAt,
        // The clock of the machine may be set meanwhile; how long it took is measured.
        endedAt: startedAt + performance.now() - begun,
        error: errorWords(error),
      });
    }
  }

  /** A span that ends now, below the one under way; without one nothing is recorded. */
  note(name: string, kind: Span['kind'], begunAt: number, attributes: Attributes, hasFailed = false): void {
    const parent = this.#current.getStore();
    if (parent === undefined || !parent.isSampled) return;
    const endedAt = Date.now();
    this.#options.add({
      name,
      kind,
      attributes,
      traceId: parent.traceId,
      spanId: newSpanId(),
      parentSpanId: parent.spanId,
      startedAt: endedAt - (performance.now() - begunAt),
      endedAt,
      error: hasFailed ? 'failed' : undefined,
    });
  }

  /** A span that others told of, with times and ids of its own. */
  record(span: Span): void {
    this.#options.add(span);
  }
}

// A refusal is an answer: the span says which, and counts as failed only when the fault is ours.
function errorAttributes(error: unknown): Attributes {
  if (error === undefined) return {};
  if (!isAppError(error)) return { 'error.type': 'internal' };
  return { 'error.type': error.code, 'http.response.status_code': error.status };
}

function errorWords(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (!isAppError(error)) return 'internal';
  return error.status >= 500 ? error.message : undefined;
}
