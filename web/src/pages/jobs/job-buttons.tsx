// What can be done to a job in the state it is in, as buttons.
import { Ban, ChevronsUp, RotateCw } from 'lucide-react';
import type { Job } from '../../api/routes.ts';
import { Button } from '../../ui/button.tsx';
import type { JobActions } from './use-job-actions.ts';
import { words } from './words.ts';

export function JobButtons({ job, actions }: { job: Job; actions: JobActions }) {
  const w = words.actions;
  return (
    <div className="ml-auto flex flex-wrap gap-2 phone:ml-0">
      {actions.replay !== undefined && (
        <Button onClick={actions.replay} title="R">
          <RotateCw aria-hidden="true" size={13} /> {w.replay}
        </Button>
      )}
      {actions.toggleUrgent !== undefined && (
        <Button onClick={actions.toggleUrgent} title="U" aria-pressed={job.urgent}>
          <ChevronsUp aria-hidden="true" size={13} /> {job.urgent ? w.calm : w.urgent}
        </Button>
      )}
      {actions.cancel !== undefined && (
        <Button onClick={actions.cancel} title="X">
          <Ban aria-hidden="true" size={13} /> {w.cancel}
        </Button>
      )}
    </div>
  );
}
