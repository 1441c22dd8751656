import { expect, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { command } from '../../src/facts/remedy.ts';
import { dropTargetOf } from '../../src/roles/drop/drop-target.ts';
import { refuseRotator } from '../../src/roles/refuse-rotator.ts';
import { load, VALID } from '../config/config-folder.ts';

const YAML = `${VALID}  self:
    type: rotator
    connection: db
    publish:
      - store: files
        secrets: { username: keyturn/username, password: keyturn/password }
`;

test('keyturn neither creates nor drops the login of a rotator policy, and says who creates it', () => {
  const config = load(YAML);
  const reason = expect.objectContaining({
    fact: fact('rotator-policy-without-roles', { policy: 'self' }, command('roles', 'rotator', 'db')),
  });
  const self = [...config.policies.values()].find(({ name }) => name === 'self');
  expect(() => self && refuseRotator(self)).toThrow(reason);
  expect(() => dropTargetOf('self', config, new Map())).toThrow(reason);
  expect(dropTargetOf('orders', config, new Map())?.logins).toEqual(['orders_a', 'orders_b']);
});
