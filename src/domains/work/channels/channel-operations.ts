// What the outside may ask about channels, and about the pauses and shares of tenants.
import { z } from 'zod';
import { page, pageLimit, slug, timestamp } from '../../../platform/fields.ts';
import { operation } from '../../../platform/operation.ts';

const inTenant = slug.optional().describe('Whose channel; default: the caller’s own tenant, or the fleet');
const address = z.strictObject({ channel: slug, tenant: inTenant });
const reason = z.string().min(1).max(500).optional().describe('Kept in the event, and shown');

const limit = {
  limit: z.int().min(1).max(1_000_000_000).describe('Most cost started in any window of that length'),
  window_seconds: z.int().min(1).max(31_536_000),
};

/** What a channel allows, as the operation and the manifest take it. */
export const channelFields = {
  concurrency: z.int().min(0).max(100_000).optional().describe('Most jobs running at once; 0: any number'),
  limits: z.array(z.strictObject(limit)).max(8).optional().describe('Exact sliding windows; all of them hold'),
};

const channel = z.object({
  channel: z.string(),
  tenant: z.string().describe('`fleet`: it serves the jobs of all tenants'),
  concurrency: z.int().nullable().describe('null: any number'),
  limits: z.array(z.object({ ...limit, used: z.int().describe('Cost that counts at this moment') })),
  running: z.int(),
  queued: z.int(),
  paused: z
    .object({ since: z.string(), until: z.string().nullable(), by: z.string(), reason: z.string().nullable() })
    .nullable(),
  next_at: z.string().nullable().describe('A window is full: nothing starts before this moment'),
  declared_by: z.string().nullable().describe('The file that declares it, and decides'),
  version: z.int(),
});
export type ChannelItem = z.output<typeof channel>;

export const setChannel = operation({
  name: 'work.channel.set',
  summary: 'Make a channel, or change what it allows; what is not given stays as it is',
  ability: 'work:write',
  effect: 'write',
  method: 'PUT',
  path: '/v1/channels/{channel}',
  input: address.extend(channelFields),
  output: channel,
  errors: ['access.tenant_not_found', 'work.window_twice', 'work.limit_below_cost', 'work.channel_declared'],
  next: { operation: 'work.channel.show', input: { channel: 'channel' } },
  cli: {
    words: 'channel set',
    positional: ['channel'],
    example: 'quarterdeck channel set ebay --concurrency 4 --limits \'[{"limit":5000,"window_seconds":86400}]\'',
  },
  example: { channel: 'ebay', concurrency: 4, limits: [{ limit: 5000, window_seconds: 86400 }] },
});

export const listChannels = operation({
  name: 'work.channel.list',
  summary: 'Channels with what they allow, what is used of it, and what waits for it',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/channels',
  input: z.strictObject({ tenant: slug.optional(), after: z.string().max(128).optional(), limit: pageLimit }),
  output: page(channel),
  errors: ['access.tenant_not_found'],
  cli: {
    words: 'channel list',
    columns: ['channel', 'tenant', 'concurrency', 'running', 'queued', 'paused.reason', 'next_at'],
    example: 'quarterdeck channel list',
  },
});

export const showChannel = operation({
  name: 'work.channel.show',
  summary: 'One channel',
  ability: 'work:read',
  effect: 'read',
  method: 'GET',
  path: '/v1/channels/{channel}',
  input: address,
  output: channel,
  errors: ['access.tenant_not_found', 'work.channel_not_found'],
  cli: { words: 'channel show', positional: ['channel'], example: 'quarterdeck channel show ebay' },
  example: { channel: 'ebay' },
});

export const removeChannel = operation({
  name: 'work.channel.remove',
  summary: 'Remove a channel that no waiting or running job uses',
  ability: 'work:write',
  effect: 'destroy',
  method: 'DELETE',
  path: '/v1/channels/{channel}',
  input: address,
  output: z.object({ channel: z.string(), removed: z.boolean() }),
  errors: ['access.tenant_not_found', 'work.channel_not_found', 'work.channel_in_use', 'work.channel_declared'],
  cli: { words: 'channel remove', positional: ['channel'], example: 'quarterdeck channel remove ebay' },
  example: { channel: 'ebay' },
});

