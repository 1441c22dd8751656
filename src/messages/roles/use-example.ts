import type { SeenUse } from '../../facts/rotation/use-facts.ts';

/** Somebody who uses a login, for examples. */
export const USE_EXAMPLE: SeenUse = {
  login: 'orders_b',
  sessions: [
    {
      ...{ pid: 71, application: 'report', address: '10.0.0.7', database: 'orders', elsewhere: false },
      ...{ type: 'client backend', slots: [], state: 'idle', transactionAge: null },
    },
  ],
  prepared: [],
  clients: [],
};
