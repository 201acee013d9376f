// Sends spans to a collector by OTLP over HTTP. Nobody waits for it: spans go into a queue of bounded length, and what a
// collector that is away, slow or senseless does not take is dropped and counted.
import { setTimeout as delay } from 'node:timers/promises';
import { announce } from '../signals.ts';
import { type Attributes, encodeSpans, type Span } from './otlp.ts';

export interface ExporterOptions {
  /** The base address of the collector, as OTEL_EXPORTER_OTLP_ENDPOINT names it; `/v1/traces` is added. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Attributes;
  readonly version: string;
  /** Told when spans were dropped, at most once a minute, with how many since the last time. */
  readonly failed: (dropped: number, why: string) => void;
  /** For one try; five seconds unless stated. */
  readonly limitMs?: number;
  /** Before the second try, doubled before the third; one second unless stated. */
  readonly pauseMs?: number;
}

export interface ExportCounts {
  readonly exported: number;
  readonly dropped: number;
}

const QUEUE = 4_096;
const BATCH = 512;
const GATHER_MS = 1_000;
const LIMIT_MS = 5_000;
const PAUSE_MS = 1_000;
const TRIES = 3;
const LAST_BATCH_MS = 1_000;
const TELL_EVERY_MS = 60_000;
/** https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const RETRYABLE = new Set([429, 502, 503, 504]);

export class SpanExporter {
  readonly #options: ExporterOptions;
  readonly #url: string;
  readonly #stopping = new AbortController();
  #queue: Span[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #exported = 0;
  #dropped = 0;
  #untold = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(options: ExporterOptions) {
    this.#options = options;
    this.#url = `${options.endpoint.replace(/\/+$/, '')}/v1/traces`;
  }

  get counts(): ExportCounts {
    return { exported: this.#exported, dropped: this.#dropped };
  }

  add(span: Span): void {
    if (this.#queue.length >= QUEUE || this.#stopping.signal.aborted) {
      this.#drop(1, 'the collector takes spans more slowly than they come');
      return;
    }
    this.#queue.push(span);
    if (this.#queue.length >= BATCH) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), GATHER_MS).unref();
  }

  /** Sends what is left, once and not for long. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopping.abort();
    await this.#sending;
    const last = this.#queue.splice(0, BATCH);
    this.#drop(this.#queue.splice(0).length, 'the process ends');
    if (last.length > 0) await this.#deliver(last, 1, AbortSignal.timeout(LAST_BATCH_MS));
  }

  // One batch at a time, so that a slow collector is not flooded.
  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0 && !this.#stopping.signal.aborted) {
      await this.#deliver(this.#queue.splice(0, BATCH), TRIES);
    }
  }

  // `last`: the limit of the one try at the end; all others end when the end begins.
  async #deliver(spans: readonly Span[], tries: number, last?: AbortSignal): Promise<void> {
    const { resource, version, pauseMs = PAUSE_MS, limitMs = LIMIT_MS } = this.#options;
    const body = encodeSpans(spans, resource, version);
    for (let attempt = 1; ; attempt++) {
      const limit = last ?? AbortSignal.any([AbortSignal.timeout(limitMs), this.#stopping.signal]);
      const outcome = await this.#tryOnce(body, limit);
      if (outcome === 'taken') {
        this.#exported += spans.length;
        announce('trace.exported', spans.length);
        return;
      }
      if (outcome.again && last === undefined && this.#stopping.signal.aborted) {
        this.#queue.unshift(...spans);
        return;
      }
      if (!outcome.again || attempt >= tries) {
        this.#drop(spans.length, outcome.why);
        return;
      }
      await delay(pauseMs * 2 ** (attempt - 1), undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  async #tryOnce(
    body: string,
    signal: AbortSignal,
  ): Promise<'taken' | { readonly again: boolean; readonly why: string }> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { ...this.#options.headers, 'content-type': 'application/json' },
        body,
        // Whom a redirect names was not configured, and the headers may hold a secret.
        redirect: 'manual',
        signal,
      });
      // What it says beside the status is of no use here, and may be endless.
      await response.body?.cancel();
      if (response.ok) return 'taken';
      return { again: RETRYABLE.has(response.status), why: `the collector answers ${response.status}` };
    } catch (error) {
      const { cause, message } = error as Error;
      return { again: true, why: cause instanceof Error ? cause.message : message };
    }
  }

  #drop(count: number, why: string): void {
    if (count === 0) return;
    this.#dropped += count;
    this.#untold += count;
    announce('trace.dropped', count);
    const now = performance.now();
    if (now - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = now;
    this.#options.failed(this.#untold, why);
    this.#untold = 0;
  }
}
