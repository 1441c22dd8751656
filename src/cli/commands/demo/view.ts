import type { Event, Rotation } from '../../../ledger/rotation.ts';
import { tell } from '../../../messages/tell.ts';
import type { PolicyStatus } from '../../../rotation/status.ts';
import type { Io } from '../../io.ts';
import type { Part } from '../../output/output.ts';
import type { Tally } from './tally.ts';

export interface Snapshot {
  readonly elapsed: number;
  readonly duration: number;
  readonly status: PolicyStatus;
  readonly rotations: readonly Rotation[];
  /** Of the latest rotation. */
  readonly events: readonly Event[];
  readonly tally: Tally;
}

/** Shows a snapshot: redrawn in place on a terminal, otherwise a line for each news. */
export function openView(io: Io): (snapshot: Snapshot) => void {
  return io.stdout.isTTY ? openScreen(io) : openLines(io);
}

function openScreen(io: Io): (snapshot: Snapshot) => void {
  let drawn = 0;
  return (snapshot) => {
    const lines = draw(snapshot);
    io.stdout.move({ up: drawn });
    for (const line of lines) {
      io.stdout.move('clear line');
      io.stdout.write(...line);
    }
    drawn = lines.length;
  };
}

function eventText({ step, kind, fact }: Event): string {
  return `${step} ${kind}${fact ? `: ${tell(fact)}` : ''}`;
}

function draw({ elapsed, duration, status, rotations, events, tally }: Snapshot): Part[][] {
  const label = (text: string): Part => ({ text: text.padEnd(11), colour: 'dim' });
  const count = (number: number): Part => ({ text: String(number), colour: number === 0 ? 'green' : 'red' });
  const latest = events.at(-1);
  const sessions = Object.entries(status.sessions ?? {}).map(([login, number]) => `${login} ${number}`);
  return [
    [{ text: 'keyturn demo', colour: 'bold' }, `  ${Math.floor(elapsed / 1000)} s of ${duration / 1000} s`],
    [],
    [label('published'), { text: status.active ?? 'nothing yet', colour: 'cyan' }],
    [label('sessions'), sessions.join('   ') || '-'],
    [
      label('rotation'),
      `${rotations.length}  ${rotations[0]?.outgoing ?? '…'} → ${rotations[0]?.incoming ?? '…'}`,
    ],
    [label('step'), latest ? eventText(latest).slice(0, 100) : '-'],
    [
      label('clients'),
      `${tally.queries} queries, `,
      count(tally.failedQueries),
      ' failed, ',
      count(tally.refusedLogins),
      ' refused logins',
    ],
  ];
}

function openLines(io: Io): (snapshot: Snapshot) => void {
  let told = '';
  return ({ elapsed, rotations, events, tally }) => {
    const latest = events.findLast(({ kind }) => kind !== 'started');
    const rotation = rotations[0];
    if (!latest || !rotation?.incoming) return;
    const news = `rotation ${rotations.length}: ${rotation.outgoing} → ${rotation.incoming}: ${eventText(latest)}`;
    if (news === told) return;
    told = news;
    io.stdout.write(
      `${(elapsed / 1000).toFixed(1).padStart(5)} s  ${news}; ${tally.queries} queries so far\n`,
    );
  };
}
