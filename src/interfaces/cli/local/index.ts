// The commands that concern this machine only, in the order of the help.
import type { AnyLocalOperation } from '../local-operation.ts';
import { showVersion } from './version.ts';

export const localOperations: readonly AnyLocalOperation[] = [showVersion];
