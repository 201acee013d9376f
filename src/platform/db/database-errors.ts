// What PostgreSQL and its driver throw, in the words of the system. Translated once, here; SQLSTATEs appear nowhere else.
import { isAppError } from '../errors.ts';
import { platformErrors } from '../platform-errors.ts';

/** A row that must be unique exists already; rooms turn it into their own conflict. */
export class UniqueViolation extends Error {
  readonly constraint: string;
  constructor(constraint: string, cause: unknown) {
    super(`a row with this key exists already (${constraint})`, { cause });
    this.name = 'UniqueViolation';
    this.constraint = constraint;
  }
}

interface DriverError {
  readonly code?: string;
  readonly constraint?: string;
  readonly message: string;
}

const LOST = new Set([
  'QD_AWAY',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ECONNABORTED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPROTO',
  '57P01',
  '57P02',
  '57P03',
  '25006',
]);

const LOST_TEXTS = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Query read timeout',
  'Client has encountered a connection error',
  'Client was closed',
];

export function isConnectionLoss(error: unknown): boolean {
  const { code, message } = driverError(error);
  if (code !== undefined) return LOST.has(code) || code.startsWith('08');
  return LOST_TEXTS.some((text) => message.includes(text));
}

/** The connection was known to be dead, so the statement did not leave this process. */
export function wasNeverSent(error: unknown): boolean {
  return driverError(error).message.endsWith('is not queryable');
}

/** Serialization failure or deadlock: the same transaction may succeed at once. */
export function isTransient(error: unknown): boolean {
  const { code } = driverError(error);
  return code === '40001' || code === '40P01';
}

export function translate(error: unknown): unknown {
  if (isAppError(error)) return error;
  const { code, constraint } = driverError(error);
  if (isConnectionLoss(error)) return platformErrors.unavailable({}, error);
  switch (code) {
    case '23505':
      return new UniqueViolation(constraint ?? 'unknown', error);
    case '53100':
      return platformErrors.disk_full({}, error);
    case '53300':
    case '53200':
    case '57014':
    case '55P03':
    case '40001':
    case '40P01':
      return platformErrors.overloaded({}, error);
    case '22021':
    case '22P05':
      return platformErrors.invalid_text({ problem: 'a character the database cannot store' }, error);
    default:
      return error;
  }
}

function driverError(error: unknown): DriverError {
  if (error instanceof Error) {
    const { code, constraint } = error as { code?: unknown; constraint?: unknown };
    return {
      message: error.message,
      ...(typeof code === 'string' ? { code } : {}),
      ...(typeof constraint === 'string' ? { constraint } : {}),
    };
  }
  return { message: String(error) };
}
