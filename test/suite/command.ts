// Runs one command in a session of its own with its output in a file, and ends the whole session when its time is over.
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';

export interface CommandRun {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Its output is appended here. */
  readonly log: string;
  readonly limitMs: number;
  /** Ends the command early: the run was interrupted. */
  readonly signal: AbortSignal;
  /** Told the session, which is the command's process number. */
  readonly onSession: (session: number) => void;
}

/** How long a command that was told to end may take over it. */
const endingMs = 5_000;

/** True when it ended with 0 in time; the reason for anything else is the last line of the log. */
export function runCommand(run: CommandRun): Promise<boolean> {
  const [file = '', ...args] = run.command;
  const log = openSync(run.log, 'a');
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: run.cwd, env: run.env, stdio: ['ignore', log, log], detached: true });
    const timers: NodeJS.Timeout[] = [];
    const tell = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // All of the group have ended.
      }
    };
    const stop = (reason: string): void => {
      writeSync(log, `\n${run.command.join(' ')}: ${reason}\n`);
      tell('SIGTERM');
      timers.push(setTimeout(() => tell('SIGKILL'), endingMs));
    };
    const interrupt = (): void => stop('interrupted');
    const finish = (passed: boolean, reason: string): void => {
      for (const timer of timers) clearTimeout(timer);
      run.signal.removeEventListener('abort', interrupt);
      if (!passed) writeSync(log, `\n${run.command.join(' ')}: ${reason}\n`);
      closeSync(log);
      resolve(passed);
    };
    timers.push(setTimeout(() => stop(`not done after ${Math.round(run.limitMs / 1000)} s`), run.limitMs));
    if (run.signal.aborted) interrupt();
    else run.signal.addEventListener('abort', interrupt);
    if (child.pid !== undefined) run.onSession(child.pid);
    child.once('error', (error) => finish(false, error.message));
    child.once('exit', (code, signal) => finish(code === 0, signal === null ? `exit ${code}` : `ended by ${signal}`));
  });
}
