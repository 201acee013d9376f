// Error codes of the work room.
import { errorTable } from '../../platform/errors.ts';

export const workErrors = errorTable('work', {
  agents_only: {
    status: 403,
    message: 'Only an agent can take jobs',
    hint: 'Use the token of an agent; `quarterdeck agent add` makes one.',
  },
  job_not_found: { status: 404, message: 'There is no job {job}', hint: 'See `quarterdeck job list`.' },
  stale_lease: {
    status: 409,
    message: 'The lease of job {job} is no longer valid',
    hint: 'Stop working on it: the job has ended, or it is somebody else’s now.',
  },
  payload_too_large: {
    status: 413,
    message: 'The payload of job {index} is larger than {limit} bytes',
    hint: 'Store the large part elsewhere and give the job a reference to it.',
  },
  result_too_large: {
    status: 413,
    message: 'The result of job {job} is larger than {limit} bytes',
    hint: 'Store the large part elsewhere and report a reference to it; the job is still held.',
  },
  job_ended: {
    status: 409,
    message: 'Job {job} has ended',
    hint: 'What has ended stays ended; `quarterdeck job replay` adds it once more.',
  },
  job_not_ended: {
    status: 409,
    message: 'Job {job} is neither dead nor cancelled',
    hint: 'Only such jobs are added once more.',
  },
  job_running: {
    status: 409,
    message: 'Job {job} is running',
    hint: 'Wait until it waits again, or cancel it.',
  },
  already_replayed: {
    status: 409,
    message: 'Job {job} was added once more before',
    hint: 'Replay the newer job, if that one died too: `quarterdeck job show` names it.',
  },
  attempts_used: {
    status: 409,
    message: 'Job {job} has used {attempt} attempts, which is more than {max_attempts}',
    hint: 'Allow at least one more than were used.',
  },
  channel_not_found: {
    status: 404,
    message: 'There is no channel {channel}',
    hint: '`quarterdeck channel set` makes one; see `quarterdeck channel list`.',
  },
  channel_declared: {
    status: 409,
    message: 'Channel {channel} is declared in {file}',
    hint: 'Change it there: the next start would undo it here. Pausing it is possible.',
  },
  channel_in_use: {
    status: 409,
    message: 'Jobs that have not ended belong to channel {channel}',
    hint: 'Let them end or cancel them: `quarterdeck job cancel --filter`.',
  },
  window_twice: {
    status: 422,
    message: 'Two limits have the same window of {window_seconds} seconds',
    hint: 'Keep the smaller one.',
  },
  limit_below_cost: {
    status: 409,
    message: 'A job that waits for the channel costs more than {limit}',
    hint: 'It could never start; cancel it first, or allow at least its cost.',
  },
  cost_above_limit: {
    status: 422,
    message: 'Job {index} costs more than the {limit} that channel {channel} ever allows in a window',
    hint: 'Split it, or raise the limit of the channel.',
  },
  key_taken: {
    status: 409,
    message: 'Job {job} has the unique key {key} and has not ended',
    hint: 'Wait until it ends, cancel it, or say `on_duplicate: ignore` or `replace`.',
  },
  schedule_not_found: {
    status: 404,
    message: 'There is no schedule {schedule}',
    hint: '`quarterdeck schedule set` makes one; see `quarterdeck schedule list`.',
  },
  schedule_declared: {
    status: 409,
    message: 'Schedule {schedule} is declared in {file}',
    hint: 'Change it there: the next start would undo it here. Pausing it is possible.',
  },
  zone_unknown: {
    status: 422,
    message: 'There is no time zone {because}',
    hint: 'Give a name of the IANA list, like Europe/Berlin or UTC.',
  },
  cron_invalid: {
    status: 422,
    message: 'The cron line cannot be read: {because}',
    hint: 'Minute, hour, day, month, weekday: `0 3 * * *` is every night at three.',
  },
  cron_never_runs: {
    status: 422,
    message: 'The cron line {because} never comes',
    hint: 'Its day is in none of its months; `quarterdeck schedule preview` shows when a line comes.',
  },
  cron_too_often: {
    status: 422,
    message: 'The cron line {because} comes more often than every ten seconds',
    hint: 'What is done all the time belongs into a loop of an agent.',
  },
  catch_up_overlaps: {
    status: 422,
    message: 'A schedule that makes good every missed tick adds several jobs at once',
    hint: 'Say `overlap: allow` with `catch_up: all`, or catch up `once`.',
  },
  too_many_ticks: {
    status: 422,
    message: 'That time has more than {most} ticks',
    hint: 'Backfill it in shorter pieces.',
  },
});
