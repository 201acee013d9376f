// `quarterdeck mcp`: lets a client of the Model Context Protocol that starts programs speak to a running server.
import { z } from 'zod';
import { settings } from '../../../config/settings.ts';
import { findConnection } from '../connection.ts';
import { localOperation } from '../local-operation.ts';

export const mcp = localOperation({
  name: 'mcp',
  summary: 'Speak the Model Context Protocol on stdin and stdout, for clients that start a program',
  input: z.strictObject({
    data: settings.data.schema.optional(),
    url: z.string().min(1).optional().describe('Address of the server (QUARTERDECK_URL)'),
    context: z.string().min(1).optional().describe('A server that was named with `context add`'),
    timeout: z.coerce.number().positive().default(30).describe('Longest wait for an answer, in seconds'),
  }),
  cli: { words: 'mcp', example: 'quarterdeck mcp' },
  async run({ timeout, ...place }, output) {
    const { serveStdioUntilEnd } = await import('../../mcp/stdio.ts');
    const timeoutMs = timeout * 1000;
    return serveStdioUntilEnd({
      connect: () => findConnection(place),
      timeoutMs,
      say: output.say,
    });
  },
});
