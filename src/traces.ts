// Traces of this installation: a span for each operation that is asked for, whatever the interface, and the tracer behind it
// where a collector is configured.
import type { App } from './app.ts';
import type { Logger } from './platform/logger.ts';
import type { Metrics } from './platform/metrics/metrics.ts';
import type { BoundOperation } from './platform/operation.ts';
import { SpanExporter } from './platform/trace/exporter.ts';
import { formatTraceparent, parseTraceparent } from './platform/trace/trace-context.ts';
import { Tracer } from './platform/trace/tracer.ts';
import { version } from './platform/version.ts';

export interface TraceOptions {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly ratio: number;
}

export interface Traces {
  readonly tracer: Tracer;
  stop(): Promise<void>;
}

export function startTraces(
  options: TraceOptions,
  { part, logger, metrics }: Pick<App, 'part' | 'metrics'> & { readonly logger: Logger; readonly metrics: Metrics },
): Traces {
  const exporter = new SpanExporter({
    endpoint: options.endpoint,
    headers: options.headers,
    resource: {
      'service.name': 'quarterdeck',
      'service.version': version,
      'service.instance.id': `${part}-${process.pid}`,
      'quarterdeck.role': part,
    },
    version,
    failed: (dropped, why) => logger.warn({ dropped, why }, 'spans of traces were dropped; nothing else suffers'),
  });
  metrics.counterOf('quarterdeck_trace_spans_total', 'Spans of traces by what became of them', () => {
    const { exported, dropped } = exporter.counts;
    return [
      { labels: { outcome: 'exported' }, value: exported },
      { labels: { outcome: 'dropped' }, value: dropped },
    ];
  });
  const tracer = new Tracer({ ratio: options.ratio, add: (span) => exporter.add(span) });
  return { tracer, stop: () => exporter.stop() };
}

/** The same operations, each run in a span. Those that wait on purpose only where the caller asks for it by a trace. */
export function traced(operations: readonly BoundOperation[], tracer: Tracer): BoundOperation[] {
  return operations.map(({ operation, run }) => ({
    operation,
    run(call, input) {
      const parent = parseTraceparent(call.traceparent);
      if (parent === undefined && operation.kind !== 'unary') return run(call, input);
      const attributes = {
        'http.request.method': operation.method,
        'http.route': operation.path,
        'quarterdeck.request_id': call.requestId,
        'quarterdeck.caller_kind': call.caller.kind,
      };
      return tracer.span({ name: operation.name, kind: 'server', attributes }, parent, (context) =>
        run({ ...call, traceparent: formatTraceparent(context) }, input),
      );
    },
  }));
}
