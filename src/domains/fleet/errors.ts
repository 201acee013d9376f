// Error codes of the fleet room.
import { errorTable } from '../../platform/errors.ts';

export const fleetErrors = errorTable('fleet', {
  not_your_agent: {
    status: 403,
    message: 'Only {agent} itself can say that it is alive',
    hint: 'Beat with the token of that agent.',
  },
  agent_declared: {
    status: 409,
    message: '{agent} is declared in a file, which would bring it back',
    hint: 'Take it out of quarterdeck.yaml and start again with `quarterdeck up`; an example goes with `quarterdeck example remove`.',
  },
  not_supervised: {
    status: 409,
    message: 'No host starts the process of {agent}, so it cannot be restarted from here',
    hint: 'Restart it where it runs, or declare its command in quarterdeck.yaml.',
  },
});
