// What the embedded server tells, as lines of the keeper.
import type { Log } from '../../platform/db/embedded/log.ts';
import type { Logger } from '../../platform/logger.ts';

export function serverLog(logger: Logger): Log {
  return (level, message, facts) => logger[level](facts === undefined ? {} : { postgres: facts }, message);
}
