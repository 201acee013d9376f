// The method of a request, as a word in a colour.
const tones: Readonly<Record<string, string>> = {
  GET: 'text-run',
  POST: 'text-ok',
  PUT: 'text-warn',
  PATCH: 'text-warn',
  DELETE: 'text-err',
};

export function MethodBadge({ method }: { method: string }) {
  return (
    <span className={`w-12 shrink-0 font-mono text-caption font-semibold ${tones[method] ?? 'text-muted'}`}>
      {method}
    </span>
  );
}
