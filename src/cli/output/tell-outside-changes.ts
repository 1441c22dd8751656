import type { App } from '../../app.ts';
import type { Policy } from '../../config/policy.ts';
import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import { openAlready } from '../../ledger/insert-rotation.ts';
import { textOf } from '../../messages/tell.ts';
import { outsideChanges } from '../../rotation/outside-changes/outside-changes.ts';
import type { Io } from '../io.ts';

/** What a rotation of a policy would adopt now. */
export interface Adoption {
  readonly adopt: boolean;
  /** A rotation that the ledger has lost, and that goes on; left out: a new one begins. */
  readonly goesOn?: string;
}

/**
 * Says on stderr what a rotation of the policy would adopt now, and returns it. Throws a fault
 * `rotation-open-already` while a rotation is open: what there is to adopt is only known when it
 * has ended.
 */
export async function tellOutsideChanges(io: Io, app: App, policy: Policy): Promise<Adoption> {
  const ledger = await app.ledger();
  const [open] = await ledger.open(policy.name);
  if (open) {
    const remedies = [command('status', policy.name)];
    throw fault('rotation-open-already', openAlready(policy.name, open), { remedies });
  }
  await using preview = await app.preview(policy);
  const changes = (await outsideChanges(preview)).filter(({ stops }) => stops);
  for (const { found, effect } of changes) {
    io.stderr.write(`${policy.name}: ${textOf(found)}; adopting that ${textOf(effect)}\n`);
  }
  if (changes.length === 0) {
    io.stderr.write(`${policy.name}: there is nothing to adopt, so this is a rotation like any other\n`);
  }
  const [goesOn] = changes.flatMap(({ effect }) =>
    effect.code === 'effect-goes-on' ? [effect.params.rotation] : [],
  );
  return { adopt: changes.length > 0, ...(goesOn === undefined ? {} : { goesOn }) };
}
