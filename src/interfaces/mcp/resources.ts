// What a client may read by address: `qd://agent/pricer`, `qd://job/job_…`, `qd://event/<cursor>`.
import {
  type ReadResourceResult,
  ResourceNotFoundError,
  type ResourceTemplateType,
} from '@modelcontextprotocol/server';
import { isAppError } from '../../platform/errors.ts';
import type { Session } from './session.ts';

interface Kind {
  /** The tool that shows one, and the field that names it. */
  readonly tool: string;
  readonly field: string;
  readonly description: string;
}

const kinds: Readonly<Record<string, Kind>> = {
  agent: { tool: 'agent_show', field: 'agent', description: 'An agent: its state, why, and what it was told' },
  job: { tool: 'job_show', field: 'job', description: 'A job with its payload and result' },
  event: { tool: 'event_show', field: 'cursor', description: 'An event of the log' },
};

/** Those that this credential may read. */
export function resourceTemplates(session: Session): ResourceTemplateType[] {
  const visible = new Set(session.visibleTools().map(({ definition }) => definition.name));
  return Object.entries(kinds)
    .filter(([, { tool }]) => visible.has(tool))
    .map(([name, { field, description }]) => ({
      name,
      uriTemplate: `qd://${name}/{${field}}`,
      description,
      mimeType: 'application/json',
    }));
}

/** Throws ResourceNotFoundError, and what the operation throws. */
export async function readResource(session: Session, uri: string): Promise<ReadResourceResult> {
  const [, name = '', id = ''] = /^qd:\/\/([a-z]{1,20})\/([^/?#]{1,400})$/.exec(uri) ?? [];
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  const value = decoded(id);
  if (kind === undefined || value === undefined) throw new ResourceNotFoundError(uri.slice(0, 200));
  const found = await session.read(kind.tool, { [kind.field]: value }).catch((error: unknown) => {
    throw isAppError(error) && error.status === 404 ? new ResourceNotFoundError(uri, error.message) : error;
  });
  return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(found) }] };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
