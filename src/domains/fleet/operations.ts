// What the outside may ask about agents: who they are, how they are, and what they are told to do.
import { z } from 'zod';
import { agentAddress, page, pageLimit, slug, waitSeconds } from '../../platform/fields.ts';
import { operation } from '../../platform/operation.ts';

/** Derived when reading, never stored. */
export const agentStates = ['healthy', 'late', 'healing', 'silent', 'paused', 'crashed', 'stopped', 'unknown'] as const;

const agent = z.object({
  agent: z.string(),
  tenant: z.string(),
  kind: z.enum(['process', 'external', 'llm']),
  state: z.enum(agentStates),
  state_reason: z.string().describe('Why it is in this state, in one sentence'),
  desired: z.enum(['run', 'pause', 'stop']),
  desired_by: z.string().nullable(),
  desired_reason: z.string().nullable(),
  declared: z.boolean().describe('True when quarterdeck.yaml or an example decides about it'),
  status: z.string().nullable().describe('What the agent last said of itself'),
  job: z.string().nullable(),
  version: z.string().nullable(),
  queues: z.array(z.string()),
  host: z.string().nullable(),
  pid: z.int().nullable(),
  started_at: z.string().nullable(),
  last_seen: z.string().nullable(),
  silence_limit_seconds: z.number(),
  restarts: z.int().describe('Times its process was started again'),
  exit: z.string().nullable().describe('How the process ended last'),
  created_at: z.string(),
  row_version: z.int().describe('Grows with each change of the row'),
});
export type AgentItem = z.output<typeof agent>;

const address = z.strictObject({ agent: agentAddress });
const order = z.strictObject({ agent: agentAddress, reason: z.string().min(1).max(500).optional() });
const agentErrors = ['access.agent_not_found', 'access.agent_ambiguous'];

export const addAgent = operation({
  name: 'fleet.agent.add',
  summary: 'Register an agent and get its token, which is shown once',
  ability: 'fleet:write',
  effect: 'write',
  method: 'POST',
  path: '/v1/agents',
  status: 201,
  input: z.strictObject({
    agent: slug,
    kind: z.enum(['process', 'external', 'llm']).default('external'),
    tenant: slug.optional().describe('Default: the credential’s own; `fleet` for operators'),
    silence_limit_seconds: z.number().min(1).max(604_800).optional(),
    queues: z.array(slug).max(50).optional(),
  }),
  output: agent.extend({ token: z.string() }),
  secretOutput: ['token'],
  errors: ['access.agent_exists', 'access.tenant_not_found', 'access.ability_beyond_creator'],
  next: { operation: 'fleet.agent.show', input: { agent: 'agent' } },
  cli: { words: 'agent add', positional: ['agent'], example: 'quarterdeck agent add scout --tenant acme' },
  example: { agent: 'scout', kind: 'external' },
});

export const listAgents = operation({
  name: 'fleet.agent.list',
  summary: 'Every agent with its state',
  ability: 'fleet:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/agents',
  input: z.strictObject({
    state: z.enum(agentStates).optional(),
    tenant: slug.optional(),
    after: z.string().max(200).optional(),
    limit: pageLimit,
  }),
  output: page(agent),
  errors: ['access.tenant_not_found'],
  cli: {
    words: 'agent list',
    columns: ['agent', 'tenant', 'state', 'kind', 'host', 'pid', 'restarts', 'last_seen', 'state_reason'],
    example: 'quarterdeck agent list',
  },
});

export const showAgent = operation({
  name: 'fleet.agent.show',
  summary: 'One agent',
  ability: 'fleet:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/agents/{agent}',
  input: address,
  output: agent.extend({
    command: z.array(z.string()).nullable(),
    cwd: z.string().nullable(),
    restart: z.enum(['always', 'on-failure', 'never']).nullable(),
  }),
  errors: agentErrors,
  next: { operation: 'fleet.agent.console', input: { agent: 'agent' } },
  cli: { words: 'agent show', positional: ['agent'], example: 'quarterdeck agent show pricer' },
  example: { agent: 'pricer' },
});

