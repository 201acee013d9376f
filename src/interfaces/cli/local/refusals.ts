// How the refusals of a start look on the command line: message, hint, exit code.
import { ConfigRefused } from '../../../config.ts';
import { CopyRefused } from '../../../platform/db/copy/hold.ts';
import { EmbeddedFailure, isOutOfSpace } from '../../../platform/db/embedded/failure.ts';
import { MigrationFailed, SchemaRefused } from '../../../platform/db/migrate.ts';
import { isAppError } from '../../../platform/errors.ts';
import { redact } from '../../../platform/logger.ts';
import { DataDirUnusable, DataLockHeld } from '../../../platform/process/data-lock.ts';
import { RoleFailed } from '../../../roles/keeper/kept-role.ts';
import { PortTaken } from '../../../roles/keeper/ports.ts';
import { DatabaseRefused } from '../../../roles/keeper/prepare.ts';
import { CliFailure } from '../client.ts';
import { exitCodeOf, exitCodes } from '../exit-codes.ts';

/** The failure that the command line shows; what is not known here is a bug and stays as it is. */
export function refusalOf(error: unknown): unknown {
  if (error instanceof ConfigRefused) {
    return refusal(error.code, error.message, exitCodes.usage, 'Nothing was started. Correct it and start again.', {
      problems: error.problems,
    });
  }
  if (error instanceof DataLockHeld) {
    const hint =
      'One installation runs once. Stop it with `quarterdeck down`, take its place with `quarterdeck up --replace`, or choose another directory with --data.';
    return refusal(error.code, error.message, exitCodes.dataDirHeld, hint, { holder: error.holder });
  }
  if (error instanceof DataDirUnusable) {
    return refusal(error.code, error.message, exitCodes.failed, 'Choose another directory with --data.');
  }
  if (error instanceof EmbeddedFailure) return refusal(error.code, error.message, exitCodes.failed, error.hint);
  if (error instanceof PortTaken) {
    return refusal(error.code, error.message, exitCodes.failed, 'Choose another with --api-port; 0 takes a free one.');
  }
  if (error instanceof DatabaseRefused) {
    return refusal(error.code, error.message, exitCodes.failed, 'Check DATABASE_URL and that the server runs.');
  }
  if (error instanceof SchemaRefused) return refusal('schema_refused', error.message, exitCodes.failed, error.hint);
  if (error instanceof MigrationFailed) {
    return refusal('migration_failed', error.message, exitCodes.failed, error.hint);
  }
  if (error instanceof CopyRefused) return refusal(error.code, error.message, exitCodes.failed, 'Nothing was changed.');
  if (error instanceof RoleFailed) return refusal(error.code, error.message, exitCodes.failed);
  if (isOutOfSpace(error)) {
    return refusal(
      'disk_full',
      `disk full: ${(error as Error).message}`,
      exitCodes.failed,
      'Free some space and start again.',
    );
  }
  if (isAppError(error)) return refusal(error.code, error.message, exitCodeOf(error.status), error.hint);
  return error;
}

function refusal(
  code: string,
  message: string,
  exitCode: number,
  hint?: string,
  details: Record<string, unknown> = {},
): CliFailure {
  const detail = redact(message);
  return new CliFailure(detail, exitCode, hint, { code, detail, ...(hint === undefined ? {} : { hint }), ...details });
}
