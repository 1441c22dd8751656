import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Mapping } from '../../config/policy.ts';
import type { Fields } from '../secret-store.ts';
import { CREATE, type Part, refused, type Trial } from './trial.ts';

interface Constant {
  readonly trial: Trial;
  readonly mapping: Mapping;
  /** The fields of a rotation; one of them is the same in each. */
  readonly fields: (number: number) => Fields;
  /** The secret whose value is always the same, and the value. */
  readonly same: { readonly mapping: Mapping; readonly secret: string; readonly value: string };
}

/** What holds where each rotation leaves the value of this field as it is. */
export function constantPart(
  field: 'host' | 'username',
  mappingOf: (trial: Trial) => Mapping,
  fields: (number: number) => Fields,
): Part {
  const constantOf = (trial: Trial): Constant => {
    const mapping = mappingOf(trial);
    const { secret = '' } = mapping[field] ?? {};
    const same = { mapping: { [field]: { secret } }, secret, value: String(fields(0)[field]) };
    return { trial, mapping, fields, same };
  };
  return Object.fromEntries(
    Object.entries(cases).map(([title, run]) => [
      `with a ${field} that is always the same, ${title}`,
      (trial: Trial) => run(constantOf(trial)),
    ]),
  );
}

const cases: Readonly<Record<string, (constant: Constant) => Promise<void>>> = {
  async 'one rotation follows the other, and each can be taken back (G2, G4)'({ trial, mapping, fields }) {
    let before: string | undefined;
    for (const number of [1, 2, 3]) {
      const token = await trial.publish(mapping, fields(number));
      await trial.has(mapping, 'current', { token, fields: fields(number) });
      const previous = before === undefined ? undefined : { token: before, fields: fields(number - 1) };
      await trial.has(mapping, 'previous', previous);
      await trial.has(mapping, 'pending', undefined);
      before = token;
    }
    const last = String(before);
    const second = String((await trial.store.read(mapping, 'previous'))?.token);
    await refused(trial.store.promote(mapping, second), 'version-not-promotable');
    await trial.store.promote(mapping, second, { back: true });
    await trial.has(mapping, 'current', { token: second, fields: fields(2) });
    await trial.has(mapping, 'previous', { token: last, fields: fields(3) });
  },

  async 'a staged version is not current in any secret, and a discard takes it back (G3, G5)'({
    trial,
    mapping,
    fields,
    same,
  }) {
    const first = await trial.publish(mapping, fields(1));
    const token = randomUUID();
    await trial.store.stage(mapping, token, fields(2), CREATE);
    await trial.has(mapping, 'pending', { token, fields: fields(2) });
    assert.equal((await trial.store.read(same.mapping, 'current'))?.token, first);
    await trial.store.discard(mapping, token);
    await trial.has(mapping, 'pending', undefined);
    await trial.has(mapping, 'current', { token: first, fields: fields(1) });
    await refused(trial.store.promote(mapping, token), 'version-not-promotable');
  },

  async 'a discard takes back what is staged where somebody wrote that value by hand before (G3, G5)'({
    trial,
    mapping,
    fields,
    same,
  }) {
    await trial.under.make(same.secret, same.value);
    const token = randomUUID();
    await trial.store.stage(mapping, token, fields(1), CREATE);
    assert.notEqual((await trial.store.read(same.mapping, 'current'))?.token, token);
    await trial.store.discard(mapping, token);
    await trial.has(mapping, 'pending', undefined);
    await refused(trial.store.promote(mapping, token), 'version-not-promotable');
    assert.equal(await trial.under.current(same.secret), same.value);
    const next = await trial.publish(mapping, fields(2));
    await trial.has(mapping, 'current', { token: next, fields: fields(2) });
  },
};