export const removeAgent = operation({
  name: 'fleet.agent.remove',
  summary: 'Remove an agent and end its tokens; its events stay',
  ability: 'fleet:write',
  effect: 'destroy',
  method: 'DELETE',
  path: '/v1/agents/{agent}',
  input: address,
  output: z.object({ agent: z.string(), removed: z.boolean() }),
  errors: [...agentErrors, 'fleet.agent_declared'],
  cli: { words: 'agent remove', positional: ['agent'], example: 'quarterdeck agent remove scout' },
  example: { agent: 'pricer' },
});

export const beat = operation({
  name: 'fleet.agent.beat',
  summary: 'An agent says that it is alive and learns what is wanted of it',
  ability: 'fleet:beat',
  effect: 'write',
  method: 'POST',
  path: '/v1/agents/{agent}/beats',
  input: z.strictObject({
    agent: agentAddress,
    status: z.string().min(1).max(200).optional(),
    job: z.string().max(64).optional(),
    version: z.string().max(100).optional(),
    usage: z.record(z.string().max(64), z.number()).optional(),
  }),
  output: z.object({ desired: z.enum(['run', 'pause', 'drain', 'stop']), time: z.string() }),
  errors: [...agentErrors, 'fleet.not_your_agent'],
  cli: { words: 'agent beat', positional: ['agent'], example: 'quarterdeck agent beat scout --status working' },
  noMcp: 'sent by the agent’s own loop, not by a model',
  example: { agent: 'pricer', status: 'working' },
});

export const pauseAgent = operation({
  name: 'fleet.agent.pause',
  summary: 'Hand the agent no more jobs; what it runs goes on',
  ability: 'fleet:write',
  effect: 'write',
  method: 'PUT',
  path: '/v1/agents/{agent}/pause',
  input: order,
  output: agent,
  errors: agentErrors,
  next: { operation: 'fleet.agent.resume', input: { agent: 'agent' } },
  cli: {
    words: 'agent pause',
    positional: ['agent'],
    example: 'quarterdeck agent pause pricer --reason "prices look wrong"',
  },
  example: { agent: 'pricer', reason: 'prices look wrong' },
});

export const resumeAgent = operation({
  name: 'fleet.agent.resume',
  summary: 'Let a paused or stopped agent work again',
  ability: 'fleet:write',
  effect: 'write',
  method: 'DELETE',
  path: '/v1/agents/{agent}/pause',
  input: address,
  output: agent,
  errors: agentErrors,
  next: { operation: 'fleet.agent.show', input: { agent: 'agent' } },
  cli: { words: 'agent resume', positional: ['agent'], example: 'quarterdeck agent resume pricer' },
  example: { agent: 'pricer' },
});

export const stopAgent = operation({
  name: 'fleet.agent.stop',
  summary: 'End the process of a supervised agent and keep it ended until it is resumed',
  ability: 'fleet:write',
  effect: 'write',
  method: 'PUT',
  path: '/v1/agents/{agent}/stop',
  input: order,
  output: agent,
  errors: agentErrors,
  next: { operation: 'fleet.agent.resume', input: { agent: 'agent' } },
  cli: { words: 'agent stop', positional: ['agent'], example: 'quarterdeck agent stop pricer --reason "over budget"' },
  example: { agent: 'pricer', reason: 'over budget' },
});

export const restartAgent = operation({
  name: 'fleet.agent.restart',
  summary: 'Stop the process of a supervised agent and start it again',
  ability: 'fleet:write',
  effect: 'write',
  method: 'POST',
  path: '/v1/agents/{agent}/restarts',
  status: 202,
  input: order,
  output: agent,
  errors: [...agentErrors, 'fleet.not_supervised'],
  next: { operation: 'fleet.agent.show', input: { agent: 'agent' } },
  cli: { words: 'agent restart', positional: ['agent'], example: 'quarterdeck agent restart pricer' },
  example: { agent: 'pricer', reason: 'it hangs' },
});

