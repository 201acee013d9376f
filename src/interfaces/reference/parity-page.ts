// docs/reference/parity.md
import { allOperations } from '../../operations.ts';
import type { AnyOperation } from '../../platform/operation.ts';
import { isTool, toolName } from '../mcp/tools.ts';
import { camelCase, methodName } from '../sdk/method-name.ts';
import { code, GENERATED, markdownTable } from './markdown.ts';

export function parityPage(): string {
  const missing = allOperations.flatMap((operation) =>
    reasons(operation).map(([where, why]) => [code(operation.name), where, why]),
  );
  return `${GENERATED}
# One operation, every interface

The same operation by HTTP, command line, MCP and both SDKs: same input, same answer, same events. It is tested by
carrying each out through each of them (\`test/parity\`). What an operation means stands in [operations.md](operations.md).

${markdownTable(['operation', 'HTTP', 'command', 'MCP tool', 'TypeScript', 'Python'], allOperations.map(row))}

Lists have \`listAll\` and \`list_all\` besides, which go on page after page.

## Where one is missing, and why

${markdownTable(['operation', 'interface', 'reason'], missing)}
`;
}

function row(operation: AnyOperation): string[] {
  const { noun, verb } = methodName(operation);
  const inSdk = operation.noSdk === undefined;
  return [
    code(operation.name),
    code(`${operation.method} ${operation.path}`),
    'none' in operation.cli ? '-' : code(operation.cli.words),
    isTool(operation) ? code(toolName(operation)) : '-',
    inSdk ? code(`qd.${camelCase(noun)}.${camelCase(verb)}`) : '-',
    inSdk ? code(`qd.${noun}.${verb}`) : '-',
  ];
}

function reasons({ cli, noMcp, noSdk }: AnyOperation): [string, string][] {
  return [
    ...('none' in cli ? [['command', cli.none] as [string, string]] : []),
    ...(noMcp === undefined ? [] : [['MCP', noMcp] as [string, string]]),
    ...(noSdk === undefined ? [] : [['SDKs', noSdk] as [string, string]]),
  ];
}
