import { EVENTS } from './events.ts';

/** Each entry brings the ledger one version further. Entries are never edited, only added. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE keyturn.policy (
    name text PRIMARY KEY,
    first_seen_at timestamptz NOT NULL
  );

  CREATE TABLE keyturn.rotation (
    id uuid PRIMARY KEY,
    policy text NOT NULL,
    reason text NOT NULL CHECK (reason IN ('first', 'schedule', 'manual', 'emergency')),
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    slot timestamptz,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'failed')),
    incoming text,
    outgoing text,
    published_at timestamptz,
    finished_at timestamptz,
    attempts int NOT NULL DEFAULT 0,
    last_error text
  );
  CREATE UNIQUE INDEX rotation_one_open ON keyturn.rotation (policy) WHERE status = 'open';
  CREATE UNIQUE INDEX rotation_one_per_slot ON keyturn.rotation (policy, slot) WHERE status <> 'failed';
  CREATE INDEX rotation_latest ON keyturn.rotation (policy, requested_at DESC);

  CREATE TABLE keyturn.event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rotation uuid NOT NULL REFERENCES keyturn.rotation,
    at timestamptz NOT NULL,
    step text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('started', 'done', 'waiting', 'failed')),
    detail text
  );
  CREATE UNIQUE INDEX event_once ON keyturn.event (rotation, step, kind) WHERE kind IN ('started', 'done');
  CREATE INDEX event_by_rotation ON keyturn.event (rotation, id);
  `,
  // Pauses; and indexes for what the sweep asks of each policy.
  `
  ALTER TABLE keyturn.policy ADD COLUMN paused_at timestamptz, ADD COLUMN paused_by text;
  CREATE INDEX rotation_finished ON keyturn.rotation (policy, status, finished_at DESC) WHERE status <> 'open';
  CREATE INDEX rotation_asked ON keyturn.rotation (policy, requested_at DESC) WHERE status = 'done' AND slot IS NULL;
  `,
  // A rotation that is on its way back: who said so, and the version that becomes current again.
  `
  ALTER TABLE keyturn.rotation ADD COLUMN rolled_back_by text, ADD COLUMN rolled_back_to text;
  ALTER TABLE keyturn.event ADD COLUMN back boolean NOT NULL DEFAULT false;
  DROP INDEX keyturn.event_once;
  CREATE UNIQUE INDEX event_once ON keyturn.event (rotation, step, kind, back) WHERE kind IN ('started', 'done');
  `,
  // Warnings: what stops nothing and yet must be told, once for each rotation.
  `
  ALTER TABLE keyturn.event DROP CONSTRAINT event_kind_check,
    ADD CONSTRAINT event_kind_check CHECK (kind IN ('started', 'done', 'waiting', 'failed', 'warning'));
  CREATE UNIQUE INDEX event_warning_once ON keyturn.event (rotation, step, md5(detail)) WHERE kind = 'warning';
  `,
  // Rotations that take over what was changed outside, and those that were opened in the place of
  // another.
  `
  ALTER TABLE keyturn.rotation ADD COLUMN adopt boolean NOT NULL DEFAULT false,
    ADD COLUMN replaces uuid REFERENCES keyturn.rotation;
  `,
  // What was made, mended and dropped of the roles of a policy, and what they are meant to be.
  `
  CREATE TABLE keyturn.provision (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    policy text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('create', 'repair', 'drop')),
    connection text NOT NULL,
    logins text[] NOT NULL,
    owner text,
    access text,
    schemas text[] NOT NULL,
    made text[] NOT NULL,
    dropped text[] NOT NULL,
    deactivated text[] NOT NULL,
    requested_by text NOT NULL,
    at timestamptz NOT NULL
  );
  CREATE INDEX provision_latest ON keyturn.provision (policy, id DESC);
  `,
  // The order in which rotations were opened. Instants do not tell it: a clock may have been wrong
  // meanwhile.
  `
  ALTER TABLE keyturn.rotation ADD COLUMN number bigint;
  UPDATE keyturn.rotation AS rotation SET number = counted.number
    FROM (SELECT id, pg_catalog.row_number() OVER (ORDER BY requested_at, finished_at) AS number FROM keyturn.rotation) AS counted
   WHERE counted.id = rotation.id;
  ALTER TABLE keyturn.rotation ALTER COLUMN number SET NOT NULL,
    ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY;
  SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('keyturn.rotation', 'number'),
                (SELECT coalesce(pg_catalog.max(number), 0) + 1 FROM keyturn.rotation), false);
  CREATE INDEX rotation_newest ON keyturn.rotation (policy, number DESC);
  `,
  // Facts instead of sentences; what earlier releases wrote stays in detail and last_error. And
  // what later runs must know of a rotation, which was found in its history until now: of those
  // that are open it is taken from there, by its sentences.
  `
  ALTER TABLE keyturn.event ADD COLUMN fact jsonb, ADD COLUMN subject text NOT NULL DEFAULT '';
  CREATE UNIQUE INDEX event_warning_about ON keyturn.event
    (rotation, step, (fact OPERATOR(pg_catalog.->>) 'code'::pg_catalog.text), subject) WHERE kind = 'warning';
  ALTER TABLE keyturn.rotation ADD COLUMN last_fault jsonb, ADD COLUMN set_begun_at timestamptz,
    ADD COLUMN publish_begun_at timestamptz, ADD COLUMN replicas_behind_since timestamptz,
    ADD COLUMN outgoing_shut_at timestamptz, ADD COLUMN last_look_at timestamptz;
  UPDATE keyturn.rotation AS rotation
     SET set_begun_at = (SELECT pg_catalog.min(at) FROM keyturn.event WHERE event.rotation = rotation.id AND step = 'set'),
         publish_begun_at = (SELECT pg_catalog.min(at) FROM keyturn.event WHERE event.rotation = rotation.id AND step = 'publish'),
         replicas_behind_since = (SELECT pg_catalog.min(at) FROM keyturn.event
           WHERE event.rotation = rotation.id AND back = (rotation.rolled_back_to IS NOT NULL)
             AND (step = 'verify' AND rotation.published_at IS NULL AND detail LIKE '%does not take the new password of %'
                  OR step = 'revoke' AND rotation.published_at IS NOT NULL AND detail LIKE '%still lets % log in%')),
         outgoing_shut_at = (SELECT pg_catalog.min(at) FROM keyturn.event
           WHERE event.rotation = rotation.id AND back = (rotation.rolled_back_to IS NOT NULL)
             AND step = 'revoke' AND kind = 'waiting'),
         last_look_at = (SELECT pg_catalog.min(at) FROM keyturn.event
           WHERE event.rotation = rotation.id AND back = (rotation.rolled_back_to IS NOT NULL)
             AND step = 'revoke' AND kind = 'waiting' AND detail LIKE 'a last look whether %')
   WHERE status = 'open';
  `,
  // When each policy has to be looked at next, by each schedule that some worker has for it: so a
  // sweep finds what is due by an index. Whoever changes what slots are counted from makes the
  // policy due, a worker of an earlier release too. The minute is for workers whose clock is a
  // little behind.
  `
  CREATE TABLE keyturn.due (
    policy text NOT NULL,
    schedule text NOT NULL,
    next_due_at timestamptz NOT NULL,
    slot timestamptz,
    changes bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (policy, schedule)
  );
  CREATE INDEX due_next ON keyturn.due (next_due_at);
  CREATE FUNCTION keyturn.rotation_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    UPDATE keyturn.due SET next_due_at = least(next_due_at, pg_catalog.clock_timestamp() - interval '1 minute'), changes = changes + 1
     WHERE policy = NEW.policy OR policy = OLD.policy;
    RETURN NULL;
  END $$;
  CREATE TRIGGER rotation_opened AFTER INSERT ON keyturn.rotation
    FOR EACH ROW EXECUTE FUNCTION keyturn.rotation_changed();
  CREATE TRIGGER rotation_changed AFTER UPDATE OF policy, slot, status, requested_at, finished_at ON keyturn.rotation
    FOR EACH ROW EXECUTE FUNCTION keyturn.rotation_changed();
  CREATE FUNCTION keyturn.policy_changed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    UPDATE keyturn.due SET next_due_at = least(next_due_at, pg_catalog.clock_timestamp() - interval '1 minute'), changes = changes + 1
     WHERE policy = NEW.name;
    RETURN NULL;
  END $$;
  CREATE TRIGGER policy_paused AFTER INSERT ON keyturn.policy
    FOR EACH ROW WHEN (NEW.paused_at IS NOT NULL) EXECUTE FUNCTION keyturn.policy_changed();
  CREATE TRIGGER policy_changed AFTER UPDATE OF first_seen_at, paused_at ON keyturn.policy
    FOR EACH ROW EXECUTE FUNCTION keyturn.policy_changed();
  `,
  // What keyturn restore did to roles.
  `
  ALTER TABLE keyturn.provision DROP CONSTRAINT provision_kind_check,
    ADD CONSTRAINT provision_kind_check CHECK (kind IN ('create', 'repair', 'drop', 'restore'));
  `,
  // When policies are probed, and which of them publish what does not work. `every` is in
  // milliseconds.
  `
  CREATE TABLE keyturn.probe (
    policy text PRIMARY KEY,
    every bigint NOT NULL,
    next_at timestamptz NOT NULL,
    refusals int NOT NULL DEFAULT 0,
    broken_since timestamptz,
    fact jsonb
  );
  CREATE INDEX probe_next ON keyturn.probe (next_at);
  `,
  // When servers are looked at, and which server each connection led to when its policies were
  // probed.
  `
  CREATE TABLE keyturn.server (
    connection text PRIMARY KEY,
    next_look_at timestamptz NOT NULL,
    server text
  );
  `,
  // Policies that are new count their slots from when they were first seen. Those that earlier
  // releases saw go on counting from the epoch until they have rotated, so that no slot moves.
  `
  ALTER TABLE keyturn.policy ADD COLUMN counts_from_first_seen boolean NOT NULL DEFAULT false;
  ALTER TABLE keyturn.policy ALTER COLUMN counts_from_first_seen SET DEFAULT true;
  `,
  // Who asked: on which machine, and why. And what people did besides asking for rotations.
  `
  ALTER TABLE keyturn.rotation ADD COLUMN requested_host text, ADD COLUMN requested_reason text;
  ALTER TABLE keyturn.policy ADD COLUMN paused_host text, ADD COLUMN paused_reason text;
  CREATE TABLE keyturn.action (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    policy text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('pause', 'resume', 'rollback', 'cancel', 'emergency',
                                       'create', 'repair', 'drop', 'restore')),
    rotation uuid,
    requested_by text NOT NULL,
    requested_host text,
    requested_reason text,
    at timestamptz NOT NULL,
    finished_at timestamptz,
    status text NOT NULL CHECK (status IN ('open', 'done', 'failed')),
    fact jsonb
  );
  CREATE INDEX action_of_policy ON keyturn.action (policy, id);
  CREATE INDEX rotation_in_order ON keyturn.rotation (number);
  `,
  // What is old is removed. For that the ledger knows which policies are still configured, which
  // rotations may have left a version in a store, and finds what is old by an index. A rotation
  // still names the one in whose place it was opened when that one is gone.
  `
  CREATE TABLE keyturn.configured (
    policy text PRIMARY KEY,
    seen_at timestamptz NOT NULL
  );
  CREATE INDEX configured_seen ON keyturn.configured (seen_at);
  ALTER TABLE keyturn.rotation DROP CONSTRAINT rotation_replaces_fkey,
    ADD COLUMN left_staged boolean NOT NULL DEFAULT false;
  CREATE INDEX rotation_left_staged ON keyturn.rotation (number) WHERE left_staged;
  CREATE INDEX rotation_closed ON keyturn.rotation (finished_at, number) WHERE status <> 'open';
  CREATE INDEX action_at ON keyturn.action (at);
  `,
  // Events, the sinks that hear of them, and what each sink still has to hear.
  EVENTS,
  // Destinations that people added and removed.
  `
  ALTER TABLE keyturn.action DROP CONSTRAINT action_kind_check,
    ADD CONSTRAINT action_kind_check CHECK (kind IN ('pause', 'resume', 'rollback', 'cancel', 'emergency',
                                            'create', 'repair', 'drop', 'restore', 'attach', 'detach'));
  `,
];
