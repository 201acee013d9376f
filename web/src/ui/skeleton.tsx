// Placeholders in the shape of what is awaited; they show only when it takes longer than 150 ms.
export function RowSkeletons({ rows }: { rows: number }) {
  return (
    <div aria-hidden="true" className="flex flex-col gap-2 p-4">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <div key={row} className="skeleton h-5" style={{ width: `${92 - ((row * 13) % 30)}%` }} />
      ))}
    </div>
  );
}
