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
});
