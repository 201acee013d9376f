import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openHookMachine } from '../../../../../test/support/hooks.ts';

// Nothing listens there: what hooks note stays where the test can look at it.
const nowhere = { url: 'http://127.0.0.1:9', token: 'qd_agent_none' };

/** Every name below a directory with its mode and bytes, links by where they lead. */
function snapshot(dir: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => {
        const facts = lstatSync(path);
        const content = facts.isSymbolicLink()
          ? readlinkSync(path)
          : facts.isFile()
            ? readFileSync(path, 'latin1')
            : '';
        return [path, `${facts.mode.toString(8)} ${content}`];
      }),
  );
}

function hookFile(dir: string, name: string, text: string, mode = 0o755): void {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, name), text, 'latin1');
  chmodSync(join(dir, name), mode);
}

describe('hooks that are there already', () => {
  it('run as before, under their own name, and are byte by byte the same when ours are out again', async () => {
    const machine = openHookMachine(nowhere);
    const repo = machine.repository('shop');
    const hooks = join(repo, '.git', 'hooks');
    const said = join(machine.dir, 'said');
    hookFile(hooks, 'post-commit', `#!/usr/bin/env bash\n# caf\xe9\necho "$0 commit" >>"${said}"; exit 3\n`);
    hookFile(hooks, 'post-checkout', `#!/bin/sh\necho never >>"${said}"\n`, 0o644);
    hookFile(join(repo, 'scripts'), 'merged', `#!/bin/sh\necho "merge $1" >>"${said}"\n`);
    symlinkSync('../../scripts/merged', join(hooks, 'post-merge'));
    hookFile(
      hooks,
      'pre-push',
      `#!/usr/bin/env python3\nimport sys\nopen("${said}", "a").write(f"push {sys.argv[1]} {sys.stdin.read()}")\n`,
    );
    const before = snapshot(join(repo, '.git', 'hooks'));

    await machine.hook('install', 'git', '--repo', repo);
    const installed = snapshot(hooks);
    expect(await machine.hook('install', 'git', '--repo', repo)).toMatchObject({ changed: [] });
    expect(snapshot(hooks)).toEqual(installed);

    await machine.git(machine.dir, 'init', '--quiet', '--bare', 'origin.git');
    await machine.git(repo, 'remote', 'add', 'origin', join(machine.dir, 'origin.git'));
    await machine.git(repo, 'switch', '--quiet', '-c', 'side');
    await machine.git(repo, 'commit', '--quiet', '--allow-empty', '-m', 'second');
    const side = await machine.git(repo, 'rev-parse', 'HEAD');
    await machine.git(repo, 'switch', '--quiet', 'main');
    await machine.git(repo, 'merge', '--quiet', '--no-ff', '-m', 'both', 'side');
    await machine.git(repo, 'push', '--quiet', 'origin', 'side');
    expect(readFileSync(said, 'utf8')).toBe(
      `.git/hooks/post-commit commit\nmerge 0\npush origin refs/heads/side ${side} refs/heads/side ${'0'.repeat(40)}\n`,
    );
    await vi.waitFor(() => {
      const types = machine.waiting().map(({ event_type }) => event_type);
      expect(types.sort()).toEqual(['git.checkout', 'git.checkout', 'git.commit', 'git.merge', 'git.push']);
    }, 15_000);

    expect(await machine.hook('remove', 'git', '--repo', repo)).toMatchObject({
      changed: ['post-applypatch', 'post-checkout', 'post-commit', 'post-merge', 'pre-push'],
    });
    expect(snapshot(hooks)).toEqual(before);
    expect(await machine.hook('remove', 'git', '--repo', repo)).toMatchObject({ changed: [] });
  });

  it('that refuse a push still refuse it, and that is told as a push that failed', async () => {
    const machine = openHookMachine(nowhere);
    const repo = machine.repository('shop');
    await machine.git(machine.dir, 'init', '--quiet', '--bare', 'origin.git');
    await machine.git(repo, 'remote', 'add', 'origin', join(machine.dir, 'origin.git'));
    hookFile(
      join(repo, '.git', 'hooks'),
      'pre-push',
      '#!/bin/sh -eu\nread -r local sha remote old\n[ "$local" != refs/heads/main ]\n',
    );
    await machine.hook('install', 'git', '--repo', repo);
    await expect(machine.git(repo, 'push', '--quiet', 'origin', 'main')).rejects.toThrow();
    await vi.waitFor(() => {
      expect(machine.waiting().map(({ event_type }) => event_type)).toEqual(['git.push.failed']);
    }, 15_000);
  });

  it('are freed of ours also after git was told to look elsewhere', async () => {
    const machine = openHookMachine(nowhere);
    const repo = machine.repository('shop');
    const hooks = join(repo, '.git', 'hooks');
    const before = snapshot(hooks);
    await machine.hook('install', 'git', '--repo', repo);
    await machine.git(repo, 'config', 'core.hooksPath', machine.dir);
    expect(await machine.hook('status', '--repo', repo)).toMatchObject({
      items: [{ hooks: [], note: 'something else took it out: install it again' }],
    });
    await machine.hook('remove', 'git', '--repo', repo);
    expect(snapshot(hooks)).toEqual(before);
  });

  it('changed by their owner after ours came keep the change', async () => {
    const machine = openHookMachine(nowhere);
    const repo = machine.repository('shop');
    const path = join(repo, '.git', 'hooks', 'post-commit');
    await machine.hook('install', 'git', '--repo', repo);
    const made = readFileSync(path, 'utf8');
    writeFileSync(path, `${made}echo mine\n`);
    await machine.hook('remove', 'git', '--repo', repo);
    expect(readFileSync(path, 'utf8')).toBe('#!/bin/sh\n# Made by `quarterdeck hook install git`.\necho mine\n');
  });
});

