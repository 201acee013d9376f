// The environment of a supervised process: an allow-list of the host's own, what the manifest gives, and what the fleet
// gives. Never the host's whole environment, which holds the installation's secrets.

const PASSED = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'] as const;
/** Marks every process of one start, children included: what a sweep looks for. */
export const MARKER = 'QD_RUN';

export interface EnvironmentOptions {
  /** The host's own environment. */
  readonly own: Readonly<Record<string, string | undefined>>;
  readonly env: Readonly<Record<string, string>>;
  /** Names to be taken from the host's own environment. */
  readonly secrets: readonly string[];
  readonly agent: string;
  readonly token: string;
  readonly apiUrl: string;
  readonly relayUrl: string | undefined;
  readonly marker: string;
}

/** A secret that the manifest names is not in the host's environment. */
export class SecretMissing extends Error {
  override readonly name = 'SecretMissing';
}

/** Throws SecretMissing: an agent without its secret would only fail later and less clearly. */
export function environmentOf(options: EnvironmentOptions): Record<string, string> {
  const { own } = options;
  const taken = (names: readonly string[]) =>
    Object.fromEntries(names.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]])));
  const missing = options.secrets.find((name) => own[name] === undefined);
  if (missing !== undefined) throw new SecretMissing(`the secret ${missing} is not in the environment of the host`);
  return {
    ...taken(PASSED),
    // Output goes to a file, which Python would fill only every 8 KiB: the console would look dead.
    PYTHONUNBUFFERED: '1',
    ...options.env,
    ...taken(options.secrets),
    QUARTERDECK_URL: options.apiUrl,
    ...(options.relayUrl === undefined ? {} : { QUARTERDECK_RELAY_URL: options.relayUrl }),
    QUARTERDECK_AGENT: options.agent,
    QUARTERDECK_TOKEN: options.token,
    [MARKER]: options.marker,
  };
}
