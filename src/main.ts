// Arguments → command line. The compile cache is switched on before anything else is loaded: it holds the stripped
// sources too and saves two thirds of the start. It lies beside the packages, not in the machine's temporary directory,
// where anybody could put code into it.
import module from 'node:module';
import { fileURLToPath } from 'node:url';

module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/quarterdeck', import.meta.url)));
// A closed pipe (`quarterdeck event list | head`) is a normal end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const { runCli } = await import('./interfaces/cli/cli.ts');
process.exitCode = await runCli(process.argv.slice(2));
