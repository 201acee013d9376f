// Why a database is not moved, or not started on; the message carries no secret.

export type MoveProblem =
  | 'target_unreachable'
  | 'target_unsuitable'
  | 'target_not_empty'
  | 'target_in_use'
  | 'same_database'
  | 'no_room'
  | 'move_under_way'
  | 'tables_busy'
  | 'tables_differ'
  | 'rows_differ'
  | 'move_failed'
  | 'move_interrupted';

/** Nothing was moved; the installation is where it was. */
export class MoveRefused extends Error {
  override readonly name = 'MoveRefused';
  readonly code: MoveProblem;
  readonly hint: string | undefined;
  constructor(code: MoveProblem, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
