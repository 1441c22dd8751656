import { randomUUID } from 'node:crypto';
import { examinePolicy } from '../../src/doctor/examine-policy.ts';
import { scheduleFindings } from '../../src/doctor/schedule-findings.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import { remedyOf, tell } from '../../src/messages/tell.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { cancel } from '../../src/rotation/cancel.ts';
import { mustAdopt } from '../../src/rotation/outside-changes/outside-changes.ts';
import { rollBack } from '../../src/rotation/roll-back.ts';
import type { Outcome } from '../../src/rotation/rotate.ts';
import type { Scenario } from './scenario.ts';

/** As many runs as show that a rotation does not end by itself. */
const RUNS = 8;

/** What an operator has: commands, and what `status` and `doctor` say. Waits pass at once, by a clock that leaps. */
export function operatorOf(opened: Scenario) {
  let offset = 0;
  const clock = { now: () => Date.now() + offset };
  const scenario = opened.with({ clock });
  const { ledger, policy } = scenario;

  /** A worker: it brings a rotation on until that has ended, or is tried again and again. */
  async function work(rotation: Rotation): Promise<void> {
    for (let run = 0; run < RUNS; run += 1) {
      const outcome: Outcome = await scenario.run(rotation);
      if (!('until' in outcome)) return;
      offset = Math.max(offset, outcome.until - Date.now());
    }
  }

  async function last(): Promise<Rotation | undefined> {
    return (await ledger.latest({ policy: policy.name, limit: 1 }))[0];
  }

  async function request(reason: 'manual' | 'emergency', adopt: boolean): Promise<void> {
    const id = randomUUID();
    const rotation = await ledger.request({
      id,
      policy: policy.name,
      reason,
      requestedBy: 'operator',
      adopt,
    });
    if (rotation) await work(rotation);
  }

  async function open(): Promise<Rotation> {
    const [rotation] = await ledger.open(policy.name);
    if (!rotation) throw new Error('no rotation is open');
    return rotation;
  }

  /** Carries out what follows `keyturn`, as that does; throws what it says. */
  async function carryOut(command: string): Promise<void> {
    const flags = command.split(' ').filter((word) => word.startsWith('--'));
    const adopt = flags.includes('--adopt');
    if (command.startsWith('rotate')) {
      const [running] = await ledger.open(policy.name);
      if (running && adopt) throw new Error('a rotation is open');
      if (flags.includes('--emergency')) {
        if (running) await ledger.escalate(running.id, { requestedBy: 'test' });
        if (running) await work(running);
        return request('emergency', adopt);
      }
      // As with --inline.
      if (running) await work(running);
      return request('manual', adopt);
    }
    if (command.startsWith('roles create')) {
      for (const login of policy.logins) {
        const { rows } = await scenario.admin.query('SELECT FROM pg_roles WHERE rolname = $1', [login]);
        if (rows.length === 0) await scenario.admin.query(`CREATE ROLE ${quoteIdentifier(login)} NOLOGIN`);
      }
      const [running] = await ledger.open(policy.name);
      if (running) await work(running);
      return;
    }
    const running = await open();
    await using context = scenario.context(running);
    if (command.startsWith('cancel')) await cancel(context, { requestedBy: 'operator' });
    else {
      await rollBack(context, { requestedBy: 'operator' });
      await work(running);
    }
  }

  /** The commands that `status` and `doctor` name now, those of `status` first. */
  async function named(): Promise<string[]> {
    const row = await last();
    const running = row?.status === 'open' ? row : undefined;
    const findings = await examinePolicy(policy, {
      connection: scenario.connection,
      usable: true,
      destinations: scenario.destinations,
      ledger,
      open: running,
      clock,
    });
    await using context = scenario.preview();
    const adopt = row?.status === 'failed' && (await mustAdopt(context, ledger).catch(() => false));
    const timing = await ledger.timing(policy.name);
    findings.push(...scheduleFindings(policy, { timing, last: row, now: clock.now(), adopt }));
    const texts = [
      row?.status === 'done' ? '' : row?.lastFault ? tell(row.lastFault) : '',
      ...findings
        .filter(({ level }) => level === 'fail' || level === 'warn')
        .map(({ fact }) => remedyOf(fact) ?? ''),
    ];
    const commands = texts.flatMap((text) => [
      ...text.matchAll(/keyturn (rotate|rollback|cancel|roles create) (\S+?)((?: --[a-z]+)*)(?=$|[\s;,.])/g),
    ]);
    return [
      ...new Set(
        commands.filter(([, , name]) => name === policy.name).map(([, verb, , flags]) => `${verb}${flags}`),
      ),
    ];
  }

  /** Whether no rotation is open, and what is published logs in. */
  async function isWell(): Promise<boolean> {
    if ((await ledger.open(policy.name)).length > 0) return false;
    try {
      await using _session = await scenario.logIn(await scenario.published());
      return true;
    } catch {
      return false;
    }
  }

  return { scenario, work, carryOut, named, isWell };
}
