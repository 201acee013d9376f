// Numbers that this process keeps about itself, for whoever watches it: counters, histograms, and gauges that are read when
// somebody looks. How they are written for Prometheus is in exposition.ts.

export interface Sample {
  /** What follows the family's name: a histogram has three. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

export interface Reading {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Adds to the series with these label values, in the order of the label names. */
export type Counter = (values: readonly string[], by?: number) => void;
/** Notes one observation, in the family's unit. */
export type Histogram = (values: readonly string[], observed: number) => void;

/** Upper bounds in seconds: from a query in memory to a request that waits for its limit. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Beyond so many series of a family, further ones are counted together: labels never grow the memory without end. */
const MOST_SERIES = 1_000;
const OTHER = 'other';

export class Metrics {
  readonly #families = new Map<string, () => Promise<Family> | Family>();

  counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
    const series = new Series(labelNames, () => ({ total: 0 }));
    this.#add(name, () => ({
      name,
      help,
      type: 'counter',
      samples: series.all().map(([labels, { total }]) => ({ labels, value: total })),
    }));
    if (labelNames.length === 0) series.of([]);
    return (values, by = 1) => {
      series.of(values).total += by;
    };
  }

  histogram(name: string, help: string, labelNames: readonly string[], bounds: readonly number[] = SECONDS): Histogram {
    const series = new Series(labelNames, () => ({ counts: bounds.map(() => 0), count: 0, sum: 0 }));
    this.#add(name, () => ({
      name,
      help,
      type: 'histogram',
      samples: series
        .all()
        .flatMap(([labels, { counts, count, sum }]) => [
          ...cumulative(counts).map(
            (value, i): Sample => ({ suffix: '_bucket', labels: { ...labels, le: String(bounds[i]) }, value }),
          ),
          { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
          { suffix: '_sum', labels, value: sum },
          { suffix: '_count', labels, value: count },
        ]),
    }));
    if (labelNames.length === 0) series.of([]);
    return (values, observed) => {
      const one = series.of(values);
      const bucket = bounds.findIndex((bound) => observed <= bound);
      if (bucket !== -1) one.counts[bucket]! += 1;
      one.count += 1;
      one.sum += observed;
    };
  }

  /** `read` is asked whenever somebody looks; what it cannot tell at that moment it leaves out. */
  gauge(name: string, help: string, read: () => readonly Reading[] | number): void {
    this.#addRead(name, help, 'gauge', read);
  }

  /** Of a number that something else counts and that only grows. */
  counterOf(name: string, help: string, read: () => readonly Reading[] | number): void {
    this.#addRead(name, help, 'counter', read);
  }

  async collect(): Promise<Family[]> {
    return Promise.all([...this.#families.values()].map((read) => read()));
  }

  #addRead(name: string, help: string, type: 'counter' | 'gauge', read: () => readonly Reading[] | number): void {
    this.#add(name, () => family(name, help, type, read()));
  }

  #add(name: string, read: () => Promise<Family> | Family): void {
    if (this.#families.has(name)) throw new Error(`the metric ${name} is there already`);
    this.#families.set(name, read);
  }
}

export function family(
  name: string,
  help: string,
  type: 'counter' | 'gauge',
  readings: readonly Reading[] | number,
): Family {
  const all = typeof readings === 'number' ? [{ value: readings }] : readings;
  return { name, help, type, samples: all.map(({ labels = {}, value }: Reading) => ({ labels, value })) };
}

/** The families of several processes as one list: the same name once, with the samples of all. */
export function mergeFamilies(lists: readonly (readonly Family[])[]): Family[] {
  const merged = new Map<string, Family>();
  for (const one of lists.flat()) {
    const before = merged.get(one.name);
    merged.set(one.name, before === undefined ? one : { ...before, samples: [...before.samples, ...one.samples] });
  }
  return [...merged.values()];
}

/** The same families with one more label on each sample. */
export function labelled(families: readonly Family[], labels: Readonly<Record<string, string>>): Family[] {
  return families.map((one) => ({
    ...one,
    samples: one.samples.map((sample) => ({ ...sample, labels: { ...labels, ...sample.labels } })),
  }));
}

class Series<T> {
  readonly #names: readonly string[];
  readonly #make: () => T;
  readonly #all = new Map<string, readonly [Readonly<Record<string, string>>, T]>();

  constructor(names: readonly string[], make: () => T) {
    this.#names = names;
    this.#make = make;
  }

  of(values: readonly string[]): T {
    const key = values.length === 1 ? values[0]! : values.join('\u0000');
    const known = this.#all.get(key);
    if (known !== undefined) return known[1];
    const other = this.#names.map(() => OTHER);
    if (this.#all.size >= MOST_SERIES - 1 && values.some((value) => value !== OTHER)) return this.of(other);
    const made = this.#make();
    this.#all.set(key, [Object.fromEntries(this.#names.map((name, i) => [name, values[i] ?? ''])), made]);
    return made;
  }

  all(): (readonly [Readonly<Record<string, string>>, T])[] {
    return [...this.#all.values()];
  }
}

function cumulative(counts: readonly number[]): number[] {
  let sum = 0;
  return counts.map((count) => {
    sum += count;
    return sum;
  });
}
