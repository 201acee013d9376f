// What can be wrong with a sealed log: the words of the contract.
export const problemKinds = [
  'row_changed',
  'row_deleted',
  'row_inserted',
  'segment_changed',
  'seal_changed',
  'seal_missing',
  'archive_unreadable',
  'tail_missing',
  'head_unknown',
] as const;

export type ProblemKind = (typeof problemKinds)[number];