describe('where hooks lie', () => {
  it('elsewhere than in the repository, or in what is committed, nothing is changed unless it is said', async () => {
    const machine = openHookMachine(nowhere);
    const repo = machine.repository('shop');
    const committed = join(repo, '.githooks');
    hookFile(committed, 'post-commit', '#!/bin/sh\n:\n');
    const ofAll = join(machine.dir, 'hooks-of-all');
    mkdirSync(ofAll);
    for (const dir of ['.githooks', ofAll]) {
      await machine.git(repo, 'config', 'core.hooksPath', dir);
      const before = [snapshot(committed), snapshot(ofAll)];
      const { exitCode, stderr } = await machine.tryHook('install', 'git', '--repo', repo);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('--shared') });
      expect([snapshot(committed), snapshot(ofAll)]).toEqual(before);
      expect(existsSync(machine.state)).toBe(false);
    }
    await machine.hook('install', 'git', '--repo', repo, '--shared');
    await machine.git(repo, 'commit', '--quiet', '--allow-empty', '-m', 'second');
    await vi.waitFor(() => expect(machine.waiting()).toHaveLength(1), 15_000);
    await machine.hook('remove', 'git', '--repo', repo);
    expect(readdirSync(ofAll)).toEqual([]);
  });

  it('in the directory of husky, which git ignores, they are installed beside its own', async () => {
    const machine = openHookMachine(nowhere);
    const repo = machine.repository('shop');
    const husky = join(repo, '.husky', '_');
    // As husky 9 makes it: a stub for each hook that finds the owner's script by its own name.
    hookFile(husky, '.gitignore', '*', 0o644);
    hookFile(
      husky,
      'h',
      's=$(dirname "$(dirname "$0")")/$(basename "$0")\n[ ! -f "$s" ] || sh -e "$s" "$@"\nexit $?\n',
    );
    hookFile(husky, 'post-commit', '#!/usr/bin/env sh\n. "$(dirname "$0")/h"');
    hookFile(join(repo, '.husky'), 'post-commit', `echo husky >>"${join(machine.dir, 'said')}"\n`, 0o644);
    await machine.git(repo, 'config', 'core.hooksPath', '.husky/_');
    const before = snapshot(husky);
    await machine.hook('install', 'git', '--repo', repo);
    await machine.git(repo, 'commit', '--quiet', '--allow-empty', '-m', 'second');
    expect(readFileSync(join(machine.dir, 'said'), 'utf8')).toBe('husky\n');
    await vi.waitFor(() => expect(machine.waiting()).toHaveLength(1), 15_000);
    await machine.hook('remove', 'git', '--repo', repo);
    expect(snapshot(husky)).toEqual(before);
  });

  it('a linked work tree and a submodule report as themselves, a bare repository what it receives', async () => {
    const machine = openHookMachine(nowhere);
    const repo = machine.repository('shop');
    const tree = join(machine.dir, 'tree');
    await machine.git(repo, 'worktree', 'add', '--quiet', '-b', 'side', tree);
    expect(await machine.hook('install', 'git', '--repo', tree)).toMatchObject({ place: join(repo, '.git') });
    await machine.git(tree, 'commit', '--quiet', '--allow-empty', '-m', 'in the tree');

    const whole = machine.repository('whole');
    await machine.git(whole, 'submodule', '--quiet', 'add', repo, 'parts');
    await machine.hook('install', 'git', '--repo', join(whole, 'parts'));
    await machine.git(join(whole, 'parts'), 'commit', '--quiet', '--allow-empty', '-m', 'in the part');

    const bare = join(machine.dir, 'central.git');
    await machine.git(machine.dir, 'init', '--quiet', '--bare', bare);
    await machine.hook('install', 'git', '--repo', bare);
    await machine.git(whole, 'push', '--quiet', bare, 'main');

    await vi.waitFor(() => {
      const facts = machine
        .waiting()
        .map(({ event_type, payload }) => [event_type, payload['repository'], payload['subject']]);
      expect(facts.sort()).toEqual([
        ['git.commit', 'parts', 'in the part'],
        ['git.commit', 'tree', 'in the tree'],
        ['git.push.received', 'central', undefined],
      ]);
    }, 15_000);
  });

  it('is no repository: a clear refusal', async () => {
    const machine = openHookMachine(nowhere);
    const { exitCode, stderr } = await machine.tryHook('install', 'git', '--repo', machine.dir);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('not a git repository'),
    });
  });
});

