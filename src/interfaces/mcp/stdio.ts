// MCP on stdin and stdout: a pipe to /mcp of a running server. It keeps nothing and decides nothing; stdout belongs to
// the protocol, so whatever else there is to say goes to stderr.
import { ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { type AppError, isAppError } from '../../platform/errors.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { CliFailure, type Connection } from '../cli/client.ts';
import { exitCodes } from '../cli/exit-codes.ts';
import { toolRefusal } from './answers.ts';
import { forward } from './forward.ts';
import { capabilities, instructions, serverInfo } from './server.ts';

const METHODS = [
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
  'prompts/get',
] as const;

/** Longer than any tool waits. */
const WAIT_MS = 25_000;
/** More than any tool takes, so that too much is refused in words and does not end the session. */
const LONGEST_LINE = 32 * 1024 * 1024;

export interface StdioOptions {
  /** Asked for at each request: the server may have been started again on another port. */
  readonly connect: () => Promise<Connection>;
  readonly timeoutMs: number;
  /** Talk, for people. */
  readonly say: (text: string) => void;
}

/** Serves until stdin ends or stdout is closed; answers the exit code. */
export function serveStdioUntilEnd(options: StdioOptions): Promise<number> {
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  const transport = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: LONGEST_LINE });
  let failed = false;
  serveStdio(() => makePipe(options), {
    transport,
    maxSubscriptions: 0,
    onerror: (error) => {
      failed ||= error.message.includes('ReadBuffer');
      options.say(`mcp: ${firstLine(error)}`);
    },
  });
  const closed = transport.onclose;
  transport.onclose = () => {
    closed?.();
    resolve(failed ? exitCodes.failed : exitCodes.ok);
  };
  return ended;
}

function makePipe(options: StdioOptions): Server {
  const server = new Server(serverInfo, { capabilities, instructions });
  for (const method of METHODS) {
    server.setRequestHandler(method, async ({ params = {} }, { mcpReq }) => {
      const signal = AbortSignal.any([mcpReq.signal, AbortSignal.timeout(options.timeoutMs + WAIT_MS)]);
      try {
        return (await forward(await options.connect(), method, params, signal)) as never;
      } catch (error) {
        if (!(error instanceof CliFailure) && !isAppError(error)) throw error;
        const problem = problemOf(error);
        if (method === 'tools/call') return toolRefusal(problem) as never;
        throw new ProtocolError(ProtocolErrorCode.InternalError, `${problem['detail']}. ${problem['hint']}`, problem);
      }
    });
  }
  return server;
}

// What the server said, or that none did.
function problemOf(failure: CliFailure | AppError): Record<string, unknown> {
  if (isAppError(failure)) {
    const { code, message, hint, retryable } = failure;
    return { code, detail: message, hint, retryable };
  }
  if (failure.problem !== undefined) return failure.problem;
  const { code, retryable } = platformErrors.unavailable();
  return { code, detail: failure.message, hint: failure.hint ?? '', retryable };
}

function firstLine(error: Error): string {
  return error.message.split('\n', 1)[0]!.slice(0, 300);
}
