// The shape of the logger that is handed in. The embedded server knows no logger of its own.

export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  facts?: Record<string, unknown>,
) => void;
