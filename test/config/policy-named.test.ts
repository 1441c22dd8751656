import { expect, test } from 'vitest';
import { policyNamed } from '../../src/config/policy-named.ts';
import { tellError } from '../../src/messages/tell.ts';
import { load, VALID } from './config-folder.ts';

function faultOf(name: string): unknown {
  try {
    return policyNamed(load(VALID), name);
  } catch (error) {
    return error;
  }
}

test('a policy is found by its name', () => {
  expect(policyNamed(load(VALID), 'orders')).toMatchObject({ name: 'orders', type: 'logins' });
});

test('for a name that is not configured, the nearest one is suggested', () => {
  const error = faultOf('oders');
  expect(error).toMatchObject({
    fact: { code: 'policy-unknown', params: { name: 'oders', near: 'orders', known: ['orders'] } },
  });
  expect(tellError(error)).toBe('There is no policy "oders"; did you mean orders?');
});

test('for a name that is near to none, all are listed', () => {
  const error = faultOf('shop');
  expect(error).toMatchObject({
    fact: { code: 'policy-unknown', params: { name: 'shop', known: ['orders'] } },
  });
  expect(tellError(error)).toBe('There is no policy "shop"; there is orders');
});

test('G3: a name that may hold a password is not repeated', () => {
  const error = faultOf('postgresql://u:hunter2@h');
  expect(error).toMatchObject({ fact: { code: 'policy-unknown', params: { name: '…' } } });
  expect(tellError(error)).not.toContain('hunter2');
});
