// One request of a client that is known: what it may see, and the carrying out of its tool calls and readings.
import { type CallToolResult, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { App } from '../../app.ts';
import type { Call, Caller } from '../../platform/call.ts';
import type { AppError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import type { AnyOperation } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { problem, toAppError } from '../http/problem.ts';
import { toolAnswer, toolRefusal, withoutSecrets } from './answers.ts';
import { mayUse, type OperationTool, readArguments, type Toolbox } from './tools.ts';

export interface SessionOptions {
  readonly app: App;
  readonly tools: Toolbox;
  readonly caller: Caller;
  readonly requestId: string;
  /** Ends what waits when the client is gone or the server stops. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

type Arguments = Readonly<Record<string, unknown>>;

export class Session {
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** The tools that this credential may use. */
  visibleTools(): OperationTool[] {
    const { tools, caller } = this.#options;
    return [...tools.values()].filter(({ bound }) => mayUse(caller, bound.operation));
  }

  /** Throws ProtocolError for what is no call of a tool; a refusal by the system is an answer. */
  async callTool(name: string, given: Arguments): Promise<CallToolResult> {
    const tool = this.#options.tools.get(name);
    if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'There is no such tool');
    const { operation } = tool.bound;
    try {
      return toolAnswer(operation, given, await this.#run(tool, given), this.#options);
    } catch (error) {
      const refusal = this.#appError(error);
      if (refusal.code === 'invalid_input') throw this.#protocolError(refusal, ProtocolErrorCode.InvalidParams);
      return toolRefusal(this.#problem(refusal));
    }
  }

  /** The output of a tool, for what is read by address. Throws what the operation throws. */
  async read(name: string, given: Arguments): Promise<unknown> {
    const tool = this.#options.tools.get(name)!;
    return withoutSecrets(await this.#run(tool, given), tool.bound.operation.secretOutput);
  }

  /** Any failure as an error of the protocol, with the problem as its data and nothing of the inside. */
  protocolError(error: unknown): ProtocolError {
    if (error instanceof ProtocolError) return error;
    const refusal = this.#appError(error);
    return this.#protocolError(
      refusal,
      refusal.status >= 500 ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams,
    );
  }

  async #run({ bound, definition }: OperationTool, given: Arguments): Promise<unknown> {
    const { operation } = bound;
    const { app, caller } = this.#options;
    const call = this.#call(operation);
    if (!mayUse(caller, operation)) {
      const { ability } = operation;
      await app.access.recordDeniedTool(call, { tool: definition.name, operation: operation.name, ability });
      throw platformErrors.denied({ ability });
    }
    const input = readArguments(operation, given);
    // As over HTTP: an agent that asks for something lives.
    if (caller.kind === 'agent' || caller.kind === 'job') app.fleet.seen(caller.id);
    return operation.output.parse(await bound.run(call, input));
  }

  // Only what waits can be given up: a change is made or not made, whether or not somebody still listens.
  #call(operation: AnyOperation): Call {
    const { app, caller, requestId, signal } = this.#options;
    return app.call(caller, { requestId, ...(operation.kind === 'poll' ? { signal } : {}) });
  }

  #appError(error: unknown): AppError {
    return toAppError(error, this.#options.logger, this.#options.requestId);
  }

  #problem(error: AppError): Record<string, unknown> {
    return problem(error, this.#options.requestId);
  }

  #protocolError(error: AppError, code: ProtocolErrorCode): ProtocolError {
    return new ProtocolError(code, `${error.message} (${error.code}). ${error.hint}`, this.#problem(error));
  }
}
