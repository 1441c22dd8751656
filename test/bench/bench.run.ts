import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { afterAll, test } from 'vitest';
import { measureBigDatabase } from './big-database.ts';
import { measureCost } from './cost.ts';
import { measureDrains } from './drains.ts';
import { measureFleet } from './fleet.ts';
import { describeMachine } from './machine.ts';
import { progress } from './measure.ts';
import { measureOneRotation } from './one-rotation.ts';
import { COMMAND, isAsked, isWhole, RESULT, VERBOSE } from './options.ts';
import { measureProbes } from './probes.ts';
import { measureProcessor } from './processor.ts';
import { measureRate } from './rate.ts';
import { barsText, type Ended, markdown, type Section, sectionText } from './report.ts';
import { measureSlotRush } from './slot-rush.ts';
import { measureStartUp } from './start-up.ts';

const PAGE = resolve(import.meta.dirname, '../../docs/benchmarks.md');

/** The letters are those that `--only` takes. */
const PARTS: readonly (readonly [letter: string, title: string, measure: () => Promise<Section>])[] = [
  ['a', 'One rotation', measureOneRotation],
  ['b', 'Many rotations', measureRate],
  ['c', 'What a rotation asks', measureCost],
  ['d', 'A big database', measureBigDatabase],
  ['e', 'Many due at one instant on a small server', measureSlotRush],
  ['f', 'Idle policies', measureFleet],
  ['g', 'Many drains', measureDrains],
  ['h', 'Start-up', measureStartUp],
  ['i', 'Probes', measureProbes],
  ['j', 'Where the processor time goes', measureProcessor],
];

const ended: Ended[] = [];

for (const [letter, title, measure] of PARTS) {
  test.skipIf(!isAsked(letter))(`(${letter}) ${title}`, async () => {
    progress(`(${letter}) ${title}`);
    try {
      ended.push({ letter, title, section: await measure() });
    } catch (error) {
      // A page of the documentation names no folder of this machine.
      const failure = String(error instanceof Error ? error.message : error).replaceAll(tmpdir(), '…');
      progress(`(${letter}) failed: ${error instanceof Error ? error.stack : failure}`);
      ended.push({ letter, title, failure });
    }
    await write();
  });
}

afterAll(async () => {
  if (isWhole) await writeFile(PAGE, await text(false));
});

/** After each part, so that what is measured is not lost with a later one. */
async function write(): Promise<void> {
  if (RESULT !== undefined) await writeFile(RESULT, await text(VERBOSE));
}

let machine: Promise<string> | undefined;

async function text(verbose: boolean): Promise<string> {
  machine ??= describeMachine().then(markdown);
  return `${[HEAD, await machine, `\`${COMMAND}\``, barsText(ended), ...ended.map((each) => sectionText(each, verbose))].join('\n\n')}\n`;
}

const HEAD = `# Benchmarks

\`npm run bench\` writes this page. Every ratio is against a floor that was measured in the same run, in turns with it.`;
