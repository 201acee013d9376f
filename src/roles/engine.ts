// The engine role: everything that goes on in the background. Several may run; each turn is claimed in the database.
import { runRole } from './role.ts';

await runRole({
  role: 'engine',
  connections: 6,
  async start({ app }) {
    const loops = app.engineLoops().map((loop) => loop.start());
    return {
      async stop() {
        await Promise.all(loops.map((loop) => loop.stop()));
      },
    };
  },
});
