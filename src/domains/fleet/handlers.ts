// Binds the operations of the fleet to its verbs.
import type { Handlers } from '../../platform/operation.ts';
import type { operations } from './operations.ts';
import type { Fleet } from './service.ts';

export function fleetHandlers(fleet: Fleet): Handlers<typeof operations> {
  return {
    addAgent: (call, input) => fleet.add(call, input),
    listAgents: (call, input) => fleet.list(call, input),
    showAgent: (call, { agent }) => fleet.show(call, agent),
    removeAgent: (call, { agent }) => fleet.remove(call, agent),
    beat: (call, input) => fleet.beat(call, input),
    pauseAgent: (call, { agent, reason }) => fleet.pause(call, agent, reason),
    resumeAgent: (call, { agent }) => fleet.resume(call, agent),
    stopAgent: (call, { agent, reason }) => fleet.stop(call, agent, reason),
    restartAgent: (call, { agent, reason }) => fleet.restart(call, agent, reason),
    issueAgentToken: (call, { agent }) => fleet.issueToken(call, agent),
    readConsole: (call, input) => fleet.readConsole(call, input),
    status: (call, input) => fleet.status(call, input),
    showServer: async (call) => fleet.showServer(call),
  };
}
