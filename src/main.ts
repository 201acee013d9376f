// Arguments → command line. bin/quarterdeck has switched the compile cache on before this file was loaded; started
// without it (the tests, another supervisor) it is switched on here, where it still holds all that comes after. It saves
// two thirds of the start. It lies beside the packages, not in the machine's temporary directory, where anybody could
// put code into it.
import module from 'node:module';
import { fileURLToPath } from 'node:url';

module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/quarterdeck', import.meta.url)));
// A closed pipe (`quarterdeck event list | head`) is a normal end, and one for talk that is closed ends nothing.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.stderr.on('error', () => undefined);

const args = process.argv.slice(2);
// Scripts and monitors ask this often: it is answered before the operations and their schemas are loaded.
if (args.length === 1 && ['version', '--version', '-V'].includes(args[0]!)) {
  const { version } = await import('./platform/version.ts');
  process.stdout.write(`${version}\n`);
} else {
  const { runCli } = await import('./interfaces/cli/cli.ts');
  process.exitCode = await runCli(args);
}
