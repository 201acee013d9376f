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
  urgent_denied: {
    status: 403,
    message: 'Job {index} may not be urgent: urgent jobs come before the turns of all tenants',
    hint: 'Use a credential with `work:write`, or one of the whole fleet; or give it a lower priority number.',
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
  batch_not_found: { status: 404, message: 'There is no batch {batch}', hint: 'See `quarterdeck batch list`.' },
  batch_closed: {
    status: 409,
    message: 'Batch {batch} takes no more children',
    hint: 'Make it with `open: true` and close it when its last child was added.',
  },
  batch_ended: { status: 409, message: 'Batch {batch} has ended', hint: 'What has ended stays ended.' },
  batch_too_deep: {
    status: 422,
    message: 'Batch {batch} is within a batch itself',
    hint: 'A batch has batches within it, and those have jobs only.',
  },
  too_many_steps: {
    status: 409,
    message: 'Job {job} has {limit} steps already',
    hint: 'Let one step do more, or split the job.',
  },
  step_too_large: {
    status: 413,
    message: 'The result of step {step} is larger than {limit} bytes',
    hint: 'Store the large part elsewhere and let the step give a reference to it.',
  },
  steps_too_large: {
    status: 413,
    message: 'The results of the steps of job {job} are larger than {limit} bytes together',
    hint: 'Store the large parts elsewhere and let the steps give references to them.',
  },
  details_too_large: {
    status: 413,
    message: 'The details of the approval of job {job} are larger than {limit} bytes',
    hint: 'Say what is to be decided, and refer to the rest; a job that is held stays held.',
  },
  approval_not_found: {
    status: 404,
    message: 'There is no approval {approval}',
    hint: 'See `quarterdeck approval list --state pending`.',
  },
  approval_decided: {
    status: 409,
    message: 'Approval {approval} was {state} by {by} at {at}',
    hint: 'A decision stands: cancel the job, or let it ask once more.',
  },
  approval_expired: {
    status: 409,
    message: 'Approval {approval} expired at {at}',
    hint: 'Its job is dead with the reason `rejected`; `quarterdeck job replay` asks once more.',
  },
  approval_withdrawn: {
    status: 409,
    message: 'The job of approval {approval} has ended, so there is nothing to decide',
    hint: '`quarterdeck approval show` names the job.',
  },
  digest_mismatch: {
    status: 409,
    message: 'Approval {approval} is about something else than the digest that was given',
    hint: 'Look at it again with `quarterdeck approval show`, and decide on what it shows.',
  },
  operators_only: {
    status: 403,
    message: 'Only an operator decides',
    hint: 'Use a token of an operator with the ability work:approve.',
  },
  not_a_decider: {
    status: 403,
    message: 'Approval {approval} is to be decided by {deciders}',
    hint: 'Ask one of them.',
  },
  budget_not_found: { status: 404, message: 'There is no budget {budget}', hint: 'See `quarterdeck budget list`.' },
  budget_without_limit: {
    status: 422,
    message: 'A budget limits something',
    hint: 'Give `usd`, `tokens` or `calls`; `quarterdeck budget remove` takes a budget away.',
  },
  budget_of_another: {
    status: 409,
    message: 'Budget {budget} is of {of}',
    hint: 'Choose another name, or remove that budget first.',
  },
  too_many_budgets: {
    status: 409,
    message: 'There are {most} budgets already',
    hint: 'Remove those that are not needed: every report of usage is charged to all that it concerns.',
  },
  too_many_ticks: {
    status: 422,
    message: 'That time has more than {most} ticks',
    hint: 'Backfill it in shorter pieces.',
  },
});
