import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Mapping } from '../../config/policy.ts';
import { CREATE, login, type Part, refused, type Trial } from './trial.ts';

/** Some services refuse to give a secret that is marked for deletion. */
async function isGone(trial: Trial, mapping: Mapping): Promise<void> {
  for (const { secret } of Object.values(mapping)) {
    assert.equal(await trial.under.current(secret).catch(() => undefined), undefined);
  }
}

function removes(mappingOf: (trial: Trial) => Mapping): (trial: Trial) => Promise<void> {
  return async (trial) => {
    const other: Mapping = {
      username: { secret: trial.under.apart('other-username') },
      password: { secret: trial.under.apart('other-password') },
    };
    const token = await trial.publish(other, login(9));
    const mapping = mappingOf(trial);
    await trial.publish(mapping, login(1));
    await trial.publish(mapping, login(2));
    await trial.store.stage(mapping, randomUUID(), login(3), CREATE);
    for (let count = 0; count < 2; count += 1) {
      await trial.store.remove(mapping);
      await isGone(trial, mapping);
    }
    await trial.has(other, 'current', { token, fields: login(9) });
  };
}

/** How secrets are deleted. */
export const removalPart: Part = {
  'deletes two secrets with all versions, again and again, and no other': removes((trial) => trial.pair()),
  'deletes two secrets apart with all versions, again and again, and no other': removes((trial) =>
    trial.apart(),
  ),
  'deletes one JSON secret with all versions, again and again, and no other': removes((trial) =>
    trial.json(),
  ),

  async 'has nothing to delete where nothing exists'(trial) {
    await trial.store.remove(trial.pair());
    await trial.has(trial.pair(), 'current', undefined);
  },

  async 'does not delete a JSON secret that has keys of others, and changes nothing'(trial) {
    await trial.under.make(trial.under.name('login.json'), '{"team":"orders"}');
    const token = await trial.publish(trial.json(), login(1));
    const { fact } = await refused(trial.store.remove(trial.json()), 'secret-shared');
    assert.deepEqual(Reflect.get(fact.params, 'keys'), ['team']);
    await trial.has(trial.json(), 'current', { token, fields: login(1) });
  },
};
