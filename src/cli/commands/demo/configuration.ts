/** The demo's configuration. Anyone could write it; only its times are short. */
export const POLICY = 'shop';
export const CLIENTS = 8;

export const CONFIGURATION = `connections:
  demo: { database: shop }
stores:
  files: { type: file, path: .keyturn/secrets }
policies:
  ${POLICY}:
    connection: demo
    logins: [shop_a, shop_b]
    owner: shop_owner
    schedule: { every: 8s }
    verify: ["SELECT count(*) FROM orders"]
    drain: { grace: 1s, timeout: 5s }
    publish:
      - store: files
        create: true
        secrets: { username: shop/username, password: shop/password }
`;

export const SAMPLE_DATABASE = `
  SET ROLE shop_owner;
  CREATE TABLE IF NOT EXISTS public.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item text NOT NULL,
    ordered_at timestamptz NOT NULL DEFAULT pg_catalog.now()
  );
  RESET ROLE;
`;
