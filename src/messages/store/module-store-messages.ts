import type { StoreFacts } from '../../facts/store-facts.ts';
import type { Messages } from '../message.ts';

type ModuleCode = `store-module-${'invalid' | 'wrong-result' | 'failed' | 'too-slow'}`;
type Invalid = StoreFacts['store-module-invalid'];

const WHY: Readonly<Record<Invalid['why'], (invalid: Invalid) => string>> = {
  import: ({ detail }) => `cannot be loaded: ${detail}`,
  'no-open-store': () => 'exports no function openStore',
  'open-store': ({ detail }) => `openStore fails: ${detail}`,
  'no-store': () => 'openStore gives no store',
  'no-verb': ({ verb }) => `its store has no verb ${verb}`,
};

export const moduleStoreMessages: Messages<Pick<StoreFacts, ModuleCode>> = {
  'store-module-invalid': {
    text: (invalid) =>
      `The module ${invalid.module} of the store ${invalid.store} ${WHY[invalid.why](invalid)}`,
    advice: 'export function openStore({ name, options }), which gives a store as docs/stores.md says',
    means:
      'A module that is to be a store does not keep the contract of stores. Nothing was changed. `keyturn/store-contract` has the tests that it must pass.',
    example: { store: 'mine', module: './my-store.mjs', why: 'no-verb', verb: 'promote' },
  },
  'store-module-wrong-result': {
    text: ({ store, verb }) => `The store ${store}: ${verb} gives something that the contract does not know`,
    advice: 'correct the module; keyturn/store-contract has the tests that it must pass',
    means: 'A module gave a result of the wrong shape, so keyturn does not know what is in the store.',
    example: { store: 'mine', verb: 'read' },
  },
  'store-module-failed': {
    text: ({ store, verb, detail }) => `The store ${store}: ${verb} fails: ${detail}`,
    advice: 'see the module; it should throw a fault of keyturn/store-contract that says what to do',
    means:
      'A module threw an error that is no fault. Its message is not shown, because it may repeat a value. It is tried again.',
    example: { store: 'mine', verb: 'stage', detail: 'ECONNREFUSED' },
  },
  'store-module-too-slow': {
    text: ({ store, verb, seconds }) => `The store ${store}: ${verb} has not ended after ${seconds} seconds`,
    advice: 'see what the module waits for; each of its requests should have a bound',
    means: 'A module took longer than a verb may take. keyturn no longer waits for it, and tries again.',
    example: { store: 'mine', verb: 'stage', seconds: 60 },
  },
};