describe('commits that are made of others', () => {
  it('by rebase, cherry-pick, amendment and patches from mail are told, each once', async () => {
    const machine = openHookMachine(nowhere);
    const repo = machine.repository('shop');
    const commit = async (name: string) => {
      writeFileSync(join(repo, name), name);
      await machine.git(repo, 'add', name);
      await machine.git(repo, 'commit', '--quiet', '-m', name);
    };
    await machine.git(repo, 'switch', '--quiet', '-c', 'side');
    await commit('one');
    await commit('two');
    await machine.git(repo, 'switch', '--quiet', 'main');
    await commit('three');
    await machine.git(repo, 'format-patch', '--quiet', '-1', '-o', machine.dir, 'side~1');
    await machine.hook('install', 'git', '--repo', repo);
    await machine.git(repo, 'rebase', '--quiet', 'main', 'side');
    await machine.git(repo, 'switch', '--quiet', 'main');
    await machine.git(repo, 'cherry-pick', 'side');
    await machine.git(repo, 'commit', '--quiet', '--amend', '-m', 'two, better');
    await machine.git(repo, 'am', '--quiet', join(machine.dir, '0001-one.patch'));
    await vi.waitFor(() => {
      const commits = machine.waiting().filter(({ event_type }) => event_type === 'git.commit');
      expect(commits.map(({ payload }) => payload['subject']).sort()).toEqual([
        'one',
        'one',
        'two',
        'two',
        'two, better',
      ]);
    }, 15_000);
  });
});

describe('git goes on', () => {
  it('when Quarterdeck was removed, its state cannot be written, or the program is gone', async () => {
    const machine = openHookMachine(nowhere);
    const repo = machine.repository('shop');
    await machine.hook('install', 'git', '--repo', repo);
    const report = join(machine.state, 'report');
    const program = readFileSync(report, 'utf8');
    writeFileSync(report, program.replace(/^program=.*$/m, "program='/nowhere/report.ts'"));
    await machine.git(repo, 'commit', '--quiet', '--allow-empty', '-m', 'program gone');
    expect(await machine.hook('status', '--repo', repo)).toMatchObject({
      items: [{ tool: 'git', note: 'the program that reports is gone: install it again' }],
    });
    writeFileSync(report, program);
    // A file where a directory has to be: it cannot be written by root either.
    writeFileSync(join(machine.state, 'boxes'), '');
    await machine.git(repo, 'commit', '--quiet', '--allow-empty', '-m', 'no room');
    rmSync(machine.state, { recursive: true, maxRetries: 5 });
    await machine.git(repo, 'commit', '--quiet', '--allow-empty', '-m', 'all gone');
    expect(await machine.git(repo, 'log', '--format=%s')).toBe('all gone\nno room\nprogram gone\nfirst');
  });
});