export const issueAgentToken = operation({
  name: 'fleet.agent.token',
  summary: 'Give an agent a new token, shown once; the old ones stay valid until they are revoked',
  ability: 'fleet:write',
  effect: 'write',
  method: 'POST',
  path: '/v1/agents/{agent}/tokens',
  status: 201,
  input: address,
  output: z.object({ agent: z.string(), token: z.string(), token_id: z.string() }),
  secretOutput: ['token'],
  errors: [...agentErrors, 'access.ability_beyond_creator'],
  cli: { words: 'agent token', positional: ['agent'], example: 'quarterdeck agent token scout' },
  noMcp: 'it shows a secret',
  example: { agent: 'pricer' },
});

export const readConsole = operation({
  name: 'fleet.agent.console',
  summary: 'What a supervised agent printed, from a byte offset; waits up to `wait` seconds for more',
  kind: 'poll',
  ability: 'fleet:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/agents/{agent}/console',
  input: z.strictObject({
    agent: agentAddress,
    after: z.int().min(0).optional().describe('Byte offset of an earlier answer; without it the last `bytes`'),
    bytes: z.int().min(1).max(262_144).default(65_536),
    wait: waitSeconds,
  }),
  output: z.object({
    text: z.string().describe('UTF-8; terminal sequences are kept as data'),
    offset: z.int().describe('Byte offset of the first character'),
    next_offset: z.int(),
    first_offset: z.int().describe('The oldest byte that is still kept'),
  }),
  errors: agentErrors,
  next: { operation: 'fleet.agent.console', input: { agent: 'agent', after: 'next_offset' } },
  cli: {
    words: 'agent logs',
    positional: ['agent'],
    aliases: ['agent console'],
    example: 'quarterdeck agent logs pricer',
  },
  example: { agent: 'pricer' },
});

export const status = operation({
  name: 'fleet.status',
  summary: 'The fleet at one glance: agents by state, work, and what needs the operator',
  ability: 'fleet:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/status',
  input: z.strictObject({ tenant: slug.optional() }),
  output: z.object({
    agents: z.object({ total: z.int(), by_state: z.record(z.string(), z.int()) }),
    needs: z.array(
      z.object({
        kind: z.enum(['agent', 'job', 'system']),
        severity: z.enum(['warn', 'error']),
        subject: z.string(),
        tenant: z.string(),
        text: z.string(),
        since: z.string().nullable(),
        command: z.string().describe('The command that shows or cures it'),
      }),
    ),
    events_per_second: z.number().describe('Over the last minute'),
    as_of: z.string(),
  }),
  errors: ['access.tenant_not_found'],
  next: { operation: 'fleet.agent.list' },
  cli: { words: 'fleet status', example: 'quarterdeck fleet status' },
});

export const showServer = operation({
  name: 'fleet.server.show',
  summary: 'The running server: its version, its parts, and where each setting comes from; never a secret',
  ability: 'access:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/server',
  input: z.strictObject({}),
  output: z.object({
    version: z.string(),
    node: z.string().describe('Version of Node that runs it'),
    data_dir: z.string(),
    database: z.enum(['embedded', 'own']),
    parts: z.array(
      z.object({
        part: z.string(),
        pid: z.int().nullable(),
        since: z.string().nullable(),
        ready: z.boolean(),
        port: z.int().nullable(),
        note: z.string().nullable(),
      }),
    ),
    settings: z
      .array(
        z.object({
          setting: z.string(),
          value: z.string().nullable().describe('null when it is masked, or not set'),
          origin: z.enum(['flag', 'environment', 'manifest', 'default']),
          place: z.string().describe('The flag, the variable, or the file and line that gave it'),
          meaning: z.string(),
          default: z.string(),
          is_masked: z.boolean().describe('True where the value is never shown'),
          flag: z.string().nullable(),
          environment: z.string(),
          in_manifest: z.boolean().describe('Whether quarterdeck.yaml may give it'),
        }),
      )
      .describe('Read once at the start: a change holds from the next start'),
  }),
  errors: ['access.fleet_only'],
  cli: { words: 'server show', example: 'quarterdeck server show' },
});

export const operations = {
  addAgent,
  listAgents,
  showAgent,
  removeAgent,
  beat,
  pauseAgent,
  resumeAgent,
  stopAgent,
  restartAgent,
  issueAgentToken,
  readConsole,
  status,
  showServer,
};
