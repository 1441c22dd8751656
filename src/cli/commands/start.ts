import type { Command } from 'commander';
import { counted } from '../../counted.ts';
import type { Fact } from '../../facts/fact.ts';
import { tell, tellProblem } from '../../messages/tell.ts';
import { interrupted } from '../interrupted.ts';
import type { Io } from '../io.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

export function registerStart(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .action((options: ConfigOption) =>
      withApp(logging(io), options, async (app) => {
        let reload = () => {};
        const stop = interrupted({ onReload: () => reload() });
        const stopping = new AbortController();
        void stop.then(() => stopping.abort());
        for (const warning of app.config.warnings) {
          io.stderr.write(`warning: ${tellProblem(warning)}\n`);
        }
        const onReason = (reason: Fact) => io.stderr.write(`keyturn is waiting: ${tell(reason)}\n`);
        const work = async () => {
          const worker = await app.work();
          reload = () => void worker.reload();
        };
        if (await app.reach({ stop: stopping.signal, onReason }, work)) {
          const { policies, queueRedis } = app.config;
          io.stderr.write(
            `keyturn is ready: ${counted(policies.size, 'policy', 'policies')}, queue on ${queueRedis ? 'Redis' : 'PostgreSQL'}\n`,
          );
          // Without its state database a worker has nothing to do. The exit code tells the service
          // manager.
          const lost = app.lost.then((fault) => Promise.reject(fault));
          await Promise.race([stop, lost]);
        }
        io.stderr.write('keyturn is stopping; the next worker continues what is open\n');
      }),
    );
}

/** A worker has a log. Other commands say themselves what goes wrong. */
function logging(io: Io): Io {
  return { ...io, env: { ...io.env, KEYTURN_LOG_LEVEL: io.env.KEYTURN_LOG_LEVEL || 'info' } };
}