export const pauseChannel = operation({
  name: 'work.channel.pause',
  summary: 'Hand out no job of a channel, until it is resumed or until a moment; running jobs go on',
  ability: 'work:write',
  effect: 'write',
  method: 'PUT',
  path: '/v1/channels/{channel}/pause',
  input: address.extend({ reason, until: timestamp.optional().describe('It resumes by itself at this moment') }),
  output: channel,
  errors: ['access.tenant_not_found', 'work.channel_not_found'],
  next: { operation: 'work.channel.resume', input: { channel: 'channel' } },
  cli: {
    words: 'channel pause',
    positional: ['channel'],
    example: 'quarterdeck channel pause ebay --reason "prices look wrong"',
  },
  example: { channel: 'ebay', reason: 'prices look wrong' },
});

export const resumeChannel = operation({
  name: 'work.channel.resume',
  summary: 'Hand out the jobs of a paused channel again',
  ability: 'work:write',
  effect: 'write',
  method: 'DELETE',
  path: '/v1/channels/{channel}/pause',
  input: address,
  output: channel,
  errors: ['access.tenant_not_found', 'work.channel_not_found'],
  next: { operation: 'work.channel.show', input: { channel: 'channel' } },
  cli: { words: 'channel resume', positional: ['channel'], example: 'quarterdeck channel resume ebay' },
  example: { channel: 'ebay' },
});

/** Of a tenant, or of everything. */
export const pausedWork = z.object({
  tenant: z.string().describe('`fleet`: everything is paused'),
  since: z.string(),
  by: z.string(),
  reason: z.string().nullable(),
});

export const pauseWork = operation({
  name: 'work.pause',
  summary: 'Hand out no job of a tenant, or none at all; running jobs go on',
  ability: 'work:write',
  effect: 'write',
  method: 'PUT',
  path: '/v1/work/pause',
  input: z.strictObject({
    tenant: slug.optional().describe('Default: the caller’s own tenant, or everything'),
    reason,
  }),
  output: pausedWork,
  errors: ['access.tenant_not_found'],
  next: { operation: 'work.resume', input: { tenant: 'tenant' } },
  cli: { words: 'work pause', example: 'quarterdeck work pause --reason "the site is down"' },
  example: { reason: 'the site is down' },
});

export const resumeWork = operation({
  name: 'work.resume',
  summary: 'Hand out jobs again that a pause of work held back',
  ability: 'work:write',
  effect: 'write',
  method: 'DELETE',
  path: '/v1/work/pause',
  input: z.strictObject({ tenant: slug.optional().describe('Default: the caller’s own tenant, or everything') }),
  output: z.object({ tenant: z.string(), resumed: z.boolean() }),
  errors: ['access.tenant_not_found'],
  next: { operation: 'work.summary' },
  cli: { words: 'work resume', example: 'quarterdeck work resume' },
});

export const setShare = operation({
  name: 'work.share.set',
  summary: 'Weight of a tenant where several want the same workers: 2 gets twice as many jobs as 1',
  ability: 'work:write',
  effect: 'write',
  method: 'PUT',
  path: '/v1/work/shares/{tenant}',
  input: z.strictObject({ tenant: slug, weight: z.int().min(1).max(1000) }),
  output: z.object({ tenant: z.string(), weight: z.int() }),
  errors: ['access.tenant_not_found', 'access.fleet_only'],
  next: { operation: 'work.summary' },
  cli: { words: 'work share', positional: ['tenant', 'weight'], example: 'quarterdeck work share acme 2' },
  example: { tenant: 'default', weight: 2 },
});

export const channelOperations = {
  setChannel,
  listChannels,
  showChannel,
  removeChannel,
  pauseChannel,
  resumeChannel,
  pauseWork,
  resumeWork,
  setShare,
};
