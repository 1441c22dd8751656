/**
 * Events that people want to hear of, written by the statement that makes them true, whoever sends
 * it, so that a rotation costs no statement more. A trigger gives each to the sinks that workers
 * have registered.
 *
 * One statement may write that a login has drained and that the rotation is done. The row of the
 * rotation changes first, so the trigger of that tells both, in their order. Triggers of one table
 * fire in the order of their names: https://www.postgresql.org/docs/current/trigger-definition.html
 */
export const EVENTS = `
CREATE TABLE keyturn.sink (
  name text PRIMARY KEY,
  policies text[],
  types text[],
  seen_at timestamptz NOT NULL,
  failures int NOT NULL DEFAULT 0,
  rests_until timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE TABLE keyturn.policy_event (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  type text NOT NULL,
  policy text NOT NULL,
  rotation uuid,
  slot timestamptz,
  at timestamptz NOT NULL,
  fact jsonb NOT NULL
);
CREATE INDEX policy_event_of_policy ON keyturn.policy_event (policy, number);
CREATE INDEX policy_event_at ON keyturn.policy_event (at);
CREATE INDEX policy_event_of_rotation ON keyturn.policy_event (rotation, type);
CREATE UNIQUE INDEX policy_event_overdue ON keyturn.policy_event (policy, slot) WHERE type = 'rotation.overdue';
CREATE TABLE keyturn.delivery (
  sink text NOT NULL,
  event bigint NOT NULL REFERENCES keyturn.policy_event ON DELETE CASCADE,
  policy text NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'dead')),
  attempts int NOT NULL DEFAULT 0,
  since timestamptz NOT NULL,
  next_at timestamptz NOT NULL DEFAULT '-infinity',
  finished_at timestamptz,
  fact jsonb,
  PRIMARY KEY (event, sink)
);
CREATE INDEX delivery_pending ON keyturn.delivery (sink, policy, event) WHERE status = 'pending';
CREATE INDEX delivery_dead ON keyturn.delivery (event) WHERE status = 'dead';

CREATE FUNCTION keyturn.event_to_sinks() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO keyturn.delivery (sink, event, policy, since)
  SELECT sink.name, NEW.number, NEW.policy, NEW.at FROM keyturn.sink
   WHERE (sink.policies IS NULL OR NEW.policy = ANY (sink.policies))
     AND (sink.types IS NULL OR NEW.type = ANY (sink.types));
  RETURN NULL;
END $$;
CREATE TRIGGER event_to_sinks AFTER INSERT ON keyturn.policy_event
  FOR EACH ROW EXECUTE FUNCTION keyturn.event_to_sinks();

CREATE FUNCTION keyturn.event_of_line() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO keyturn.policy_event (type, policy, rotation, at, fact)
  SELECT 'rotation.started', policy, id, NEW.at, jsonb_build_object('code', 'rotation-started', 'params',
           jsonb_build_object('rotation', id, 'reason', reason, 'by', requested_by))
    FROM keyturn.rotation WHERE id = NEW.rotation AND NEW.step = 'check'
  UNION ALL
  SELECT 'rotation.drained', policy, id, NEW.at, jsonb_build_object('code', 'rotation-drained', 'params',
           jsonb_build_object('rotation', id, 'login', CASE WHEN NEW.back THEN incoming ELSE outgoing END))
    FROM keyturn.rotation WHERE id = NEW.rotation AND NEW.step = 'drain' AND reason <> 'emergency' AND status = 'open';
  RETURN NULL;
END $$;
CREATE TRIGGER event_of_line AFTER INSERT ON keyturn.event FOR EACH ROW
  WHEN (NEW.step = 'check' AND NEW.kind = 'started' OR NEW.step = 'drain' AND NEW.kind = 'done')
  EXECUTE FUNCTION keyturn.event_of_line();

CREATE FUNCTION keyturn.event_of_publish() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO keyturn.policy_event (type, policy, rotation, at, fact)
  VALUES ('rotation.published', NEW.policy, NEW.id, NEW.published_at,
          jsonb_build_object('code', 'rotation-published', 'params', jsonb_build_object('rotation', NEW.id,
            'login', CASE WHEN NEW.rolled_back_to IS NULL THEN NEW.incoming ELSE NEW.outgoing END,
            'isBack', NEW.rolled_back_to IS NOT NULL)));
  RETURN NULL;
END $$;
CREATE TRIGGER event_of_publish AFTER UPDATE OF published_at ON keyturn.rotation FOR EACH ROW
  WHEN (OLD.published_at IS NULL AND NEW.published_at IS NOT NULL) EXECUTE FUNCTION keyturn.event_of_publish();

CREATE FUNCTION keyturn.event_of_failures() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO keyturn.policy_event (type, policy, rotation, at, fact)
  SELECT 'rotation.failed', NEW.policy, NEW.id, clock_timestamp(), jsonb_build_object('code', 'rotation-keeps-failing',
           'params', jsonb_build_object('rotation', NEW.id, 'attempts', NEW.attempts, 'cause', NEW.last_fault))
   WHERE NOT EXISTS (SELECT FROM keyturn.policy_event WHERE rotation = NEW.id AND type = 'rotation.failed');
  RETURN NULL;
END $$;
CREATE TRIGGER event_of_failures AFTER UPDATE OF attempts ON keyturn.rotation FOR EACH ROW
  WHEN (OLD.attempts < 5 AND NEW.attempts >= 5) EXECUTE FUNCTION keyturn.event_of_failures();

CREATE FUNCTION keyturn.event_when_over() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before text := (SELECT type FROM keyturn.policy_event
                   WHERE policy = NEW.policy AND type IN ('rotation.failed', 'rotation.overdue', 'rotation.completed')
                   ORDER BY number DESC LIMIT 1);
BEGIN
  IF NEW.status = 'failed' THEN
    INSERT INTO keyturn.policy_event (type, policy, rotation, at, fact)
    VALUES ('rotation.failed', NEW.policy, NEW.id, NEW.finished_at, jsonb_build_object('code', 'rotation-ended',
            'params', jsonb_build_object('rotation', NEW.id, 'cause', NEW.last_fault)));
    RETURN NULL;
  END IF;
  INSERT INTO keyturn.policy_event (type, policy, rotation, at, fact)
  SELECT 'rotation.drained', NEW.policy, NEW.id, NEW.finished_at, jsonb_build_object('code', 'rotation-drained',
           'params', jsonb_build_object('rotation', NEW.id, 'login', NEW.outgoing))
   WHERE NEW.reason <> 'emergency' AND NEW.outgoing IS NOT NULL AND NOT EXISTS (
     SELECT FROM keyturn.policy_event WHERE rotation = NEW.id AND type = 'rotation.drained');
  INSERT INTO keyturn.policy_event (type, policy, rotation, at, fact)
  VALUES ('rotation.completed', NEW.policy, NEW.id, NEW.finished_at, jsonb_build_object('code', 'rotation-completed',
          'params', jsonb_build_object('rotation', NEW.id, 'incoming', NEW.incoming, 'outgoing', NEW.outgoing)));
  INSERT INTO keyturn.policy_event (type, policy, rotation, at, fact)
  SELECT 'rotation.recovered', NEW.policy, NEW.id, NEW.finished_at, jsonb_build_object('code', 'rotation-works-again',
           'params', jsonb_build_object('rotation', NEW.id))
   WHERE before <> 'rotation.completed';
  RETURN NULL;
END $$;
CREATE TRIGGER event_when_over AFTER UPDATE OF status ON keyturn.rotation FOR EACH ROW
  WHEN (OLD.status = 'open' AND NEW.status <> 'open') EXECUTE FUNCTION keyturn.event_when_over();

CREATE FUNCTION keyturn.event_of_roles() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  created text[] := ARRAY(SELECT unnest(NEW.made) INTERSECT SELECT unnest(NEW.logins) ORDER BY 1);
  deleted text[] := ARRAY(SELECT unnest(NEW.dropped || NEW.deactivated) INTERSECT SELECT unnest(NEW.logins) ORDER BY 1);
BEGIN
  INSERT INTO keyturn.policy_event (type, policy, at, fact)
  SELECT 'credential.deleted', NEW.policy, NEW.at, jsonb_build_object('code', 'credential-deleted',
           'params', jsonb_build_object('logins', deleted)) WHERE cardinality(deleted) > 0
  UNION ALL
  SELECT 'credential.created', NEW.policy, NEW.at, jsonb_build_object('code', 'credential-created',
           'params', jsonb_build_object('logins', created)) WHERE cardinality(created) > 0;
  RETURN NULL;
END $$;
CREATE TRIGGER event_of_roles AFTER INSERT ON keyturn.provision
  FOR EACH ROW EXECUTE FUNCTION keyturn.event_of_roles();

CREATE FUNCTION keyturn.event_of_probe() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO keyturn.policy_event (type, policy, at, fact)
  SELECT 'credential.broken', NEW.policy, NEW.broken_since, jsonb_build_object('code', 'credential-broken',
           'params', jsonb_build_object('cause', NEW.fact)) WHERE NEW.broken_since IS NOT NULL
  UNION ALL
  SELECT 'credential.restored', NEW.policy, clock_timestamp(), jsonb_build_object('code', 'credential-restored',
           'params', jsonb_build_object()) WHERE NEW.broken_since IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER event_of_probe AFTER UPDATE OF broken_since ON keyturn.probe FOR EACH ROW
  WHEN ((OLD.broken_since IS NULL) <> (NEW.broken_since IS NULL)) EXECUTE FUNCTION keyturn.event_of_probe();
`;
