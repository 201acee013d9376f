// What the healer does about agents that give no sign of life: pure rules, no SQL, no clock.

/** So many restarts within HEALING_WINDOW_SECONDS, then the agent is paused and wants the operator. */
export const MOST_RESTARTS = 3;
export const HEALING_WINDOW_SECONDS = 3_600;
/** With fewer silent agents than this, a silence of most of them may still be their own. */
const MASS = 3;

/** A supervised agent whose silence is watched. */
export interface Watched {
  readonly id: string;
  readonly limitSeconds: number;
  /** Since its last sign of life, or its start. */
  readonly silentSeconds: number;
  /** It holds a valid lease: it works, however quiet it is. */
  readonly isBusy: boolean;
  /** Restarts by the healer within the window. */
  readonly restarts: number;
}

export type Step = 'restart' | 'pause';

export interface Treatment {
  readonly id: string;
  readonly step: Step;
  readonly reason: string;
}

export type Diagnosis =
  | { readonly kind: 'treat'; readonly treatments: readonly Treatment[] }
  /** Most went silent at once: the centre or the network is the suspect, and nothing is done to the agents. */
  | { readonly kind: 'mass_silence'; readonly silent: number; readonly watched: number };

/**
 * `hearingSeconds`: for how long the centre could have heard them without a break. A silence counts from then on at the
 * earliest, so that nobody is restarted because the database was away.
 */
export function diagnose(agents: readonly Watched[], hearingSeconds: number): Diagnosis {
  const silent = agents.filter(
    ({ isBusy, silentSeconds, limitSeconds }) => !isBusy && Math.min(silentSeconds, hearingSeconds) > limitSeconds,
  );
  if (silent.length >= MASS && silent.length > agents.length / 2) {
    return { kind: 'mass_silence', silent: silent.length, watched: agents.length };
  }
  return { kind: 'treat', treatments: silent.map(treat) };
}

function treat({ id, silentSeconds, limitSeconds, restarts }: Watched): Treatment {
  const silence = `no sign of life for ${Math.round(silentSeconds)} s, its limit is ${Math.round(limitSeconds)} s`;
  if (restarts < MOST_RESTARTS) {
    return { id, step: 'restart', reason: `${silence}; restart ${restarts + 1} of ${MOST_RESTARTS} within an hour` };
  }
  return { id, step: 'pause', reason: `${silence}; ${restarts} restarts within an hour did not help` };
}
