// The worker of the TypeScript SDK, as the command line needs it. It lies beside the program, as source in a checkout and
// compiled in the published package, and is loaded from there: there is one worker, and it is the one that is published.

export interface SdkJob {
  readonly id: string;
  readonly kind: string;
  readonly queue: string;
  readonly tenant: string;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly payload: unknown;
  readonly signal: AbortSignal;
  readonly qd: { environment(): Readonly<Record<string, string>> };
  keep(): Promise<void>;
}

export interface Sdk {
  readonly Quarterdeck: new (options: { url: string; token: string; agent: string }) => object;
  readonly GiveUp: new (message: string) => Error;
  readonly Worker: new (options: {
    readonly qd: object;
    readonly queues: readonly string[];
    readonly concurrency: number;
    readonly leaseSeconds: number;
    readonly stallSeconds: number;
    readonly stopSeconds: number;
    readonly outbox: object | undefined;
    readonly log: (line: string) => void;
  }) => {
    on(kind: string, handler: (job: SdkJob) => Promise<unknown>): unknown;
    run(): Promise<void>;
  };
  openOutcomes(path: string): Promise<object>;
}

export async function loadSdk(): Promise<Sdk> {
  const isCompiled = import.meta.url.endsWith('.js');
  const file = (name: string) =>
    new URL(`../../../../../sdk/${isCompiled ? `dist/${name}.js` : `src/${name}.ts`}`, import.meta.url).href;
  const [door, outbox] = await Promise.all([import(file('index')), import(file('outbox-node'))]);
  return { ...door, ...outbox } as Sdk;
}
