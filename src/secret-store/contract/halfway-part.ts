import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Field, Mapping } from '../../config/policy.ts';
import type { Fields } from '../secret-store.ts';
import { CREATE, login, type Part, type Trial } from './trial.ts';

interface Halfway {
  readonly trial: Trial;
  readonly mapping: Mapping;
  readonly fields: (number: number) => Fields;
  readonly first: string;
  readonly token: string;
}

/** What holds after a promotion that stopped after one of several secrets. */
export function halfwayPart(name: string, mappingOf: (trial: Trial) => Mapping, fields = login): Part {
  // Object.keys gives strings; the keys of fields are fields.
  const stopped = (Object.keys(fields(0)) as Field[]).flatMap((field) =>
    Object.entries(cases).map(([title, run]) => {
      const runCase = async (trial: Trial) => {
        const mapping = mappingOf(trial);
        const first = await trial.publish(mapping, fields(1));
        const token = randomUUID();
        await trial.store.stage(mapping, token, fields(2), CREATE);
        const secret = mapping[field];
        if (secret !== undefined) await trial.store.promote({ [field]: secret }, token);
        await run({ trial, mapping, fields, first, token });
      };
      return [`a promotion of ${name} that stopped after the ${field} ${title}`, runCase] as const;
    }),
  );
  return Object.fromEntries(stopped);
}

const cases: Readonly<Record<string, (halfway: Halfway) => Promise<void>>> = {
  async 'has its version still, whole, as pending or as current (G4)'({ trial, mapping, fields, token }) {
    const pending = await trial.store.read(mapping, 'pending');
    assert.deepEqual(pending ?? (await trial.store.read(mapping, 'current')), { token, fields: fields(2) });
  },

  async 'is completed by the next, without another password (G1, G4)'({
    trial,
    mapping,
    fields,
    first,
    token,
  }) {
    await trial.store.stage(mapping, token, fields(3), CREATE);
    await trial.store.promote(mapping, token);
    await trial.has(mapping, 'current', { token, fields: fields(2) });
    await trial.has(mapping, 'previous', { token: first, fields: fields(1) });
    await trial.has(mapping, 'pending', undefined);
  },

  async 'is not taken back by a discard: the rest can only follow (G1)'({ trial, mapping, fields, token }) {
    await trial.store.discard(mapping, token);
    await trial.store.promote(mapping, token);
    await trial.has(mapping, 'current', { token, fields: fields(2) });
  },
};
