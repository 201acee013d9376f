// The interfaces behind one face: each is given an operation, its input and a token, and answers what it was answered.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { vi } from 'vitest';
import type { z } from 'zod';
import { Quarterdeck, QuarterdeckError } from '../../sdk/src/index.ts';
import { runCli } from '../../src/interfaces/cli/cli.ts';
import { isTool, toolName } from '../../src/interfaces/mcp/tools.ts';
import { camelCase, methodName } from '../../src/interfaces/sdk/method-name.ts';
import { type AnyOperation, pathParameters } from '../../src/platform/operation.ts';
import { findPython, PYTHON_SDK } from '../sdk/python.ts';
import { openMcpClient } from '../support/mcp-client.ts';

export type Input = Readonly<Record<string, unknown>>;
/** The code of a refusal, or the answer. */
export type Said = { readonly value: Record<string, unknown> } | { readonly refused: string };

export interface Interface {
  readonly name: string;
  /** False: the operation says why it is not there. */
  has(operation: AnyOperation): boolean;
  ask(operation: AnyOperation, input: Input, token: string): Promise<Said>;
  close(): Promise<void>;
}

const nothingToClose = async () => undefined;

export function overHttp(url: string): Interface {
  return {
    name: 'http',
    has: () => true,
    close: nothingToClose,
    async ask({ method, path: pattern }, input, token) {
      const inPath = new Set(pathParameters(pattern));
      const path = pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(input[name])));
      const rest = Object.entries(input).filter(([name]) => !inPath.has(name));
      const asQuery = method === 'GET' || method === 'DELETE';
      const query = asQuery ? `?${new URLSearchParams(rest.map(([name, value]) => [name, String(value)]))}` : '';
      const response = await fetch(url + path + query, {
        method,
        headers: {
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
          ...(asQuery ? {} : { 'content-type': 'application/json' }),
        },
        ...(asQuery ? {} : { body: JSON.stringify(Object.fromEntries(rest)) }),
      });
      const body = (await response.json()) as Record<string, unknown>;
      return response.ok ? { value: body } : { refused: String(body['code']) };
    },
  };
}

export function overCli(url: string): Interface {
  return {
    name: 'cli',
    has: ({ cli }) => !('none' in cli),
    close: nothingToClose,
    async ask(operation, input, token) {
      vi.stubEnv('QUARTERDECK_URL', url);
      vi.stubEnv('QUARTERDECK_TOKEN', token);
      let printed = '';
      const keep = (text: string | Uint8Array) => {
        printed += String(text);
        return true;
      };
      const spies = [
        vi.spyOn(process.stdout, 'write').mockImplementation(keep),
        vi.spyOn(process.stderr, 'write').mockReturnValue(true),
      ];
      try {
        const code = await runCli(['--json', ...wordsOf(operation, input)]);
        const value = JSON.parse(printed) as Record<string, unknown>;
        return code === 0 ? { value } : { refused: String(value['code']) };
      } finally {
        for (const spy of spies) spy.mockRestore();
        vi.unstubAllEnvs();
      }
    },
  };
}

function wordsOf({ cli, input: schema }: AnyOperation, input: Input): string[] {
  if ('none' in cli) throw new Error('it has no words');
  const positional = cli.positional ?? [];
  const given = positional.filter((field) => input[field] !== undefined);
  const flags = Object.keys(schema.shape as Record<string, z.ZodType>)
    .filter((field) => !positional.includes(field) && input[field] !== undefined)
    .flatMap((field) => {
      const flag = `--${field.replaceAll('_', '-')}`;
      return input[field] === true ? [flag] : [flag, wordOf(input[field])];
    });
  return [...cli.words.split(' '), ...given.map((field) => wordOf(input[field])), ...flags];
}

function wordOf(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function overMcp(url: string): Interface {
  return {
    name: 'mcp',
    has: isTool,
    close: nothingToClose,
    async ask(operation, input, token) {
      const client = await openMcpClient({ url, token });
      try {
        const { isError, data } = await client.call(toolName(operation), input);
        if (isError) return { refused: String(data.code) };
        const { next: _, ...value } = data;
        return { value };
      } finally {
        await client.close();
      }
    },
  };
}

export function overTypescript(url: string): Interface {
  return {
    name: 'typescript',
    has: ({ noSdk }) => noSdk === undefined,
    close: nothingToClose,
    async ask(operation, input, token) {
      const { noun, verb } = methodName(operation);
      const qd = new Quarterdeck({ url, token, retryForMs: 0 }) as unknown as Record<string, Methods>;
      try {
        return { value: await qd[camelCase(noun)]![camelCase(verb)]!(input) };
      } catch (error) {
        if (error instanceof QuarterdeckError) return { refused: error.code };
        throw error;
      }
    },
  };
}

type Methods = Readonly<Record<string, (input: Input) => Promise<Record<string, unknown>>>>;

/** Undefined where there is no Python. One process for all calls. */
export function overPython(url: string): Interface | undefined {
  const python = findPython();
  if (python === undefined) return undefined;
  const child = spawn(python, ['-m', 'tests.one_call_a_line'], {
    cwd: PYTHON_SDK,
    env: { PATH: process.env['PATH'] ?? '', QUARTERDECK_URL: url, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    name: 'python',
    has: ({ noSdk }) => noSdk === undefined,
    async ask(operation, input, token) {
      const { noun, verb } = methodName(operation);
      child.stdin.write(`${JSON.stringify({ noun, verb, input, token })}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`Python ended during ${operation.name}`);
      return JSON.parse(value) as Said;
    },
    async close() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}
