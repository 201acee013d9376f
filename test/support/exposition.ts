// A strict reader of Prometheus's text format: it throws at everything that promtool or a scrape would take amiss.

export interface ReadFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ReadSample[];
}

export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^\n]*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
const VALUE = /^([+-]?Inf|NaN|[+-]?\d+(\.\d+)?(e[+-]?\d+)?)$/;

export function readExposition(text: string): Map<string, ReadFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, { name: string; type: string; help: string; samples: ReadSample[] }>();
  let current: { name: string; type: string; help: string; samples: ReadSample[] } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP (\S+) ([^\n]+)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    if (help !== null) {
      const name = help[1]!;
      if (!NAME.test(name)) throw new Error(`no name: ${name}`);
      if (families.has(name)) throw new Error(`${name} comes twice`);
      current = { name, type: '', help: help[2]!, samples: [] };
      families.set(name, current);
    } else if (type !== null) {
      if (current?.name !== type[1] || current!.type !== '')
        throw new Error(`TYPE without its HELP before it: ${line}`);
      current!.type = type[2]!;
    } else {
      if (current === undefined || current.type === '') throw new Error(`a sample before its TYPE: ${line}`);
      current.samples.push(readSample(line));
    }
  }
  for (const family of families.values()) check(family);
  return families;
}

function readSample(line: string): ReadSample {
  const match = SAMPLE.exec(line);
  if (match === null) throw new Error(`no sample: ${line}`);
  const [, name = '', pairs, value = ''] = match;
  if (!VALUE.test(value)) throw new Error(`no value: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (pairs !== undefined && LABEL.lastIndex < pairs.length) {
    const pair = LABEL.exec(pairs);
    if (pair === null) throw new Error(`no labels: ${line}`);
    if (pair[1]! in labels) throw new Error(`a label twice: ${line}`);
    labels[pair[1]!] = pair[2]!.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

function check({ name, type, samples }: ReadFamily): void {
  if (samples.length === 0) throw new Error(`${name} has no sample`);
  if (type === 'counter' && !name.endsWith('_total')) throw new Error(`a counter ends in _total: ${name}`);
  if (type !== 'counter' && name.endsWith('_total')) throw new Error(`only a counter ends in _total: ${name}`);
  const allowed = type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name];
  const seen = new Set<string>();
  for (const sample of samples) {
    if (!allowed.includes(sample.name)) throw new Error(`${sample.name} stands below ${name}`);
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(key)) throw new Error(`a series twice: ${key}`);
    seen.add(key);
    if ('quantile' in sample.labels || 'le' in sample.labels !== sample.name.endsWith('_bucket')) {
      throw new Error(`a label of another kind of family: ${key}`);
    }
    if (type === 'counter' && sample.value < 0) throw new Error(`a counter below 0: ${key}`);
  }
  if (type === 'histogram') checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: readonly ReadSample[]): void {
  const groups = new Map<string, ReadSample[]>();
  for (const sample of samples) {
    const { le: _, ...rest } = sample.labels;
    const key = JSON.stringify(Object.entries(rest).sort());
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const [key, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map((sample) => Number(sample.labels['le']!.replace('+Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    const isRising = (values: readonly number[]) => values.every((value, i) => i === 0 || value >= values[i - 1]!);
    if (!isRising(bounds) || !isRising(counts)) throw new Error(`buckets fall: ${name} ${key}`);
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`no bucket +Inf: ${name} ${key}`);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    if (count !== counts.at(-1)) throw new Error(`_count is not the last bucket: ${name} ${key}`);
    if (!group.some((sample) => sample.name === `${name}_sum`)) throw new Error(`no _sum: ${name} ${key}`);
  }
}

/** The value of the one series with these labels; undefined when there is none. */
export function seriesValue(
  families: ReadonlyMap<string, ReadFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = [...families.values()].find((one) => one.samples.some((sample) => sample.name === name));
  const found = (family?.samples ?? []).filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  if (found.length > 1) throw new Error(`${found.length} series of ${name} have these labels`);
  return found[0]?.value;
}
