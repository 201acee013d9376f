// Splits SQL text into its statements, as psql does: at semicolons outside strings, names, comments and dollar quotes.

const TOKEN = /--[^\n]*|\/\*|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$[A-Za-z_]*\$)|;/gy;

export function sqlStatements(sql: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let hasWords = false;
  for (let at = 0; at < sql.length; ) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(sql);
    if (token === null) {
      hasWords ||= /\S/.test(sql[at]!);
      at += 1;
      continue;
    }
    at = endOf(sql, token, TOKEN.lastIndex);
    if (token[0] === ';') {
      if (hasWords) statements.push(sql.slice(start, at));
      start = at;
      hasWords = false;
    }
  }
  if (hasWords) throw new Error(`the last statement has no semicolon: ${sql.slice(start, start + 80)}`);
  return statements;
}

function endOf(sql: string, token: RegExpExecArray, end: number): number {
  const close = token[1] ?? (token[0] === '/*' ? '*/' : undefined);
  if (close === undefined) return end;
  const found = sql.indexOf(close, end);
  if (found === -1) throw new Error(`${close} is missing`);
  return found + close.length;
}
