// What every process tells of itself: processor, memory, and for how long its event loop was kept.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics, Reading } from './metrics.ts';

const RESOLUTION_MS = 20;
/** The percentiles are those of the last whole window, so that several who look see the same. */
const WINDOW_MS = 15_000;
const NANOSECONDS = 1e9;

/** Adds the families of the process; `end` stops the watch on the event loop. */
export function addProcessMetrics(metrics: Metrics, version: string): { end(): void } {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let lag: Reading[] = [];
  const timer = setInterval(() => {
    lag = percentiles(delay);
    delay.reset();
  }, WINDOW_MS);
  timer.unref();

  const startedAt = performance.timeOrigin / 1_000;
  metrics.gauge('quarterdeck_build_info', 'Always 1; the version of the program as a label', () => [
    { labels: { version, node: process.versions.node }, value: 1 },
  ]);
  metrics.gauge(
    'quarterdeck_process_start_time_seconds',
    'When the process began, seconds since 1970',
    () => startedAt,
  );
  metrics.counterOf('quarterdeck_process_cpu_seconds_total', 'Processor time used, user and system', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  metrics.gauge('quarterdeck_process_resident_memory_bytes', 'Memory of the process that lies in RAM', () =>
    process.memoryUsage.rss(),
  );
  metrics.gauge(
    'quarterdeck_process_heap_used_bytes',
    'Memory that JavaScript objects take',
    () => process.memoryUsage().heapUsed,
  );
  metrics.gauge(
    'quarterdeck_event_loop_lag_seconds',
    'How late timers came in the last 15 s: the time for which the process could not do anything else',
    () => (lag.length > 0 ? lag : percentiles(delay)),
  );
  return {
    end() {
      clearInterval(timer);
      delay.disable();
    },
  };
}

function percentiles(delay: ReturnType<typeof monitorEventLoopDelay>): Reading[] {
  // The histogram holds whole delays between two ticks, the resolution included.
  const late = (nanoseconds: number) =>
    Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1_000) : 0;
  if (delay.count === 0) return [];
  return [
    { labels: { percentile: '50' }, value: late(delay.percentile(50)) },
    { labels: { percentile: '99' }, value: late(delay.percentile(99)) },
    { labels: { percentile: '100' }, value: late(delay.max) },
  ];
}
