// The order of agent states: worst first. Apart from their looks, so that pure rules can use it.
import type { AgentState } from '../api/routes.ts';

export const stateOrder: readonly AgentState[] = [
  'crashed',
  'silent',
  'late',
  'unknown',
  'paused',
  'stopped',
  'healthy',
];
